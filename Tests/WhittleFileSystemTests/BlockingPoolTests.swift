import Synchronization
import Testing

@testable import WhittleFileSystem

@Suite("BlockingPool")
struct BlockingPoolTests {
    private final class Counts: Sendable {
        let value = Mutex((active: 0, most: 0))
    }

    private struct Failure: Error, Equatable { let index: Int }

    @Test("gives back what the work returns or throws")
    func results() async throws {
        let pool = BlockingPool(limit: 2)
        #expect(try await pool.run { 42 } == 42)
        await #expect(throws: Failure(index: 1)) { try await pool.run { throw Failure(index: 1) } }
    }

    @Test("runs no more at once than its limit, and all in the end")
    func limit() async throws {
        let pool = BlockingPool(limit: 3)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await pool.run {
                        counts.value.withLock { counts in
                            counts.active += 1
                            counts.most = max(counts.most, counts.active)
                        }
                        counts.value.withLock { $0.active -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.value.withLock { $0.most } <= 3)
        #expect(counts.value.withLock { $0.active } == 0)
    }

    @Test("does not begin work of a cancelled task")
    func cancelledBefore() async throws {
        let pool = BlockingPool(limit: 1)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await pool.run { true }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("tells running work that its task was cancelled", .timeLimit(.minutes(1)))
    func cancelledDuring() async throws {
        let pool = BlockingPool(limit: 1)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await pool.runCancellable { cancellation in
                start.finish()
                while true { try cancellation.check() }
            }
        }
        for await _ in started {}
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("hands out each index once", arguments: [1, 2, 8])
    func forEach(threads: Int) throws {
        let counts = Mutex([Int](repeating: 0, count: 1000))
        try BlockingPool(limit: 4).forEach(below: 1000, threads: threads) { index in
            counts.withLock { $0[index] += 1 }
        }
        #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test("stops handing out indices after an error, and rethrows it")
    func forEachFails() {
        let calls = Atomic(0)
        #expect(throws: Failure(index: 3)) {
            try BlockingPool(limit: 4).forEach(below: 1_000_000, threads: 2) { index in
                calls.add(1, ordering: .relaxed)
                if index == 3 { throw Failure(index: index) }
            }
        }
        #expect(calls.load(ordering: .relaxed) < 1_000_000)
    }

    @Test("does the work itself where every thread is busy", .timeLimit(.minutes(1)))
    func forEachWhileBusy() async throws {
        let pool = BlockingPool(limit: 1)
        let count = try await pool.run {
            let sum = Atomic(0)
            try pool.forEach(below: 10, threads: 4) { _ in sum.add(1, ordering: .relaxed) }
            return sum.load(ordering: .relaxed)
        }
        #expect(count == 10)
    }
}
