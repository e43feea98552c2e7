import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("ContentDigester, FileIndex")
struct ContentDigesterTests {
    private let fixture: CopyFixture

    init() throws {
        fixture = try CopyFixture()
        try fixture.source("d/a=1", "d/sub/b=2", "other=3")
        try fixture.directory.link("source/d/l", to: "a")
    }

    private func digest(_ source: String = "d", _ kind: SourceTree.Kind = .context, index: FileIndex? = nil) throws
        -> Digest
    {
        try ContentDigester.digest(of: fixture.plan([source], in: fixture.tree(kind, index: index)))
    }

    /// A change of the source, and whether the digest must show it.
    struct Change: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let isSeen: Bool
        let apply: @Sendable (CopyFixture) throws -> Void
    }

    @Test(
        "changes with what the copy would write, and with nothing else",
        arguments: [
            Change(testDescription: "contents", isSeen: true) { try $0.source("d/a=9") },
            Change(testDescription: "contents below", isSeen: true) { try $0.source("d/sub/b=9") },
            Change(testDescription: "new file", isSeen: true) { try $0.source("d/sub/c=") },
            Change(testDescription: "new empty directory", isSeen: true) { try $0.source("d/e/") },
            Change(testDescription: "renamed", isSeen: true) {
                try Syscall.rename($0.directory("source/d/a"), to: $0.directory("source/d/a2"))
            },
            Change(testDescription: "moved into another directory", isSeen: true) {
                try Syscall.rename($0.directory("source/d/a"), to: $0.directory("source/d/sub/a"))
            },
            Change(testDescription: "mode of a file", isSeen: true) {
                try Syscall.changeMode($0.directory("source/d/a"), to: 0o755)
            },
            Change(testDescription: "mode of a directory", isSeen: true) {
                try Syscall.changeMode($0.directory("source/d/sub"), to: 0o700)
            },
            Change(testDescription: "target of a link", isSeen: true) {
                try Syscall.unlink($0.directory("source/d/l"))
                try $0.directory.link("source/d/l", to: "b")
            },
            Change(testDescription: "file instead of link", isSeen: true) {
                try Syscall.unlink($0.directory("source/d/l"))
                try $0.source("d/l=a")
            },
            Change(testDescription: "attribute", isSeen: true) {
                try Syscall.open($0.directory("source/d/a"), .readOnly).withDescriptor {
                    try ExtendedAttributes.set(ExtendedAttribute(name: "user.x", value: [1]), on: $0)
                }
            },
            Change(testDescription: "time", isSeen: false) {
                try Syscall.changeTimes($0.directory("source/d/a"), to: FileTime(seconds: 5))
            },
            Change(testDescription: "file elsewhere", isSeen: false) { try $0.source("other=9") },
            Change(testDescription: "owner in a context", isSeen: false) {
                if isRoot { try Syscall.changeOwner($0.directory("source/d/a"), to: FileOwner(uid: 7, gid: 7)) }
            },
        ])
    func sensitive(_ change: Change) throws {
        let before = try digest()
        #expect(try digest() == before)
        try change.apply(fixture)
        #expect(try (digest() != before) == change.isSeen)
    }

    @Test("knows owners of an image", .enabled(if: isRoot, "needs root"))
    func imageOwner() throws {
        let before = try digest("d", .image)
        try Syscall.changeOwner(fixture.directory("source/d/a"), to: FileOwner(uid: 7, gid: 7))
        #expect(try digest("d", .image) != before)
    }

    @Test("tells neighbouring names and contents apart")
    func framing() throws {
        try fixture.source("x/ab=", "x/c=", "y/a=", "y/bc=")
        #expect(try digest("x") != digest("y"))
    }

    /// The digest of everything, of a tree that claims to be listed later than it is: instead of waiting until no file
    /// counts as just changed.
    private func indexed(_ index: FileIndex, secondsLater: Int64 = 10) throws -> (digest: Digest, tree: SourceTree) {
        let now = FileTime.now
        let root = try RootDirectory(fixture.directory("source"), rule: .contained)
        let tree = SourceTree(
            root, kind: .context, index: index,
            at: FileTime(seconds: now.seconds + secondsLater, nanoseconds: now.nanoseconds))
        return (try ContentDigester.digest(of: fixture.plan(["."], in: tree)), tree)
    }

    @Test("does not read files again that the index knows")
    func usesIndex() throws {
        let path = fixture.directory("index")
        let first = try indexed(FileIndex(path))
        try FileIndex(path).save(first.tree)
        let second = try indexed(FileIndex(path))
        #expect(second.digest == first.digest)
        let root = try second.tree.rootDirectory()
        #expect(!root.isChanged && root.children.allSatisfy { !$0.isChanged })
        #expect(first.tree.loadedRoot?.isChanged == true)
    }

    @Test("reads a file again that changed, and forgets those that are gone")
    func noticesChanges() throws {
        let path = fixture.directory("index")
        let first = try indexed(FileIndex(path))
        try FileIndex(path).save(first.tree)
        try fixture.source("d/a=changed")
        try TreeRemoval.remove(fixture.directory("source/d/sub"))
        let second = try indexed(FileIndex(path))
        #expect(second.digest != first.digest)
        try FileIndex(path).save(second.tree)
        let table = try #require(FileIndexTable(FileReading.bytes(ofFileAt: path) ?? []))
        #expect(Set(table.directories) == ["", "d"])
        #expect(table.records(of: "d").map(\.name) == ["a", "l"])
    }

    @Test("does not trust a file that changed within two seconds of its listing")
    func racy() throws {
        let path = fixture.directory("index")
        let first = try indexed(FileIndex(path), secondsLater: 0)
        try FileIndex(path).save(first.tree)
        #expect(try FileReading.bytes(ofFileAt: path) == nil)
    }

    @Test("keeps what it knows of directories that a build did not look at")
    func partial() throws {
        let path = fixture.directory("index")
        try FileIndex(path).save(indexed(FileIndex(path)).tree)
        try fixture.source("other=changed")
        let root = try RootDirectory(fixture.directory("source"), rule: .contained)
        let now = FileTime.now
        let index = FileIndex(path)
        let tree = SourceTree(root, kind: .context, index: index, at: FileTime(seconds: now.seconds + 10))
        _ = try ContentDigester.digest(of: fixture.plan(["other"], in: tree))
        try index.save(tree)
        let table = try #require(FileIndexTable(FileReading.bytes(ofFileAt: path) ?? []))
        #expect(Set(table.directories) == ["", "d", "d/sub"])
    }

    @Test("ignores an index that is damaged anywhere, and builds it again")
    func damaged() throws {
        let path = fixture.directory("index")
        let first = try indexed(FileIndex(path))
        try FileIndex(path).save(first.tree)
        let good = try #require(try FileReading.bytes(ofFileAt: path))
        for position in stride(from: 0, to: good.count, by: 7) {
            var bad = good
            bad[position] ^= 0x40
            #expect(FileIndexTable(bad) == nil, "byte \(position)")
        }
        #expect(FileIndexTable(Array(good.dropLast())) == nil)
        #expect(FileIndexTable([]) == nil)
        try AtomicFile.write("nonsense", to: path)
        #expect(try indexed(FileIndex(path)).digest == first.digest)
        let index = FileIndex(path)
        try index.save(indexed(index).tree)
        #expect(try FileReading.bytes(ofFileAt: path) == good)
    }

    @Test("survives lengths that lie, with a checksum that is right")
    func hostile() throws {
        for offset in [0, 8, 12, 16] {
            var body = [UInt8](repeating: 0, count: 64)
            body[0] = 1
            for index in offset..<offset + 4 { body[index] = 0xff }
            let bytes = Array("WHITIDX1".utf8) + Digest(hashing: body).bytes + body
            #expect(FileIndexTable(bytes) == nil)
        }
    }
}
