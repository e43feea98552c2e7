internal import Synchronization

/// Lets so many transfers run at once; the others wait in the order they came.
final class TransferSlots: Sendable {
    private struct State {
        var free: Int
        var next = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        /// Of those that were cancelled before they waited.
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    /// Runs `body` when there is room.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the task was cancelled while it waited.
    func withSlot<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        try await take()
        defer { give() }
        return try await body()
    }

    private func take() async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled: Bool? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return true }
                    guard state.free == 0 else {
                        state.free -= 1
                        return false
                    }
                    state.waiting.append((number, continuation))
                    return nil
                }
                if let isCancelled {
                    continuation.resume(with: isCancelled ? .failure(CancellationError()) : .success(()))
                }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return CheckedContinuation<Void, any Error>?.none
                }
                return state.waiting.remove(at: index).continuation
            }
            waiting?.resume(throwing: CancellationError())
        }
        // Cancelled after it had its room: nobody asks for the note any more.
        state.withLock { _ = $0.cancelled.remove(number) }
    }

    private func give() {
        let next = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return CheckedContinuation<Void, any Error>?.none
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}
