internal import CWhittleLinux
internal import Glibc
internal import Synchronization
package import SystemPackage
internal import WhittleFileSystem

/// Ties a running container to a person: their input, their terminal, and their signals.
///
/// A container without one has an empty input, and no terminal. Safe to use from many threads at once; to be used for one
/// container.
package final class ProcessAttachment: Sendable {
    /// What the container's process reads; `nil` for nothing. Lent: neither closed nor changed.
    package let input: FileDescriptor?
    /// The size of the terminal that the container's process gets; `nil` for pipes. The process that is started here gets one
    /// as standard input and output; what it writes to standard error is its own, not the container's.
    package let terminal: TerminalSize?

    private struct Running {
        let identifier: pid_t
        /// A pidfd of the runtime, and the terminal that it copies to and from.
        let handle: CInt
        let terminal: CInt
    }

    /// The descriptors are the monitor's, which takes them out before it closes them.
    private let running = Mutex<Running?>(nil)

    package init(input: FileDescriptor? = nil, terminal: TerminalSize? = nil) {
        self.input = input
        self.terminal = terminal
    }

    /// Sends a signal to the container's first process. The runtime passes it on.
    ///
    /// - Returns: `false` where the container does not run: not yet, or no more.
    @discardableResult
    package func send(signal: CInt) -> Bool {
        running.withLock { running in
            guard let running else { return false }
            _ = whittle_pidfd_signal(running.handle, signal)
            return true
        }
    }

    /// Tells the container's terminal that its window has another size. Does nothing where there is none.
    package func resize(to size: TerminalSize) {
        running.withLock { running in
            guard let running, running.terminal >= 0 else { return }
            _ = whittle_set_window_size(running.terminal, size.rows, size.columns)
            // The runtime is not in the terminal's foreground, where the kernel would tell it; it looks at the size then.
            _ = whittle_pidfd_signal(running.handle, SIGWINCH)
            ContainerTerminal.resize(below: running.identifier, to: size)
        }
    }

    /// From now on signals go to the process of `handle`.
    func begin(_ identifier: pid_t, handle: CInt, terminal: CInt) {
        running.withLock { $0 = Running(identifier: identifier, handle: handle, terminal: terminal) }
    }

    /// To be called before the descriptors are closed.
    func end() { running.withLock { $0 = nil } }
}
