internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// The terminal that a runtime made inside a container.
enum ContainerTerminal {
    /// Gives it a size; the kernel then tells the container's foreground processes. Nothing happens where there is none.
    ///
    /// Not left to the runtime alone: crun 1.8 (Debian 12) hands SIGWINCH to the container and resizes nothing. To be
    /// dropped with the last crun that does so.
    ///
    /// - Parameter runtime: the container's processes are below this one.
    static func resize(below runtime: pid_t, to size: TerminalSize) {
        // Without /proc the size stays as it was.
        guard let processes = try? ProcessTree.descendants(of: runtime) else { return }
        for process in processes {
            let path = "/proc/\(process.identifier)/fd/0"
            // A process may have ended meanwhile, or read something else.
            guard isPseudoTerminal(path),
                let input = try? Syscall.open(
                    path, OpenFlags(rawValue: O_RDWR | O_NOCTTY | O_NONBLOCK))
            else { continue }
            input.withDescriptor { input in
                // Fails only where it is no terminal after all.
                _ = whittle_set_window_size(input.rawValue, size.rows, size.columns)
            }
        }
    }

    /// Whether a link of /proc leads to one: looked at first, since opening something else could do something.
    private static func isPseudoTerminal(_ path: String) -> Bool {
        let prefix = "/dev/pts/"
        var target = [CChar](repeating: 0, count: prefix.utf8.count)
        let count = readlink(path, &target, target.count)
        return count == target.count && target.map { UInt8(bitPattern: $0) } == Array(prefix.utf8)
    }
}
