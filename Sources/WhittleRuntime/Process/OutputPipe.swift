internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem

/// A pipe of which a child gets the writing end, or a pseudo-terminal; the other end is read here without waiting.
struct OutputPipe: ~Copyable {
    private var readEnd: OwnedDescriptor?
    private var writeEnd: OwnedDescriptor?

    /// A new pipe.
    static func make() throws(Errno) -> OutputPipe {
        var ends: [CInt] = [-1, -1]
        guard whittle_output_pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        var pipe = OutputPipe()
        pipe.readEnd = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[0]))
        pipe.writeEnd = OwnedDescriptor(owning: FileDescriptor(rawValue: ends[1]))
        return pipe
    }

    /// What is written to a terminal.
    init(reading terminal: consuming OwnedDescriptor) {
        readEnd = consume terminal
        writeEnd = nil
    }

    /// One from which nothing comes.
    init() {
        readEnd = nil
        writeEnd = nil
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

    /// Reads no more. A terminal hangs up: its programs get SIGHUP.
    mutating func close() { readEnd = nil }

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
            // A terminal ends with EIO, once nobody has its other end open.
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
