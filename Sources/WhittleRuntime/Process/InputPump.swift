internal import CWhittleLinux
internal import Glibc
internal import SystemPackage
internal import WhittleFileSystem

/// Hands what is read from one descriptor to a child, without ever waiting for either.
///
/// The child does not get the descriptor itself: a runtime makes the container's user the owner of what it finds as
/// standard input, and that would be the user's own file or terminal.
struct InputPump: ~Copyable {
    private let source: FileDescriptor
    /// `nil` after the end of the input, or where nobody reads any more.
    private var target: OwnedDescriptor?
    private var waiting: [UInt8] = []
    /// Whether the source has ended.
    private(set) var isAtEnd = false

    /// - Parameters:
    ///   - source: read when poll(2) says that there is something; stays open.
    ///   - target: does not wait; closed at the end of the input.
    init(from source: FileDescriptor, to target: consuming OwnedDescriptor) {
        self.source = source
        self.target = consume target
    }

    /// A pump that does nothing.
    init() {
        source = FileDescriptor(rawValue: -1)
        target = nil
    }

    /// What to look at for something to read, and for room to write.
    var pollEntries: (source: pollfd, target: pollfd) {
        let nothing = pollfd(fd: -1, events: 0, revents: 0)
        switch target {
        case .some(let target):
            let target = target.withDescriptor { $0.rawValue }
            if waiting.isEmpty {
                // Of the target only its end is of interest: POLLERR, which is always reported.
                return (
                    pollfd(fd: source.rawValue, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: target, events: 0, revents: 0)
                )
            }
            return (nothing, pollfd(fd: target, events: Int16(POLLOUT), revents: 0))
        case nil: return (nothing, nothing)
        }
    }

    /// Does what poll(2) found possible.
    mutating func pump(
        _ found: (source: pollfd, target: pollfd), through buffer: UnsafeMutableRawBufferPointer
    ) {
        if found.target.revents & Int16(POLLERR | POLLHUP) != 0, found.target.revents & Int16(POLLOUT) == 0 {
            target = nil
            return
        }
        if found.source.revents != 0 { readOnce(through: buffer) }
        if !waiting.isEmpty { writeOnce() }
        if isAtEnd, waiting.isEmpty { target = nil }
    }

    private mutating func readOnce(through buffer: UnsafeMutableRawBufferPointer) {
        do throws(Errno) {
            // Small enough for every pipe and terminal to take most of it at once.
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, 4096)])
            let count = try Syscall.read(source, into: room)
            if count == 0 { isAtEnd = true }
            waiting = Array(UnsafeRawBufferPointer(rebasing: room[..<count]))
        } catch {
            // EIO: a terminal that is closed, or that this process may not read in the background.
            if error != .resourceTemporarilyUnavailable { isAtEnd = true }
        }
    }

    private mutating func writeOnce() {
        let written: Int
        do throws(Errno) {
            switch target {
            case .some(let target):
                written = try target.withDescriptor { (target) throws(Errno) in
                    try waiting.withUnsafeBufferPointer { (bytes) throws(Errno) in
                        try Syscall.write(target, UnsafeRawBufferPointer(bytes))
                    }
                }
            case nil: return
            }
        } catch {
            if error != .resourceTemporarilyUnavailable { target = nil }
            return
        }
        waiting.removeFirst(written)
    }
}
