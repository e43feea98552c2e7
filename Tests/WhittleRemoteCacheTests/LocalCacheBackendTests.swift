import Synchronization
import Testing
import WhittleCore
import WhittleFileSystem
import WhittleOCI
import WhittleRemoteCache
import WhittleStore
import WhittleTestKit

@Suite("LocalCacheBackend")
struct LocalCacheBackendTests {
    private let directory: TemporaryDirectory
    private let scratch: ProcessScratch
    private let blobs: BlobStore

    init() throws {
        directory = try TemporaryDirectory("cache")
        let layout = try StoreLayout(openingAt: directory("store"))
        scratch = try ProcessScratch(in: layout)
        blobs = BlobStore(layout, leases: scratch.leases)
    }

    private func backend(tag: String = "latest", resets: Bool = false) -> LocalCacheBackend {
        LocalCacheBackend(LocalCache(directory: directory("cache"), tag: tag, resets: resets))
    }

    /// A cache of one layer with these contents, and its blob.
    private func document(_ contents: String) throws -> (CacheDocument, CacheBlob) {
        let digest = try blobs.store(Array(contents.utf8), in: scratch)
        let descriptor = CacheDocument.descriptor(
            digest, mediaType: .ociLayer, size: Int64(contents.utf8.count), diffID: digest, created: nil)
        let config = CacheConfig(
            layers: [CacheConfig.Layer(blob: digest, parent: nil)],
            records: [
                CacheConfig.Record(
                    digest: Digest(hashing: "key"),
                    results: [CacheConfig.Result(layers: .chain(0), created: Timestamp(seconds: 1))])
            ])
        return (CacheDocument(config: config, descriptors: [digest: descriptor]), CacheBlob(descriptor, in: blobs))
    }

    private func contents(_ descriptor: Descriptor, of backend: LocalCacheBackend) async throws -> String {
        let bytes = Mutex<[UInt8]>([])
        try await backend.read(descriptor) { part in bytes.withLock { $0.append(contentsOf: part) } }
        return bytes.withLock { String(decoding: $0, as: UTF8.self) }
    }

    @Test("gives back what was written, each tag by itself, and keeps no other files")
    func roundTrip() async throws {
        let (document, blob) = try document("a layer")
        let backend = backend()
        #expect(try await backend.existing(among: [blob.descriptor]).isEmpty)
        try await backend.write(blob)
        try await backend.write(blob)
        #expect(try await backend.existing(among: [blob.descriptor]) == [blob.descriptor.digest])
        try await backend.save(document)
        let (other, otherBlob) = try self.document("another layer")
        let second = self.backend(tag: "second")
        try await second.write(otherBlob)
        try await second.save(other)
        #expect(try await backend.load() == [document])
        #expect(try await second.load() == [other])
        #expect(try await contents(blob.descriptor, of: backend) == "a layer")
        let names = try RootDirectory(directory("cache")).names(in: "/").map(\.description)
        #expect(names == ["blobs", "index.json", "oci-layout"])
        #expect(try RootDirectory(directory("cache")).names(in: "blobs/sha256").count == 6)
    }

    @Test("is removed as far as nothing leads to it, where that is asked for")
    func reset() async throws {
        let (old, oldBlob) = try document("old")
        try await backend().write(oldBlob)
        try await backend().save(old)
        let (new, newBlob) = try document("new")
        let resetting = backend(resets: true)
        try await resetting.write(newBlob)
        try await resetting.save(new)
        #expect(try await backend().load() == [new])
        #expect(try RootDirectory(directory("cache")).names(in: "blobs/sha256").count == 3)
    }

    @Test("says what is missing or damaged")
    func faults() async throws {
        var error = await #expect(throws: BuildError.self) { try await backend().load() }
        #expect(error?.code == .cacheNotFound)
        let (document, blob) = try document("a layer")
        try await backend().write(blob)
        try await backend().save(document)
        error = await #expect(throws: BuildError.self) { try await backend(tag: "none").load() }
        #expect(error?.hint == "it has: latest")
        try directory.write("cache/blobs/sha256/" + blob.descriptor.digest.hex, "b layer")
        error = await #expect(throws: BuildError.self) { try await contents(blob.descriptor, of: backend()) }
        #expect(error?.code.rawValue == "digest-mismatch")
        let config = Digest(hashing: document.config.encoded())
        try directory.write("cache/blobs/sha256/" + config.hex, "{}")
        error = await #expect(throws: BuildError.self) { try await backend().load() }
        #expect(error?.code == .cacheUnusable)
    }

    @Test("gives any part of a blob")
    func ranges() async throws {
        let (_, blob) = try document("0123456789")
        #expect(try await blob.bytes(in: 2..<5) == Array("234".utf8))
        await #expect(throws: BuildError.self) { try await blob.bytes(in: 5..<11) }
        let next = try await blob.open(at: 4)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { buffer.deallocate() }
        #expect(try next(buffer) == 6)
        #expect(try next(buffer) == 0)
    }
}
