internal import CWhittleLinux
public import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// The private PID and mount namespaces of this process, and for an ordinary user also a user namespace.
///
/// `main` enters them (``enter()``) before anything else when a command runs steps. Inside, every container and every
/// mount dies with the process, however it ends; `kill -9` of the process that the user sees ends everything as well.
package enum ProcessNamespaces {
    /// Enters the namespaces; returns in the process that is inside, or, where the kernel refuses, in the caller.
    ///
    /// To be called first thing in `main`, while there is one thread. The process forks twice: what the user started
    /// stays outside, hands signals down and ends as the program ends. A signal that a process sends to the whole group
    /// of processes arrives twice inside; one that the terminal sends arrives once.
    ///
    /// Costs about half a millisecond. A refusal is no error by itself: commands that run no steps work outside, and
    /// ``require()`` tells the others why.
    package static func enter() {
        _ = whittle_enter_namespaces()
    }

    /// Whether this process is inside.
    package static var isInside: Bool { whittle_namespaces_entered() != 0 }

    /// Makes sure that this process is inside.
    ///
    /// - Throws: ``BuildError/noNamespaces(operation:errno:)``.
    package static func require() throws {
        guard !isInside else { return }
        var operation: UnsafePointer<CChar>?
        let error = whittle_namespaces_refusal(&operation)
        throw BuildError.noNamespaces(
            operation: operation.map { String(cString: $0) } ?? "", errno: error,
            obstacle: NamespaceObstacle(whittle_namespaces_obstacle()))
    }
}

/// Why the namespaces could not be made, as far as it tells what to change.
enum NamespaceObstacle: Hashable, Sendable {
    /// The kernel lets ordinary users make none.
    case userNamespacesForbidden
    /// The system lends the user no ids.
    case noSubordinateIdentifiers
    case newuidmapMissing
    case newuidmapRefused
    case other

    init(_ obstacle: whittle_namespaces_obstacle) {
        self =
            switch obstacle {
            case WHITTLE_USER_NAMESPACES_FORBIDDEN: .userNamespacesForbidden
            case WHITTLE_NO_SUBORDINATE_IDS: .noSubordinateIdentifiers
            case WHITTLE_NO_UIDMAP: .newuidmapMissing
            case WHITTLE_UIDMAP_REFUSED: .newuidmapRefused
            default: .other
            }
    }

    /// What to change.
    func hint(_ errno: CInt) -> String {
        switch self {
        case .userNamespacesForbidden:
            "let ordinary users make user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
                + "kernel.apparmor_restrict_unprivileged_userns), or run whittle as root"
        case .noSubordinateIdentifiers:
            "have an administrator lend you some: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER; "
                + "or run whittle as root"
        case .newuidmapMissing: "install them (apt install uidmap), or run whittle as root"
        case .newuidmapRefused:
            "they must be setuid root, and the ranges in /etc/subuid and /etc/subgid must be yours alone"
        case .other:
            errno == EPERM
                ? "run whittle as root, or in a container that has CAP_SYS_ADMIN"
                : "the kernel must support PID and mount namespaces, and /proc/sys/user must allow one more of each"
        }
    }
}

extension BuildError.Code {
    /// The kernel does not let whittle make the namespaces that steps run in.
    public static let noNamespaces = BuildError.Code(rawValue: "no-namespaces")
}

extension BuildError {
    /// `errno` 0 means that this process did not try.
    static func noNamespaces(operation: String, errno: CInt, obstacle: NamespaceObstacle = .other) -> BuildError {
        guard errno != 0 else {
            return BuildError(.noNamespaces, "cannot run steps: this process has not entered its namespaces")
        }
        return BuildError(
            .noNamespaces, "cannot run steps: \(operation): \(String(cString: strerror(errno)))",
            hint: obstacle.hint(errno))
    }
}
