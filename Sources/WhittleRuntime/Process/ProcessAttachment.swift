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

    /// Whether ``input`` is put into raw mode while the container runs.
    let isInputRaw: Bool

    private struct Running {
        /// A pidfd of the runtime.
        let handle: CInt
        /// The terminal between the container, or its runtime, and this process; -1 for none.
        var terminal: CInt
        /// Whether it is the container's own, where the kernel tells the programs.
        var isConsole = false
        /// The user's.
        let raw: RawTerminal?
    }

    private struct State {
        /// The descriptors are the monitor's, which takes them out before it closes them.
        var running: Running?
        /// The last size that was asked for.
        var size: TerminalSize?
    }

    private let state: Mutex<State>

    /// - Parameter isInputRaw: puts the input, a terminal, into raw mode while the container runs.
    package init(input: FileDescriptor? = nil, terminal: TerminalSize? = nil, isInputRaw: Bool = false) {
        self.input = input
        self.terminal = terminal
        self.isInputRaw = isInputRaw
        state = Mutex(State(size: terminal))
    }

    /// Sends a signal to the container's first process. The runtime passes it on.
    ///
    /// - Returns: `false` where the container does not run: not yet, or no more.
    @discardableResult
    package func send(signal: CInt) -> Bool {
        state.withLock { state in
            guard let running = state.running else { return false }
            _ = whittle_pidfd_signal(running.handle, signal)
            return true
        }
    }

    /// Tells the container's terminal that its window has another size. Does nothing where there is none.
    package func resize(to size: TerminalSize) {
        state.withLock { state in
            guard terminal != nil else { return }
            state.size = size
            guard let running = state.running, running.terminal >= 0 else { return }
            _ = whittle_set_window_size(running.terminal, size.rows, size.columns)
            // A runtime that copies from this terminal to the container's is not in its foreground, where the kernel would
            // tell it.
            if !running.isConsole { _ = whittle_pidfd_signal(running.handle, SIGWINCH) }
        }
    }

    /// From now on signals go to the process of which `handle` is a pidfd.
    func begin(handle: CInt, terminal: CInt) {
        var raw: RawTerminal?
        // What is no terminal has no modes to change.
        if isInputRaw, let input { raw = try? RawTerminal(input) }
        state.withLock { [raw] in $0.running = Running(handle: handle, terminal: terminal, raw: raw) }
    }

    /// The container's terminal has come.
    func show(_ terminal: CInt) {
        state.withLock { state in
            state.running?.terminal = terminal
            state.running?.isConsole = true
            if let size = state.size { _ = whittle_set_window_size(terminal, size.rows, size.columns) }
        }
    }

    /// Gives the user's terminal back. To be called before the descriptors are closed.
    func end() {
        let ended = state.withLock { $0.running.take() }
        ended?.raw?.restore()
    }
}
