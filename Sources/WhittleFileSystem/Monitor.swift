#if canImport(Glibc)
    internal import Glibc
#endif

/// A value that threads share, with a way to wait until it satisfies a condition.
///
/// `Synchronization.Mutex` cannot wait. Only for threads that may block: those of ``BlockingPool``.
// SAFETY: `state` is touched only between pthread_mutex_lock and pthread_mutex_unlock.
final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Changes the value, then wakes one waiter, or all.
    func update<Value>(wakingAll: Bool = false, _ body: (inout State) throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer {
            if wakingAll { pthread_cond_broadcast(condition) } else { pthread_cond_signal(condition) }
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Calls `body` at once and after each ``update(wakingAll:_:)``, until it gives a value.
    func wait<Value>(_ body: (inout State) -> Value?) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value = body(&state) { return value }
            pthread_cond_wait(condition, mutex)
        }
    }
}
