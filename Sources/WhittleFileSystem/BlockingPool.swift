#if canImport(Glibc)
    internal import Glibc
#endif

/// Threads for work that blocks: system calls, compression, waiting for processes.
///
/// Swift's own threads are as many as there are processors and must not block; blocking work runs here instead. A
/// thread is made when work comes and none is idle, up to ``limit``; then work waits in the order it came.
/// Safe to use from anywhere at once.
package final class BlockingPool: Sendable {
    /// The pool of the process. 64 threads: enough that steps that wait never starve file work, and few enough that
    /// their stacks do not count (only touched pages do).
    package static let shared = BlockingPool(limit: 64)

    /// The most threads that exist at once.
    package let limit: Int

    private struct State {
        var queue: [@Sendable () -> Void] = []
        var head = 0
        var threads = 0
        var idle = 0
        var isShutDown = false
    }

    private let state: Monitor<State>

    /// A pool of its own; its threads end when it is released. Most callers want ``shared``.
    package init(limit: Int) {
        self.limit = limit
        state = Monitor(State())
    }

    deinit {
        state.update(wakingAll: true) { $0.isShutDown = true }
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the task was cancelled before the call. A `body` that
    ///   has begun is not interrupted: a long one takes a ``Cancellation``, see ``runCancellable(_:)``.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Runs `body` on a thread of the pool, and tells it when the task is cancelled.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the task was cancelled before `body` began.
    package func runCancellable<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws -> Value
    ) async throws -> Value {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit {
                    continuation.resume(
                        with: Result {
                            try cancellation.check()
                            return try body(cancellation)
                        })
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Calls `body` for every index below `count`, on the calling thread and on up to `threads - 1` others at once.
    ///
    /// Returns when every call has returned. The first error stops the handing out of indices and is rethrown. Never
    /// waits for a free thread: where the pool is busy, the caller does all the work itself.
    package func forEach(
        below count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void
    ) throws {
        guard threads > 1, count > 1 else {
            for index in 0..<count { try body(index) }
            return
        }
        let work = SharedWork(count: count, body: body)
        for _ in 1..<min(threads, count) { submit { work.help() } }
        try work.finish()
    }

    /// Queues `job`, which must not throw, and returns at once.
    package func submit(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.update { state in
            state.queue.append(job)
            guard state.queue.count - state.head > state.idle, state.threads < limit else { return false }
            state.threads += 1
            return true
        }
        if needsThread, !Self.startThread(working: state) {
            // The system refuses another thread (EAGAIN). Where some exist, the job waits for them.
            let isAlone = state.update { state in
                state.threads -= 1
                return state.threads == 0
            }
            if isAlone { Self.workOff(state) }
        }
    }

    private static func startThread(working state: Monitor<State>) -> Bool {
        var thread = pthread_t()
        // SAFETY: one reference goes into the thread, which takes it back; where none was started, it is released here.
        let argument = Unmanaged.passRetained(state)
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        pthread_attr_init(attributes)
        defer {
            pthread_attr_destroy(attributes)
            attributes.deallocate()
        }
        pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
        // 2 MiB of address space each; only what is touched takes memory.
        pthread_attr_setstacksize(attributes, 2 << 20)
        let result = pthread_create(
            &thread, attributes,
            { argument in
                guard let argument else { return nil }
                BlockingPool.serve(Unmanaged<Monitor<State>>.fromOpaque(argument).takeRetainedValue())
                return nil
            }, argument.toOpaque())
        if result != 0 { argument.release() }
        return result == 0
    }

    /// The life of a thread.
    private static func serve(_ state: Monitor<State>) {
        while case .job(let job) = next(state) { job() }
        state.update { $0.threads -= 1 }
    }

    private enum Next {
        case job(@Sendable () -> Void)
        case end
    }

    /// Waits for the next job, and for the end of the pool.
    private static func next(_ state: Monitor<State>) -> Next {
        var isIdle = false
        return state.wait { state in
            if let job = take(&state) {
                if isIdle { state.idle -= 1 }
                return .job(job)
            }
            if state.isShutDown { return .end }
            if !isIdle {
                isIdle = true
                state.idle += 1
            }
            return nil
        }
    }

    /// Runs what is queued on the calling thread, for a system that gives no threads at all.
    private static func workOff(_ state: Monitor<State>) {
        while let job = state.update({ take(&$0) }) { job() }
    }

    private static func take(_ state: inout State) -> (@Sendable () -> Void)? {
        guard state.head < state.queue.count else { return nil }
        let job = state.queue[state.head]
        state.head += 1
        if state.head > 32, state.head * 2 > state.queue.count {
            state.queue.removeFirst(state.head)
            state.head = 0
        }
        return job
    }
}
