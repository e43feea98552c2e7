import Foundation
import Testing
import WhittleCache
import WhittleCore
import WhittleOCI
import WhittleSnapshot
import WhittleStore

@testable import WhittleMaintenance

@Suite("A check of the store")
struct StoreCheckTests {
    /// A store with a bit of everything, and nothing wrong.
    static func fixture() async throws -> StoreFixture {
        let store = try StoreFixture()
        try store.addSnapshot("chain-" + Digest(hashing: "base").hex)
        try store.addSnapshot("step-a", over: "chain-" + Digest(hashing: "base").hex)
        try store.addSnapshot("step-b", over: "step-a")
        try store.writeLayer(of: "step-a")
        _ = try await store.addImage("app:1", layer: "layer of app")
        return store
    }

    static func findings(_ store: StoreFixture, repairs: Bool = false) async throws -> [String] {
        try await StoreCheck(storeAt: store.root).run(repairs: repairs).problems.map {
            "\($0.subject): \($0.finding)\($0.outcome == .removed ? " (removed)" : "")"
        }
    }

    @Test("finds nothing wrong with a sound store, and counts what it has")
    func clean() async throws {
        let store = try await Self.fixture()
        let report = try await StoreCheck(storeAt: store.root).run(repairs: false)
        #expect(report.problems == [])
        #expect((report.blobCount, report.snapshotCount, report.imageCount) == (4, 3, 1))
    }

    @Test("finds a blob with other bytes, and the image that lost it")
    func damagedBlob() async throws {
        let store = try await Self.fixture()
        let layer = Digest(hashing: "layer of app")
        try Data("other".utf8).write(to: URL(fileURLWithPath: store.layout.blobs + "/" + layer.hex))
        let expected = [
            "blob \(layer): its 5 bytes have the digest \(Digest(hashing: "other"))",
            "image docker.io/library/app:1: it lacks \(layer)",
        ]
        #expect(try await Self.findings(store) == expected)
        #expect(try await Self.findings(store, repairs: true) == expected.map { $0 + " (removed)" })
        #expect(try await Self.findings(store) == [])
        #expect(try ImageNames(store.layout).entries() == [])
    }

    @Test("finds a file among the blobs that is none")
    func strangeBlob() async throws {
        let store = try await Self.fixture()
        try Data().write(to: URL(fileURLWithPath: store.layout.blobs + "/notes.txt"))
        #expect(
            try await Self.findings(store, repairs: true)
                == ["blob sha256:notes.txt: its name is no digest (removed)"])
        #expect(try await Self.findings(store) == [])
    }

    @Test("finds a changed snapshot by the layer that was written of it, and what stands on it")
    func changedSnapshot() async throws {
        let store = try await Self.fixture()
        try Data("other".utf8).write(to: URL(fileURLWithPath: store.layout.snapshots + "/step-a/fs/step-a"))
        let expected = [
            "snapshot step-a: its files changed after it was made",
            "snapshot step-b: it stands on the damaged snapshot step-a",
        ]
        #expect(try await Self.findings(store) == expected)
        #expect(try await Self.findings(store, repairs: true) == expected.map { $0 + " (removed)" })
        #expect(try store.snapshots.count == 1)
        #expect(try await Self.findings(store) == [])
        #expect(try store.database.record(for: Digest(hashing: "step-b")) == nil)
    }

    @Test("finds snapshots that are not whole")
    func brokenSnapshots() async throws {
        let store = try await Self.fixture()
        try Data("{".utf8).write(to: URL(fileURLWithPath: store.layout.snapshots + "/step-b/meta.json"))
        try FileManager.default.removeItem(atPath: store.layout.snapshots + "/step-a/fs")
        let expected = [
            "snapshot step-a: its files are missing", "snapshot step-b: its 'meta.json' is missing or damaged",
        ]
        #expect(try await Self.findings(store) == expected)
        #expect(try await Self.findings(store, repairs: true).count == 2)
        #expect(try await Self.findings(store) == [])
    }

    @Test("finds a snapshot whose parent is gone")
    func orphan() async throws {
        let store = try await Self.fixture()
        try FileManager.default.removeItem(atPath: store.layout.snapshots + "/step-a")
        #expect(
            try await Self.findings(store)
                == ["snapshot step-b: it stands on the snapshot step-a, which is missing"])
    }

    @Test("finds an index that is none, and puts it away")
    func damagedIndex() async throws {
        let store = try await Self.fixture()
        try Data("no".utf8).write(to: URL(fileURLWithPath: store.layout.imageIndex))
        let found = try await Self.findings(store, repairs: true)
        #expect(found.count == 1 && found[0].hasPrefix("index.json: ") && found[0].hasSuffix("(removed)"))
        #expect(try await Self.findings(store) == [])
    }

    @Test("finds a damaged database and begins another")
    func damagedDatabase() async throws {
        let store = try await Self.fixture()
        // Pages behind the first one: the file still opens as a database.
        let path = store.layout.database
        try store.database.compact()
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: 4096)
        try file.write(contentsOf: Data(repeating: 0xa5, count: Int(size) - 4096))
        try file.close()
        let found = try await Self.findings(store, repairs: true)
        #expect(!found.isEmpty && found.allSatisfy { $0.hasPrefix("whittle.db: ") && $0.hasSuffix("(removed)") })
        #expect(try await Self.findings(store) == [])
    }

    @Test("tells of what a killed process left without calling it a problem")
    func leftovers() async throws {
        let store = try await Self.fixture()
        do { _ = try StoreFixture.Process(store.layout) }
        let report = try await StoreCheck(storeAt: store.root).run(repairs: false)
        #expect(report.problems == [])
        #expect(
            report.notes == ["a process that was killed left a directory in 'active': the next build removes that"])
        _ = try await StoreCheck(storeAt: store.root).run(repairs: true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layout.active) == [])
    }

    @Test("does not drop what a running build uses")
    func inUse() async throws {
        let store = try await Self.fixture()
        let build = try StoreFixture.Process(store.layout)
        #expect(try build.snapshots.exists(StoreFixture.id("step-b")))
        try Data("other".utf8).write(to: URL(fileURLWithPath: store.layout.snapshots + "/step-a/fs/step-a"))
        let report = try await StoreCheck(storeAt: store.root).run(repairs: true)
        #expect(report.problems.map(\.outcome) == [.inUse, .inUse])
        #expect(report.hasUnrepaired)
        try build.scratch.remove()
    }
}
