import Synchronization
import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("RegistryImageSource.read", .timeLimit(.minutes(1)))
struct BlobTests {
    let registry: TestRegistry
    let fixture: RegistryFixture
    let source: RegistryImageSource
    // Made once: making it takes a second in a debug build.
    static let contents = noise(3_000_000)
    let contents = Self.contents
    let blob: Descriptor
    let collector = Collector()

    init() throws {
        registry = try TestRegistry()
        fixture = try RegistryFixture()
        source = try fixture.source("\(registry.host)/app:1")
        blob = registry.add(blob: contents)
    }

    @Test("streams the blob in pieces, in order")
    func whole() async throws {
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == contents)
    }

    @Test("goes on where the connection was cut, and the sink sees each byte once")
    func resume() async throws {
        registry.inject(.cut(after: 1_000_000), on: "/blobs/", times: 2)
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == contents)
        let ranges = registry.requests.filter { $0.path.contains("/blobs/") }.map { $0.headers["range"] }
        #expect(ranges.count == 3)
        #expect(ranges[0] == nil)
        #expect(ranges[1] == "bytes=1000000-")
        #expect(ranges[2] == "bytes=2000000-")
    }

    @Test("a download that makes progress may be cut more often than it may fail")
    func manyCuts() async throws {
        registry.inject(.cut(after: 200_000), on: "/blobs/", times: 12)
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == contents)
    }

    @Test("skips what it has where the server ignores the range")
    func ignoredRange() async throws {
        registry.inject(.cut(after: 1_000_000), on: "/blobs/")
        registry.inject(.ignoredRange, on: "/blobs/")
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == contents)
    }

    @Test("refuses a part that does not begin where it should")
    func gap() async throws {
        registry.inject(.cut(after: 1_000_000), on: "/blobs/")
        registry.inject(.header("Content-Range", "bytes 1000001-2999999/3000000"), on: "/blobs/")
        let error = await #expect(throws: BuildError.self) { try await source.read(blob, into: collector.sink) }
        #expect(error?.code == .registryFailed)
        #expect(error?.message.hasSuffix("a part of a blob that does not begin where it was asked to") == true)
    }

    @Test("gives up on a server that cuts every answer at once")
    func hopeless() async throws {
        registry.inject(.cut(after: 0), on: "/blobs/", times: 100)
        let error = await #expect(throws: BuildError.self) { try await source.read(blob, into: collector.sink) }
        #expect(error?.code == .registryFailed)
        #expect(error?.message.contains("the transfer from \(registry.host)/app failed") == true)
        #expect(fixture.waits.all.count == 4)
    }

    @Test("content that does not hash to the digest is an error that names both")
    func corruption() async throws {
        registry.inject(.corruption, on: "/blobs/", times: 10)
        let error = await #expect(throws: BuildError.self) { try await source.read(blob, into: collector.sink) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message.contains("blob \(blob.digest.short) from \(registry.host)/app is damaged") == true)
    }

    @Test("a blob of another length is refused at its head", arguments: [2_999_999, 3_000_001])
    func wrongLength(_ length: Int) async throws {
        registry.inject(.body([UInt8](repeating: 1, count: length)), on: "/blobs/", times: 10)
        let error = await #expect(throws: BuildError.self) { try await source.read(blob, into: collector.sink) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message.hasSuffix("expected 3000000 bytes, received \(length)") == true)
        #expect(collector.bytes.isEmpty)
    }

    @Test("a missing blob names the blob and the registry")
    func missing() async throws {
        let missing = Descriptor(of: Array("x".utf8), as: .ociLayer)
        let error = await #expect(throws: BuildError.self) { try await source.read(missing, into: collector.sink) }
        #expect(error?.code == .imageNotFound)
        #expect(
            error?.message == "\(registry.host)/app has no blob \(missing.digest), though the image's manifest names it"
        )
    }

    @Test("an error of the sink ends the transfer and is thrown as it is")
    func sinkError() async throws {
        struct DiskFull: Error {}
        await #expect(throws: DiskFull.self) { try await source.read(blob) { _ in throw DiskFull() } }
        #expect(registry.requests.filter { $0.path.contains("/blobs/") }.count == 1)
        let error = await #expect(throws: BuildError.self) {
            try await source.read(blob) { _ in throw BuildError(BuildError.Code(rawValue: "disk"), "full") }
        }
        #expect(error?.code.rawValue == "disk")
    }

    @Test("a cancelled task stops waiting for a silent server at once")
    func cancellation() async throws {
        registry.inject(.silence, on: "/blobs/")
        let (blob, source, collector) = (blob, source, collector)
        let task = Task { try await source.read(blob, into: collector.sink) }
        while !registry.requests.contains(where: { $0.path.contains("/blobs/") }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("a slow sink slows the transfer down instead of filling the memory")
    func backPressure() async throws {
        let largest = Mutex(0)
        let total = Mutex(0)
        try await source.read(blob) { bytes in
            largest.withLock { $0 = max($0, bytes.count) }
            total.withLock { $0 += bytes.count }
        }
        #expect(total.withLock { $0 } == contents.count)
        #expect(largest.withLock { $0 } <= 256 << 10)
    }

    @Test("a body in very many pieces is read in bounded stack and memory")
    func manyPieces() async throws {
        let bytes = noise(50_000)
        let blob = registry.add(blob: bytes)
        registry.inject(.pieces(of: 1), on: "/blobs/")
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == bytes)
    }

    @Test("a body without a length that ends too early is asked for again")
    func shortWithoutLength() async throws {
        let bytes = noise(10_000)
        let blob = registry.add(blob: bytes)
        registry.inject(.pieces(of: 100, upTo: 4000), on: "/blobs/")
        try await source.read(blob, into: collector.sink)
        #expect(collector.bytes == bytes)
        #expect(registry.requests.last?.headers["range"] == "bytes=4000-")
    }

    @Test("an empty blob is read without a byte")
    func empty() async throws {
        let empty = registry.add(blob: [])
        try await source.read(empty, into: collector.sink)
        #expect(collector.bytes.isEmpty)
    }

    @Test("many blobs come side by side")
    func parallel() async throws {
        let blobs = (1...20).map { registry.add(blob: noise($0 * 10_000)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for blob in blobs {
                group.addTask {
                    let collector = Collector()
                    try await source.read(blob, into: collector.sink)
                    #expect(Digest(hashing: collector.bytes) == blob.digest)
                }
            }
            try await group.waitForAll()
        }
    }
}
