/// Indices handed out to several threads, until none is left or one call failed.
final class SharedWork: Sendable {
    private struct State {
        var next = 0
        var active = 0
        var failure: (any Error)?
    }

    private let count: Int
    private let body: @Sendable (Int) throws -> Void
    private let state = Monitor(State())

    init(count: Int, body: @escaping @Sendable (Int) throws -> Void) {
        self.count = count
        self.body = body
    }

    /// Takes part until nothing is left. A helper that comes too late returns at once.
    func help() {
        while let index = take() {
            do {
                try body(index)
                state.update(wakingAll: true) { $0.active -= 1 }
            } catch {
                state.update(wakingAll: true) { state in
                    state.active -= 1
                    if state.failure == nil { state.failure = error }
                }
            }
        }
    }

    /// Takes part, then waits for the helpers that are still in a call.
    func finish() throws {
        help()
        let failure: (any Error)?? = state.wait { $0.active == 0 ? .some($0.failure) : nil }
        if let failure, let error = failure { throw error }
    }

    private func take() -> Int? {
        state.update { state in
            guard state.next < count, state.failure == nil else { return nil }
            state.active += 1
            state.next += 1
            return state.next - 1
        }
    }
}
