internal import Synchronization

/// Tells work on a ``BlockingPool`` thread that nobody waits for it any more.
package final class Cancellation: Sendable {
    private let flag = Atomic(false)

    package init() {}

    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Asks the work to stop at its next ``check()``.
    package func cancel() { flag.store(true, ordering: .relaxed) }

    /// Throws `CancellationError` once ``cancel()`` was called. A long loop calls this for each chunk.
    package func check() throws {
        if isCancelled { throw CancellationError() }
    }
}
