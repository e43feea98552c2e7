import Foundation
import Testing
import WhittleCore
import WhittleFileSystem
import WhittleOCI

@testable import WhittleStore

@Suite("Store")
struct StoreTests {
    static func withStore<Value>(_ body: (StoreLayout) async throws -> Value) async throws -> Value {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-store-\(UUID().uuidString)")
            .path
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(atPath: root)
        }
        return try await body(try StoreLayout(openingAt: root))
    }

    @Test("is made with everything missing above it, and opened again")
    func opens() async throws {
        try await Self.withStore { layout in
            #expect(try StoreLayout(openingAt: layout.root) == layout)
            #expect(FileManager.default.fileExists(atPath: layout.blobs))
            let nested = try StoreLayout(openingAt: layout.root + "/a/b/c")
            #expect(FileManager.default.fileExists(atPath: nested.snapshots))
        }
    }

    @Test("of another version is refused")
    func version() async throws {
        try await Self.withStore { layout in
            try "2\n".write(toFile: layout.root + "/version", atomically: false, encoding: .utf8)
            #expect(Self.code { try StoreLayout(openingAt: layout.root) } == "store-version")
        }
    }

    @Test("in the place of a file is an error that says how to choose another")
    func unusable() throws {
        do {
            _ = try StoreLayout(openingAt: "/dev/null/store")
            Issue.record("opened")
        } catch {
            #expect(error.code.rawValue == "store-unusable")
            #expect(error.hint?.contains("--root") == true)
        }
    }

    private static func code<Value>(_ body: () throws -> Value) -> String? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? BuildError)?.code.rawValue }
    }

    @Test("a blob is found by its digest, whole")
    func blob() async throws {
        try await Self.withStore { layout in
            let store = BlobStore(layout)
            let scratch = try ProcessScratch(in: layout)
            let bytes = Array("hello".utf8)
            let digest = try store.store(bytes, in: scratch)
            #expect(digest == Digest(hashing: "hello"))
            #expect(try store.bytes(of: digest) == bytes)
            #expect(try store.has(digest, size: 5))
            #expect(try !store.has(digest, size: 6))
            #expect(try store.size(of: Digest(hashing: "other")) == nil)
            #expect(Self.code { try store.bytes(of: Digest(hashing: "other")) } == "blob-missing")
            try "jello".write(toFile: store.path(of: digest), atomically: false, encoding: .utf8)
            #expect(Self.code { try store.bytes(of: digest) } == "blob-mismatch")
        }
    }

    @Test("a blob of another digest or size is not kept")
    func mismatch() async throws {
        try await Self.withStore { layout in
            let store = BlobStore(layout)
            let scratch = try ProcessScratch(in: layout)
            let write: () throws -> BlobWriter = {
                let writer = try store.ingest(in: scratch)
                try Array("hello".utf8).withUnsafeBytes { try writer.write($0) }
                return writer
            }
            #expect(Self.code { try write().commit(expecting: Digest(hashing: "jello")) } == "blob-mismatch")
            #expect(Self.code { try write().commit(size: 4) } == "blob-mismatch")
            try write().cancel()
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
            #expect(try store.size(of: Digest(hashing: "hello")) == nil)
            #expect(try write().commit(expecting: Digest(hashing: "hello"), size: 5) == Digest(hashing: "hello"))
        }
    }

    @Test("what a dead process left is swept, what a living one has stays")
    func sweep() async throws {
        try await Self.withStore { layout in
            let living = try ProcessScratch(in: layout)
            let left = layout.active + "/999999-left"
            try FileManager.default.createDirectory(atPath: left + "/snapshot-1/fs", withIntermediateDirectories: true)
            #expect(try ProcessScratch.sweep(layout) == 1)
            #expect(!FileManager.default.fileExists(atPath: left))
            #expect(FileManager.default.fileExists(atPath: living.path))
            try living.remove()
            #expect(try FileManager.default.contentsOfDirectory(atPath: layout.active).isEmpty)
        }
    }

    @Test("processes that start while another sweeps get a directory each", .timeLimit(.minutes(2)))
    func startsDuringSweep() async throws {
        try await Self.withStore { layout in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask { for _ in 0..<200 { try ProcessScratch.sweep(layout) } }
                    group.addTask {
                        for _ in 0..<200 {
                            let scratch = try ProcessScratch(in: layout)
                            _ = try scratch.makeDirectory("snapshot")
                            try scratch.remove()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: layout.active).isEmpty)
        }
    }

    @Test("a process whose new lock a sweep took first goes on with another name")
    func lockTakenBySweep() async throws {
        try await Self.withStore { layout in
            let sweeping = try FileLock.tryAcquire(layout.active + "/first.lock")
            var names = ["second", "first"]
            let scratch = try ProcessScratch(in: layout) { names.removeLast() }
            #expect(scratch.path == layout.active + "/second")
            #expect(FileManager.default.fileExists(atPath: scratch.path))
            withExtendedLifetime(sweeping) {}
        }
    }

    @Test("a lock excludes others until it is released", .timeLimit(.minutes(1)))
    func locks() async throws {
        try await Self.withStore { layout in
            let first = try await layout.lock("key")
            let second = Task { try await layout.lock("key") }
            let third = try await layout.lock("another key")
            third.release()
            first.release()
            try await second.value.release()
            first.release()
            let size = try FileManager.default.attributesOfItem(atPath: layout.keyLocks)[.size] as? Int
            #expect(size == 0)
        }
    }

    @Test("many tasks that count under one lock count right, and waiting ends with the task", .timeLimit(.minutes(1)))
    func lockExcludes() async throws {
        try await Self.withStore { layout in
            let file = layout.root + "/count"
            try Data("0".utf8).write(to: URL(fileURLWithPath: file))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let lock = try await layout.lock("count")
                        defer { lock.release() }
                        let count = try Int(String(contentsOfFile: file, encoding: .utf8)) ?? -1000
                        await Task.yield()
                        try Data("\(count + 1)".utf8).write(to: URL(fileURLWithPath: file))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "20")

            let held = try await layout.lock("held")
            let waiting = Task { try await layout.lock("held") }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            held.release()
        }
    }

    @Test("names move to the image that got them last, and can be taken away")
    func names() async throws {
        try await Self.withStore { layout in
            let names = ImageNames(layout)
            let image = Descriptor(of: Array("one".utf8), as: .ociManifest)
            let other = Descriptor(of: Array("two".utf8), as: .ociManifest)
            let app = try ImageReference(parsing: "app:1")
            let latest = try ImageReference(parsing: "app")
            try await names.set([app, latest], to: image)
            try await names.set([latest], to: other)
            #expect(try names.descriptor(of: app)?.digest == image.digest)
            #expect(try names.descriptor(of: latest)?.digest == other.digest)
            #expect(try names.entries().count == 2)
            #expect(try await names.remove([app]) == [app])
            #expect(try await names.remove([app]).isEmpty)
            #expect(try names.entries().map(\.name) == [latest])
        }
    }

    @Test("a damaged list of names is an error, not an empty list")
    func damagedNames() async throws {
        try await Self.withStore { layout in
            try "{".write(toFile: layout.imageIndex, atomically: false, encoding: .utf8)
            #expect(Self.code { try ImageNames(layout).entries() } == "image-index-corrupt")
        }
    }

    @Test("names given at once by many tasks are all kept", .timeLimit(.minutes(1)))
    func concurrentNames() async throws {
        try await Self.withStore { layout in
            let image = Descriptor(of: Array("one".utf8), as: .ociManifest)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await ImageNames(layout).set([ImageReference(parsing: "app:\(index)")], to: image)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try ImageNames(layout).entries().count == 20)
        }
    }
}
