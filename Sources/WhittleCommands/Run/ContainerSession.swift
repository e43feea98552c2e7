internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleRuntime

/// The person in front of a container: their input, terminal and signals, as `whittle run` connects them.
struct ContainerSession: Sendable {
    private let attachment: ProcessAttachment
    private let state = State()

    /// - Parameter isTerminal: whether a standard descriptor is one.
    /// - Throws: `not-a-terminal` where input is to come from a terminal that is none.
    init(isInteractive: Bool, hasTerminal: Bool, isTerminal: (CInt) -> Bool) throws(BuildError) {
        let isRaw = isInteractive && hasTerminal
        if isRaw, !isTerminal(0) { throw .notATerminal("standard input", for: "-it") }
        let size = TerminalSize(of: .standardInput) ?? TerminalSize(of: .standardOutput) ?? .standard
        attachment = ProcessAttachment(
            input: isInteractive ? .standardInput : nil, terminal: hasTerminal ? size : nil, isInputRaw: isRaw)
    }

    /// Runs `body`; signals go to the container once it runs, and end `body` before.
    ///
    /// - Returns: what `body` gave; 128 and the number of a signal that ended it.
    func relayingSignals(_ body: @escaping @Sendable (ProcessAttachment) async -> CInt) async -> CInt {
        let attachment = attachment
        // Awaited below; cancelled by the handlers.
        let task = Task { await body(attachment) }
        state.task.withLock { $0 = task }
        // What reads our output, or the container's input, may end: that is found when writing.
        signal(SIGPIPE, SIG_IGN)
        let sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH].map { number in
            // The default action would end the process before the source sees the signal.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handle(number) }
            source.resume()
            return source
        }
        let status = await task.value
        for source in sources { source.cancel() }
        return state.ending.withLock { $0 }.map { 128 + $0 } ?? status
    }

    private func handle(_ number: CInt) {
        if number == SIGWINCH {
            let size = TerminalSize(of: .standardInput) ?? TerminalSize(of: .standardOutput)
            if let size { attachment.resize(to: size) }
        } else if number == SIGHUP {
            // Nobody is left to end a container that does not care.
            end(with: number)
        } else if !attachment.send(signal: number), number != SIGUSR1, number != SIGUSR2 {
            end(with: number)
        }
    }

    /// Ends the container, or what leads to it.
    private func end(with number: CInt) {
        state.ending.withLock { $0 = $0 ?? number }
        state.task.withLock { $0 }?.cancel()
    }

    /// Writes what the container wrote to the same stream of this process. Where nobody reads that any more, the container
    /// is ended, as SIGPIPE would end a program.
    func write(_ output: StepOutput) {
        let descriptor: CInt = output.stream == .standardOutput ? 1 : 2
        var rest = output.bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                // Somebody made our output one that does not wait, which is shared with whoever else has it.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, 1000)
            } else if errno != EINTR {
                return end(with: SIGPIPE)
            }
        }
    }

    private final class State: Sendable {
        let task = Mutex<Task<CInt, Never>?>(nil)
        /// The signal that ended the work.
        let ending = Mutex<CInt?>(nil)
    }
}
