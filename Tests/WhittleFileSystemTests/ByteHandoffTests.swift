import Testing
import WhittleFileSystem

@Suite("Handing bytes from one thread to another")
struct ByteHandoffTests {
    private struct Failure: Error {}

    private static func read(_ handoff: ByteHandoff, pieces: Int = 1000) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: pieces)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try handoff.read(into: $0) }
            if count == 0 { return all }
            all += buffer[..<count]
        }
    }

    @Test(
        "all bytes arrive in order, whatever the sizes of the pieces", .timeLimit(.minutes(1)), arguments: [1, 7, 4096])
    func order(_ size: Int) async throws {
        let handoff = ByteHandoff()
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        async let written: Void = BlockingPool.shared.run {
            for start in stride(from: 0, to: bytes.count, by: 999) {
                try bytes[start..<min(start + 999, bytes.count)].withUnsafeBytes { try handoff.write($0) }
            }
            handoff.finish(.success(()))
        }
        let read = try await BlockingPool.shared.run { try Self.read(handoff, pieces: size) }
        try await written
        #expect(read == bytes)
    }

    @Test("an error of the writer reaches the reader", .timeLimit(.minutes(1)))
    func failure() async throws {
        let handoff = ByteHandoff()
        handoff.finish(.failure(Failure()))
        handoff.finish(.success(()))
        await #expect(throws: Failure.self) { try await BlockingPool.shared.run { try Self.read(handoff) } }
    }

    @Test("a reader that goes away ends the writing", .timeLimit(.minutes(1)))
    func closed() async throws {
        let handoff = ByteHandoff()
        // Awaited below.
        let writing = Task {
            try await BlockingPool.shared.run {
                while true { try [1, 2, 3].withUnsafeBytes { try handoff.write($0) } }
            }
        }
        handoff.close()
        await #expect(throws: ByteHandoff.Closed.self) { try await writing.value }
    }
}
