internal import CWhittleLinux
internal import SystemPackage
internal import WhittleFileSystem

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
    /// - Parameter attachment: its input, terminal and signals; without one it reads nothing.
    /// - Returns: how it ended, also where that was the teardown's doing.
    /// - Throws: where it could not be started.
    func run(
        _ path: String, arguments: [String], environment: [String], attachment: ProcessAttachment? = nil
    ) throws(Errno) -> WaitStatus {
        var started = try ChildStreams.start(attachment) { (standard) throws(Errno) in
            try ChildProcess(path, arguments: arguments, environment: environment, standard: standard)
        }
        if let attachment {
            attachment.begin(
                started.child.identifier, handle: started.child.withHandle { $0.rawValue },
                terminal: started.streams.terminal)
        }
        watch(&started)
        attachment?.end()
        return started.child.wait()
    }

    private func watch(_ started: inout ChildStreams.Started) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var progress: TeardownProgress?
        while true {
            let input = started.streams.input.pollEntries
            var entries = [
                pollfd(fd: started.child.withHandle { $0.rawValue }, events: Int16(POLLIN), revents: 0),
                pollfd(fd: started.streams.output.pollDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: started.streams.error.pollDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: progress == nil ? cancellation.withDescriptor { $0.rawValue } : -1, events: Int16(POLLIN),
                    revents: 0),
                input.source, input.target,
            ]
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
            started.streams.input.pump((entries[4], entries[5]), through: buffer)
            if entries[3].revents != 0 { progress = TeardownProgress(teardown) }
            while let action = progress?.next(at: .now) { carryOut(action, on: started.child) }
        }
        started.streams.output.drain(into: buffer) { receive(StepOutput(.standardOutput, $0)) }
        started.streams.error.drain(into: buffer) { receive(StepOutput(.standardError, $0)) }
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
