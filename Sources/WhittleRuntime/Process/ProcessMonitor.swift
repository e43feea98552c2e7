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
    /// - Returns: how it ended, also where that was the teardown's doing.
    /// - Throws: where it could not be started.
    func run(_ path: String, arguments: [String], environment: [String]) throws(Errno) -> WaitStatus {
        let input = try Syscall.open("/dev/null", .readOnly)
        var output = try Pipe()
        var error = try Pipe()
        let child = try output.withWriteEnd { (output) throws(Errno) in
            try error.withWriteEnd { (error) throws(Errno) in
                try input.withDescriptor { (input) throws(Errno) in
                    try ChildProcess(
                        path, arguments: arguments, environment: environment, standard: (input, output, error))
                }
            }
        }
        output.closeWriteEnd()
        error.closeWriteEnd()
        return try watch(child, &output, &error)
    }

    private func watch(
        _ child: consuming ChildProcess, _ output: inout Pipe, _ error: inout Pipe
    ) throws(Errno) -> WaitStatus {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var progress: TeardownProgress?
        while true {
            var entries = [
                pollfd(fd: child.withHandle { $0.rawValue }, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.pollDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: error.pollDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: progress == nil ? cancellation.withDescriptor { $0.rawValue } : -1, events: Int16(POLLIN),
                    revents: 0),
            ]
            let count = poll(&entries, nfds_t(entries.count), Self.milliseconds(until: progress?.deadline))
            if count < 0, errno != EINTR { preconditionFailure("poll: \(Errno(rawValue: errno))") }
            if count < 0 { continue }
            if entries[1].revents != 0 { output.read(into: buffer) { receive(StepOutput(.standardOutput, $0)) } }
            if entries[2].revents != 0 { error.read(into: buffer) { receive(StepOutput(.standardError, $0)) } }
            if entries[0].revents != 0 { break }
            if entries[3].revents != 0 { progress = TeardownProgress(teardown) }
            while let action = progress?.next(at: .now) { carryOut(action, on: child) }
        }
        output.drain(into: buffer) { receive(StepOutput(.standardOutput, $0)) }
        error.drain(into: buffer) { receive(StepOutput(.standardError, $0)) }
        return child.wait()
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

/// A pipe of which a child gets the one end; the other is read here without waiting.
private struct Pipe: ~Copyable {
    private var readEnd: OwnedDescriptor?
    private var writeEnd: OwnedDescriptor?

    init() throws(Errno) {
        var ends: [CInt] = [-1, -1]
        guard whittle_pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        readEnd = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[0]))
        writeEnd = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[1]))
    }

    borrowing func withWriteEnd<Value: ~Copyable>(
        _ body: (FileDescriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        switch writeEnd {
        case .some(let end): try end.withDescriptor(body)
        case nil: preconditionFailure("the write end is closed")
        }
    }

    mutating func closeWriteEnd() { writeEnd = nil }

    /// -1, which poll(2) passes over, after the end.
    var pollDescriptor: CInt {
        switch readEnd {
        case .some(let end): end.withDescriptor { $0.rawValue }
        case nil: -1
        }
    }

    /// Reads once. Closes at the end of the data.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer, _ receive: ([UInt8]) -> Void) {
        _ = readChunk(into: buffer, receive)
    }

    /// Reads what is there. A writer that never stops cannot hold this up: the limit is the largest pipe that a user
    /// can make (1 MiB).
    mutating func drain(into buffer: UnsafeMutableRawBufferPointer, _ receive: ([UInt8]) -> Void) {
        var left = 1 << 20
        while left > 0 {
            let count = readChunk(into: buffer, receive)
            if count == 0 { return }
            left -= count
        }
    }

    /// The number of bytes read; 0 at the end, and where there are none now.
    private mutating func readChunk(
        into buffer: UnsafeMutableRawBufferPointer, _ receive: ([UInt8]) -> Void
    ) -> Int {
        let count: Int
        do throws(Errno) {
            switch readEnd {
            case .some(let end):
                count = try end.withDescriptor { (end) throws(Errno) in try Syscall.read(end, into: buffer) }
            case nil: return 0
            }
        } catch {
            if error != .resourceTemporarilyUnavailable { readEnd = nil }
            return 0
        }
        if count == 0 {
            readEnd = nil
        } else {
            receive(Array(UnsafeRawBufferPointer(rebasing: buffer[..<count])))
        }
        return count
    }
}
