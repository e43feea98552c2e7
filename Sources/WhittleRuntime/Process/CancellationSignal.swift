internal import CWhittleLinux
package import SystemPackage
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// Tells a thread that waits in poll(2) to stop. Once raised it stays so.
package final class CancellationSignal: Sendable {
    private let event: FileDescriptor

    /// - Throws: the errno of eventfd(2).
    package init() throws(Errno) {
        let raw = whittle_event()
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        event = FileDescriptor(rawValue: raw)
    }

    deinit {
        // Nothing was written that could be lost.
        try? Syscall.close(event)
    }

    /// Raises the signal. Safe to call from anywhere, and again.
    package func raise() {
        // Fails only where the counter is full: then the signal is raised.
        _ = whittle_raise_event(event.rawValue)
    }

    /// Lends the descriptor that is readable once the signal is raised.
    func withDescriptor<Value>(_ body: (FileDescriptor) -> Value) -> Value { body(event) }

    /// Whether the signal was raised.
    package var isRaised: Bool {
        var entry = pollfd(fd: event.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
