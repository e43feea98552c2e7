internal import CWhittleLinux
internal import SystemPackage
internal import WhittleFileSystem
internal import WhittlePrograms

#if canImport(Glibc)
    internal import Glibc
#endif

/// Watches one child from its start to its end: reads what it writes, and ends it when asked.
///
/// Blocks the calling thread. Reads only when its receiver has returned, so a slow receiver slows the child down, and
/// no more than one chunk is in memory.
struct ProcessMonitor {
    /// The most that is read at once; also the capacity of a pipe.
    static let chunkSize = 64 << 10

    let cancellation: CancellationSignal
    let teardown: Teardown
    /// Called on the calling thread.
    let receive: (StepOutput) -> Void

    /// Runs a program until it has ended and what it wrote is read.
    ///
    /// A process that it leaves behind and that holds its output open is not waited for: what is in the pipes when the
    /// program ends is read, and no more.
    ///
    /// - Parameters:
    ///   - attachment: its input, terminal and signals; without one it reads nothing.
    ///   - entrances: see ``ChildProcess``.
    ///   - console: where a program sends the terminal that it makes itself; otherwise it gets one.
    /// - Returns: how it ended, also where that was the teardown's doing.
    /// - Throws: where it could not be started.
    func run(
        _ path: String, arguments: [String], environment: [String], attachment: ProcessAttachment? = nil,
        console: ConsoleSocket? = nil, entrances: [String] = []
    ) throws(Errno) -> WaitStatus {
        var started = try ChildStreams.start(attachment, hasConsole: console != nil) {
            (standard) throws(Errno) in
            try ChildProcess(
                path, arguments: arguments, environment: environment, standard: standard, entrances: entrances)
        }
        attachment?.begin(handle: started.child.withHandle { $0.rawValue }, terminal: started.streams.terminal)
        watch(&started, attachment, console)
        attachment?.end()
        return started.child.wait()
    }

    private func watch(
        _ started: inout ChildStreams.Started, _ attachment: ProcessAttachment?, _ console: ConsoleSocket?
    ) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var progress: TeardownProgress?
        while true {
            var entries = entries(&started, console, isEnding: progress != nil)
            let count = poll(&entries, nfds_t(entries.count), Self.milliseconds(until: progress?.deadline))
            if count < 0, errno != EINTR { preconditionFailure("poll: \(Errno(rawValue: errno))") }
            if count < 0 { continue }
            if entries[1].revents != 0 {
                started.streams.output.read(into: buffer) { receive(StepOutput(.standardOutput, $0)) }
            }
            if entries[2].revents != 0 {
                started.streams.error.read(into: buffer) { receive(StepOutput(.standardError, $0)) }
            }
            if entries[0].revents != 0 { break }
            if entries[6].revents != 0 { adopt(&started, attachment, console) }
            started.streams.input.pump((entries[4], entries[5]), through: buffer)
            // The user's terminal has no end but its own: the window was closed.
            if started.streams.input.isAtEnd, attachment?.isInputRaw ?? false { started.streams.output.close() }
            if entries[3].revents != 0 { progress = TeardownProgress(teardown) }
            while let action = progress?.next(at: .now) { carryOut(action, on: started.child) }
        }
        // One that lived shortly may have sent its terminal after the last look.
        adopt(&started, attachment, console)
        started.streams.output.drain(into: buffer) { receive(StepOutput(.standardOutput, $0)) }
        started.streams.error.drain(into: buffer) { receive(StepOutput(.standardError, $0)) }
    }

    private func entries(
        _ started: inout ChildStreams.Started, _ console: ConsoleSocket?, isEnding: Bool
    ) -> [pollfd] {
        func readable(_ descriptor: CInt) -> pollfd { pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }
        let input = started.streams.input.pollEntries
        return [
            readable(started.child.withHandle { $0.rawValue }),
            readable(started.streams.output.pollDescriptor),
            readable(started.streams.error.pollDescriptor),
            readable(isEnding ? -1 : cancellation.withDescriptor { $0.rawValue }),
            input.source, input.target,
            readable(started.streams.terminal < 0 ? console?.pollDescriptor ?? -1 : -1),
        ]
    }

    private func adopt(
        _ started: inout ChildStreams.Started, _ attachment: ProcessAttachment?, _ console: ConsoleSocket?
    ) {
        guard let attachment, let console, started.streams.terminal < 0, let terminal = console.receive() else {
            return
        }
        started.streams.adopt(terminal, for: attachment)
    }

    private func carryOut(_ action: Teardown.Action, on child: borrowing ChildProcess) {
        do {
            switch action {
            case .terminate: try ProcessTree.send(signal: SIGTERM, below: child.identifier)
            case .kill: try ProcessTree.send(signal: SIGKILL, below: child.identifier)
            case .abandon: child.send(signal: SIGKILL)
            }
        } catch {
            // Without /proc there are no children to be found; the runtime itself hands SIGTERM to the container.
            child.send(signal: action == .terminate ? SIGTERM : SIGKILL)
        }
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> CInt {
        guard let deadline else { return -1 }
        let left = deadline - .now
        // Rounded up, so that the deadline has passed when poll returns.
        return CInt(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
    }
}
