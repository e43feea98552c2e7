internal import Dispatch
internal import Glibc
internal import Synchronization

/// What Ctrl-C and SIGTERM do to a command: the first one cancels its work, the second ends the process at once.
enum Interruption {
    /// Runs `body` in a task that SIGINT and SIGTERM cancel.
    ///
    /// - Returns: the status that `body` gave, or 128 plus the signal's number where one came, as shells report it.
    static func cancelling(_ body: @escaping @Sendable () async -> CInt) async -> CInt {
        // Awaited below; cancelled by the handlers.
        let task = Task { await body() }
        let received = Received()
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            // The default action would end the process before the source sees the signal.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if received.note(number) { _exit(128 + number) }
                task.cancel()
            }
            source.resume()
            return source
        }
        let status = await task.value
        for source in sources { source.cancel() }
        return received.signal.map { 128 + $0 } ?? status
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
