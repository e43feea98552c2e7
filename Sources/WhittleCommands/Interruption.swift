internal import Glibc
internal import Synchronization
internal import WhittleFileSystem

/// What Ctrl-C and SIGTERM do to a command: the first one cancels its work, the second ends the process at once.
enum Interruption {
    /// Runs `body` in a task that SIGINT, SIGTERM and SIGHUP cancel.
    ///
    /// - Returns: the status that `body` gave, or 128 plus the signal's number where one came, as shells report it.
    static func cancelling(_ body: @escaping @Sendable () async -> CInt) async -> CInt {
        // Awaited below; cancelled when a signal comes.
        let task = Task { await body() }
        let received = Received()
        let pipe = SignalPipe()
        if let pipe {
            BlockingPool.shared.submit {
                while let number = pipe.next() {
                    if received.note(number) { _exit(128 + number) }
                    task.cancel()
                }
            }
        }
        let status = await task.value
        pipe?.close()
        return received.signal.map { 128 + $0 } ?? status
    }
}

/// Signals as bytes in a pipe, for one thread to read.
///
/// Dispatch's sources would do the same with a thread that manages them, another that serves them, and eight system calls;
/// a cached build is over before that has paid.
private struct SignalPipe: Sendable {
    /// Where the handlers write to.
    private static let destination = Atomic<CInt>(-1)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    private let source: CInt

    /// Takes the signals from now on; `nil` where the system has no pipe left, and then the first signal ends the process.
    init?() {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        source = ends[0]
        Self.destination.store(ends[1], ordering: .sequentiallyConsistent)
        for number in Self.signals {
            signal(number) { number in
                // Whatever the signal came into the middle of may be about to look at errno.
                let code = errno
                var byte = UInt8(truncatingIfNeeded: number)
                write(SignalPipe.destination.load(ordering: .sequentiallyConsistent), &byte, 1)
                errno = code
            }
        }
    }

    /// Waits for the next signal; `nil` after ``close()``.
    func next() -> CInt? {
        var byte: UInt8 = 0
        while true {
            let count = read(source, &byte, 1)
            if count == 1 { return CInt(byte) }
            if count == 0 || errno != EINTR {
                Glibc.close(source)
                return nil
            }
        }
    }

    /// Ends the reader; signals are ignored from now on.
    func close() {
        for number in Self.signals { signal(number, SIG_IGN) }
        Glibc.close(Self.destination.exchange(-1, ordering: .sequentiallyConsistent))
    }
}

/// The first signal that came.
private final class Received: Sendable {
    private let first = Mutex<(number: CInt, time: ContinuousClock.Instant)?>(nil)

    var signal: CInt? { first.withLock { $0?.number } }

    /// - Returns: whether one had come before. What was sent to the whole group of processes, as timeout(1) does,
    ///   arrives here twice, once from outside whittle's namespaces; nobody asks twice within a tenth of a second.
    func note(_ number: CInt) -> Bool {
        first.withLock { first in
            if let first { return ContinuousClock.now - first.time > .milliseconds(100) }
            first = (number, .now)
            return false
        }
    }
}
