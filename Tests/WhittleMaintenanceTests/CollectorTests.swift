import Foundation
import Testing
import WhittleCache
import WhittleCore
import WhittleFileSystem
import WhittleOCI
import WhittleSnapshot
import WhittleStore

@testable import WhittleMaintenance

@Suite("The collector")
struct CollectorTests {
    /// a ← b ← c and d, used in the order c, d, b, a.
    static func fixture() throws -> StoreFixture {
        let store = try StoreFixture()
        try store.addSnapshot("step-a")
        try store.addSnapshot("step-b", over: "step-a")
        try store.addSnapshot("step-c", over: "step-b")
        try store.addSnapshot("step-d")
        for (name, time) in [("step-c", 1000), ("step-d", 2000), ("step-b", 3000), ("step-a", 500)] {
            try store.setUse(of: name, to: time)
        }
        return store
    }

    @Test("counts space as du(1) does")
    func usage() async throws {
        let store = try Self.fixture()
        try store.addBlob("blob")
        let collector = try Collector(storeAt: store.root)
        // Sizes are written to the database by the first call.
        _ = try await collector.inventory()
        #expect(try await collector.inventory().total.bytes == store.measured())
    }

    @Test("removes everything that is not kept, with its records")
    func everything() async throws {
        let store = try Self.fixture()
        let report = try await Collector(storeAt: store.root).collect(CollectionPolicy())
        #expect(report.removed.map(\.id.description) == ["step-c", "step-d", "step-b", "step-a"])
        #expect(try store.snapshots == [])
        #expect(try store.database.record(for: Digest(hashing: "step-a")) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.active) == [])
        #expect(report.excess == nil)
    }

    @Test("keeps the store below a limit, as du(1) measures it")
    func ceiling() async throws {
        let store = try Self.fixture()
        let collector = try Collector(storeAt: store.root)
        _ = try await collector.inventory()
        let limit = try store.measured() - 1
        let report = try await collector.collect(.ceiling(ByteCount(limit)))
        #expect(report.removed.map(\.id.description) == ["step-c"])
        #expect(try store.measured() <= limit)
        #expect(try await collector.collect(.ceiling(ByteCount(limit))).removed.isEmpty)
    }

    @Test("leaves what a living process holds, and takes it when the process has ended")
    func leases() async throws {
        let store = try Self.fixture()
        let collector = try Collector(storeAt: store.root)
        do {
            let build = try StoreFixture.Process(store.layout)
            #expect(try build.snapshots.exists(StoreFixture.id("step-b")))
            let report = try await collector.collect(.ceiling(0))
            #expect(report.removed.map(\.id.description) == ["step-c", "step-d"])
            #expect(try store.snapshots == ["step-a", "step-b"])
            #expect((report.excess?.inUse ?? .zero) > .zero)
            // Killed: its lock is free, its directory stays.
        }
        _ = try await collector.collect(.ceiling(0))
        #expect(try store.snapshots == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.active) == [])
    }

    @Test("leaves what a process commits while it plans")
    func newSnapshots() async throws {
        let store = try Self.fixture()
        let inventory = try await Collector(storeAt: store.root).inventory()
        let plan = CollectionPlan(inventory, CollectionPolicy())
        // Made by a build that has ended by the time of the removal.
        try store.addSnapshot("step-e", over: "step-b")
        let removal = try StoreRemoval(layout: store.layout, database: store.database, inventory: inventory)
        _ = try removal.remove(plan.victims, cancellation: Cancellation())
        #expect(try store.snapshots == ["step-a", "step-b", "step-e"])
    }

    @Test("leaves the blobs of named images, and takes those of images that lost their names")
    func images() async throws {
        let store = try StoreFixture()
        let image = try await store.addImage("app:1", layer: "layer of app")
        _ = try await store.addImage("other:1", layer: "layer of other")
        try store.addBlob("nobody's")
        let collector = try Collector(storeAt: store.root)
        let report = try await collector.collect(.ceiling(0))
        #expect(report.removed.map(\.id) == [.blob(Digest(hashing: "nobody's"))])
        #expect((report.excess?.named ?? .zero) > .zero)

        let names = ImageNames(store.layout)
        #expect(try await names.remove([ImageReference(parsing: "app:1")]).count == 1)
        let removed = try await collector.collectImages([image]).removed.map(\.id)
        // The configuration is also the other image's.
        #expect(Set(removed) == [.blob(image.digest), .blob(Digest(hashing: "layer of app"))])
        #expect(try await StoreCheck(storeAt: store.root).run(repairs: false).isClean)
    }

    @Test("keeps the blobs of an image without a name that the cache has a use for")
    func cachedLayers() async throws {
        let store = try Self.fixture()
        try store.writeLayer(of: "step-d")
        let layer = try #require(try store.database.recordedLayers()["step-d"]?.first?.layer.digest)
        let manifest = Manifest(
            config: Descriptor(mediaType: .ociConfiguration, digest: try store.addBlob("{}"), size: 2),
            layers: [Descriptor(mediaType: .ociLayer, digest: layer, size: 1)])
        try store.addBlob(String(decoding: manifest.encoded(), as: UTF8.self))
        let image = Descriptor(of: manifest.encoded(), as: .ociManifest)
        let removed = try await Collector(storeAt: store.root).collectImages([image]).removed.map(\.id)
        #expect(Set(removed) == Set([ObjectID.blob(image.digest), .blob(Digest(hashing: "{}"))]))
    }

    @Test("says what it would do in a dry run, and does nothing")
    func dryRun() async throws {
        let store = try Self.fixture()
        let report = try await Collector(storeAt: store.root).collect(CollectionPolicy(isDryRun: true))
        #expect(report.removed.count == 4)
        #expect(try store.snapshots.count == 4)
    }

    @Test("leaves a cache mount that a step uses, and takes it afterwards")
    func cacheMounts() async throws {
        let store = try StoreFixture()
        let mount = store.layout.cacheMounts + "/abc/0"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        let collector = try Collector(storeAt: store.root)
        let lock = try #require(try FileLock.tryAcquire(mount + ".lock", exclusive: false))
        #expect(try await collector.collect(.ceiling(0)).removed == [])
        lock.release()
        #expect(try await collector.collect(.ceiling(0)).removed.map(\.id) == [.cacheMount("abc/0")])
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.cacheMounts) == [])
    }

    @Test("never takes away what builds beside it look for and find")
    func besideBuilds() async throws {
        let store = try StoreFixture()
        let names = (0..<6).map { "step-\($0)" }
        for name in names { try store.addSnapshot(name, size: 10) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<20 { _ = try await Collector(storeAt: store.root).collect(.ceiling(0)) }
                }
            }
            for name in names {
                group.addTask {
                    for _ in 0..<20 {
                        let build = try StoreFixture.Process(store.layout)
                        let id = try StoreFixture.id(name)
                        if try build.snapshots.exists(id) {
                            await Task.yield()
                            let file = try build.snapshots.changes(of: id) + "/" + name
                            #expect(FileManager.default.fileExists(atPath: file))
                        } else {
                            try store.addSnapshot(name, size: 10)
                        }
                        try build.scratch.remove()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await StoreCheck(storeAt: store.root).run(repairs: false).problems == [])
    }
}

extension StoreFixture: @unchecked Sendable {
    // SAFETY: its properties never change after init, and are safe to use from many threads.
}
