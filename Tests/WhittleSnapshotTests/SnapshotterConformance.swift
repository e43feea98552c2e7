import Foundation
import Testing
import WhittleCore
import WhittleFileSystem
import WhittleSnapshot
import WhittleStore
import WhittleTestKit

/// What every ``Snapshotter`` promises. A suite for an implementation calls each function with a fresh one.
enum SnapshotterConformance {
    static func commitsAndStacks(_ snapshotter: some Snapshotter) throws {
        let base = SnapshotID.unique()
        let first = try snapshotter.prepare(parent: nil)
        #expect(first.lower.isEmpty)
        try "one".write(toFile: first.upper + "/file", atomically: false, encoding: .utf8)
        try snapshotter.commit(first, as: base)
        #expect(try snapshotter.exists(base))
        #expect(try snapshotter.parent(of: base) == nil)

        let top = SnapshotID.unique()
        let second = try snapshotter.prepare(parent: base)
        #expect(second.lower == (try snapshotter.layers(of: base)))
        try snapshotter.commit(second, as: top)
        #expect(try snapshotter.parent(of: top) == base)
        #expect(try snapshotter.layers(of: top).count == 2)
        #expect(try snapshotter.layers(of: top).last == (try snapshotter.changes(of: base)))
        let text = try String(contentsOfFile: snapshotter.changes(of: base) + "/file", encoding: .utf8)
        #expect(text == "one")
    }

    static func dropsActive(_ snapshotter: some Snapshotter) throws {
        let active = try snapshotter.prepare(parent: nil)
        try snapshotter.remove(active)
        #expect(!FileManager.default.fileExists(atPath: active.upper))
        try snapshotter.remove(active)
    }

    static func commitTwice(_ snapshotter: some Snapshotter) throws {
        let id = SnapshotID.unique()
        let first = try snapshotter.prepare(parent: nil)
        try "first".write(toFile: first.upper + "/file", atomically: false, encoding: .utf8)
        let second = try snapshotter.prepare(parent: nil)
        try snapshotter.commit(first, as: id)
        try snapshotter.commit(second, as: id)
        let text = try String(contentsOfFile: snapshotter.changes(of: id) + "/file", encoding: .utf8)
        #expect(text == "first")
        #expect(!FileManager.default.fileExists(atPath: second.upper))
    }

    static func movesChanges(_ snapshotter: some Snapshotter) throws {
        let base = SnapshotID.unique()
        try snapshotter.commit(try snapshotter.prepare(parent: nil), as: base)
        let linked = SnapshotID.unique()
        let active = try snapshotter.prepare(parent: nil)
        try "linked".write(toFile: active.upper + "/file", atomically: false, encoding: .utf8)
        try snapshotter.commit(active, as: linked)
        let merged = SnapshotID.unique()
        try snapshotter.commit(changesOf: linked, over: base, as: merged)
        #expect(try snapshotter.parent(of: merged) == base)
        #expect(try snapshotter.changes(of: merged) == (try snapshotter.changes(of: linked)))
        #expect(try snapshotter.layers(of: merged).count == 2)
    }

    static func refusesMissing(_ snapshotter: some Snapshotter) throws {
        let missing = SnapshotID.unique()
        #expect(try !snapshotter.exists(missing))
        do {
            _ = try snapshotter.prepare(parent: missing)
            Issue.record("prepared over a snapshot that is not there")
        } catch {
            #expect(error.code.rawValue == "snapshot-missing")
        }
    }
}

@Suite("OverlaySnapshotter")
struct OverlaySnapshotterTests {
    static func withSnapshotter<Value>(
        boot: String? = nil, _ body: (OverlaySnapshotter, StoreLayout) throws -> Value
    ) throws -> Value {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-snap-\(UUID().uuidString)")
            .path
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(atPath: root)
        }
        let layout = try StoreLayout(openingAt: root)
        let scratch = try ProcessScratch(in: layout)
        return try body(try OverlaySnapshotter(layout, scratch: scratch, boot: boot), layout)
    }

    @Test("commits and stacks") func commits() throws {
        try Self.withSnapshotter { snapshotter, _ in try SnapshotterConformance.commitsAndStacks(snapshotter) }
    }
    @Test("drops an active snapshot, also twice") func drops() throws {
        try Self.withSnapshotter { snapshotter, _ in try SnapshotterConformance.dropsActive(snapshotter) }
    }
    @Test("a second commit of an ID is dropped") func twice() throws {
        try Self.withSnapshotter { snapshotter, _ in try SnapshotterConformance.commitTwice(snapshotter) }
    }
    @Test("puts changes over another parent") func moves() throws {
        try Self.withSnapshotter { snapshotter, _ in try SnapshotterConformance.movesChanges(snapshotter) }
    }
    @Test("refuses a parent that is not there") func missing() throws {
        try Self.withSnapshotter { snapshotter, _ in try SnapshotterConformance.refusesMissing(snapshotter) }
    }

    @Test("a snapshot of an earlier boot counts only if it was marked as written back")
    func earlierBoot() throws {
        try Self.withSnapshotter(boot: "first") { snapshotter, layout in
            let lost = SnapshotID.unique()
            let kept = SnapshotID.unique()
            for id in [lost, kept] { try snapshotter.commit(try snapshotter.prepare(parent: nil), as: id) }
            try "".write(toFile: layout.snapshots + "/\(kept)/synced", atomically: false, encoding: .utf8)
            let later = try OverlaySnapshotter(layout, scratch: ProcessScratch(in: layout), boot: "second")
            #expect(try later.exists(kept))
            #expect(try !later.exists(lost))
            // And it can be made again under its name.
            try later.commit(try later.prepare(parent: nil), as: lost)
            #expect(try later.exists(lost))
        }
    }

    @Test(
        "damaged metadata makes a snapshot count as missing",
        arguments: ["", "{", #"{"boot":1}"#, #"{"boot":"b","created":1,"parent":"../x"}"#])
    func damaged(text: String) throws {
        try Self.withSnapshotter(boot: "b") { snapshotter, layout in
            let id = SnapshotID.unique()
            try FileManager.default.createDirectory(
                atPath: layout.snapshots + "/\(id)/fs", withIntermediateDirectories: true)
            try text.write(toFile: layout.snapshots + "/\(id)/meta.json", atomically: false, encoding: .utf8)
            #expect(try !snapshotter.exists(id))
        }
    }

    @Test(
        "names that are no file names are refused",
        arguments: ["", "a/b", "..", ".", "a b", String(repeating: "a", count: 129)])
    func identifiers(text: String) {
        #expect(SnapshotID(rawValue: text) == nil)
    }

    @Test(
        "mounted, a snapshot shows its parents, and what changes there becomes its own",
        .enabled(if: isRoot, "needs root"))
    func mounted() throws {
        try Self.withSnapshotter { snapshotter, layout in
            let base = SnapshotID.unique()
            let first = try snapshotter.prepare(parent: nil)
            for name in ["kept", "changed", "removed"] { try Self.write(name, to: first.upper + "/" + name) }
            try snapshotter.commit(first, as: base)
            let id = SnapshotID.unique()
            let second = try snapshotter.prepare(parent: base)
            let target = layout.root + "/at"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
            try Mount.overlay(lower: second.lower, upper: second.upper, work: second.work, at: target)
            let result = Result {
                try Self.write("new", to: target + "/changed")
                try FileManager.default.removeItem(atPath: target + "/removed")
            }
            try Mount.unmount(target)
            try result.get()
            try snapshotter.commit(second, as: id)
            let changes = try FileManager.default.contentsOfDirectory(atPath: snapshotter.changes(of: id)).sorted()
            #expect(changes == ["changed", "removed"])
            try Mount.readOnlyOverlay(snapshotter.layers(of: id), at: target)
            let seen = Result { try FileManager.default.contentsOfDirectory(atPath: target).sorted() }
            try Mount.unmount(target)
            #expect(try seen.get() == ["changed", "kept"])
            let old = try String(contentsOfFile: snapshotter.changes(of: base) + "/changed", encoding: .utf8)
            #expect(old == "changed")
        }
    }

    private static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    @Test("more layers than the kernel mounts are an error")
    func depth() throws {
        try Self.withSnapshotter { snapshotter, _ in
            var parent: SnapshotID?
            for _ in 0..<500 {
                let id = SnapshotID.unique()
                try snapshotter.commit(try snapshotter.prepare(parent: parent), as: id)
                parent = id
            }
            do {
                _ = try snapshotter.prepare(parent: parent)
                Issue.record("prepared the 501st layer")
            } catch {
                #expect((error as? BuildError)?.code.rawValue == "snapshot-too-deep")
            }
        }
    }
}
