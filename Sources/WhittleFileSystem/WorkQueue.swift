/// Work that makes more work, done by several threads until none is left.
final class WorkQueue<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item]
        var active = 0
        var failure: (any Error)?
    }

    private enum Next {
        case item(Item)
        case finished
    }

    private let state: Monitor<State>
    private let body: @Sendable (Item, WorkQueue) throws -> Void

    private init(_ items: [Item], _ body: @escaping @Sendable (Item, WorkQueue) throws -> Void) {
        state = Monitor(State(items: items))
        self.body = body
    }

    /// Calls `body` for each of `items` and for each that a call adds with ``add(_:)``. The order is not defined.
    ///
    /// Returns when every call has returned; the first error stops the work and is rethrown.
    static func run(
        _ items: [Item], threads: Int, _ body: @escaping @Sendable (Item, WorkQueue) throws -> Void
    ) throws {
        let queue = WorkQueue(items, body)
        for _ in 1..<max(threads, 1) { BlockingPool.shared.submit { queue.work() } }
        queue.work()
        // Helpers that began are done when nothing is active; one that comes later finds nothing to do.
        let failure: (any Error)?? = queue.state.wait { $0.active == 0 ? .some($0.failure) : nil }
        if let failure, let error = failure { throw error }
    }

    /// Adds work, from within a call.
    func add(_ item: Item) {
        state.update { $0.items.append(item) }
    }

    private func work() {
        while case .item(let item) = next() {
            do {
                try body(item, self)
                state.update(wakingAll: true) { $0.active -= 1 }
            } catch {
                state.update(wakingAll: true) { state in
                    state.active -= 1
                    if state.failure == nil { state.failure = error }
                }
            }
        }
    }

    private func next() -> Next {
        state.wait { state in
            if state.failure != nil { return .finished }
            if let item = state.items.popLast() {
                state.active += 1
                return .item(item)
            }
            return state.active == 0 ? .finished : nil
        }
    }
}
