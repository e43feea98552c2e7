package import WhittleCore
internal import WhittleOCI

/// What an OCI runtime is told about one container: the parts of runtime-spec 1.0.2 that build steps use.
///
/// A value without rules of its own; ``container(for:root:user:mounts:)`` makes the one that a step runs under.
package struct RuntimeSpec: Sendable {
    package var process: Process
    /// The directory of this machine that the container sees as `/`.
    package var root: String
    package var isRootReadOnly = false
    package var hostname: String
    /// In the order in which they are mounted.
    package var mounts: [Mount]
    /// The namespaces that the container does not share with this process.
    package var namespaces: [Namespace]
    /// Hidden: files read as empty, directories are empty.
    package var maskedPaths: [String]
    /// Cannot be written.
    package var readonlyPaths: [String]
    /// `nil` lets every system call through.
    package var seccomp: SeccompProfile?
    /// Nodes to make, beside those that every container has.
    package var devices: [Device] = []
    /// `hooks` of the specification, by their moment: `createContainer`.
    var hooks: [String: [JSONValue]] = [:]
    /// The control group that the runtime is to use; `nil` leaves it to the runtime.
    package var cgroupPath: String?

    package init(
        process: Process, root: String, hostname: String, mounts: [Mount], namespaces: [Namespace],
        maskedPaths: [String] = [], readonlyPaths: [String] = [], seccomp: SeccompProfile? = nil
    ) {
        self.process = process
        self.root = root
        self.hostname = hostname
        self.mounts = mounts
        self.namespaces = namespaces
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.seccomp = seccomp
    }

    /// The container's first process.
    package struct Process: Sendable {
        package var arguments: [String]
        /// `NAME=value`; of two with one name, most programs see the first.
        package var environment: [String]
        /// More of the environment, not to be shown.
        package var secretEnvironment: Redacted<[String]>
        /// Absolute, in the container.
        package var workingDirectory: String
        package var user: ContainerUser
        package var capabilities: [Capability]
        /// By the name that getrlimit(2) gives it (`RLIMIT_NOFILE`); what is not named is inherited.
        package var limits: [String: Limit]
        /// Whether setuid programs and file capabilities have no effect; Docker leaves them their effect.
        package var noNewPrivileges: Bool
        /// `nil` inherits.
        package var oomScoreAdjustment: Int?
        /// The size of the process's terminal; `nil` gives it the streams of the runtime.
        package var terminal: TerminalSize?
        /// Whether ``capabilities`` are inheritable and ambient too, so that a user other than root keeps them on exec.
        package var hasAmbientCapabilities = false

        package init(
            arguments: [String], environment: [String], secretEnvironment: Redacted<[String]> = Redacted([]),
            workingDirectory: String, user: ContainerUser, capabilities: [Capability], limits: [String: Limit] = [:],
            noNewPrivileges: Bool = false, oomScoreAdjustment: Int? = nil, terminal: TerminalSize? = nil
        ) {
            self.arguments = arguments
            self.environment = environment
            self.secretEnvironment = secretEnvironment
            self.workingDirectory = workingDirectory
            self.user = user
            self.capabilities = capabilities
            self.limits = limits
            self.noNewPrivileges = noNewPrivileges
            self.oomScoreAdjustment = oomScoreAdjustment
            self.terminal = terminal
        }
    }

    /// A device node.
    package struct Device: Hashable, Sendable {
        /// Absolute, in the container.
        package var path: String
        package var kind: Kind
        package var major: UInt32
        package var minor: UInt32
        package var mode: UInt32
        package var uid: UInt32
        package var gid: UInt32

        package enum Kind: String, Sendable {
            case character = "c"
            case block = "b"
            case pipe = "p"
        }

        package init(
            path: String, kind: Kind, major: UInt32, minor: UInt32, mode: UInt32 = 0o666, uid: UInt32 = 0,
            gid: UInt32 = 0
        ) {
            self.path = path
            self.kind = kind
            self.major = major
            self.minor = minor
            self.mode = mode
            self.uid = uid
            self.gid = gid
        }
    }

    /// A limit of setrlimit(2).
    package struct Limit: Hashable, Sendable {
        package var soft: UInt64
        package var hard: UInt64

        package init(soft: UInt64, hard: UInt64) {
            self.soft = soft
            self.hard = hard
        }
    }

    /// A mount inside the container.
    package struct Mount: Hashable, Sendable {
        /// Absolute, in the container.
        package var target: String
        /// A file system (`tmpfs`), or `bind`.
        package var type: String
        /// For a bind, a path of this machine.
        package var source: String
        /// As mount(8) names them.
        package var options: [String]

        package init(_ target: String, type: String, source: String, options: [String]) {
            self.target = target
            self.type = type
            self.source = source
            self.options = options
        }
    }

    /// A kind of namespace that a container has of its own.
    package enum Namespace: String, Sendable {
        case pid, ipc, uts, mount, network
    }
}

/// A user by numbers, as the kernel knows it.
package struct ContainerUser: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    /// Supplementary groups, in the order of the group file.
    package var additionalGroups: [UInt32]
    /// The home directory; `/` for a user whom the passwd file does not have.
    package var home: String

    package init(uid: UInt32, gid: UInt32, additionalGroups: [UInt32] = [], home: String = "/") {
        self.uid = uid
        self.gid = gid
        self.additionalGroups = additionalGroups
        self.home = home
    }
}
