import Testing
import WhittleCache

@Suite("FileManifest")
struct FileManifestTests {
    private static func file(_ path: String, _ content: UInt64 = 1, mode: UInt16 = 0o100644) -> FileManifest.Entry {
        FileManifest.Entry(path: Array(path.utf8), mode: mode, fingerprint: content)
    }

    private static func directory(_ path: String) -> FileManifest.Entry { file(path, 0, mode: 0o040755) }

    private static let tree = [
        directory("src"), file("src/app.js", 2), file("src/lib.js", 3), file("package.json", 4),
        file("run.sh", 5, mode: 0o100644),
    ]

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let new: [FileManifest.Entry]
        let changes: [String]
    }

    static let cases = [
        Case(testDescription: "nothing", new: tree, changes: []),
        Case(
            testDescription: "contents", new: tree.dropLast(4) + [file("src/app.js", 9)] + tree.dropFirst(2),
            changes: ["src/app.js changed"]),
        Case(
            testDescription: "mode", new: tree.dropLast() + [file("run.sh", 5, mode: 0o100755)],
            changes: ["run.sh: mode 0644 → 0755"]),
        Case(
            testDescription: "new directory", new: tree + [directory("docs"), file("docs/a", 7), file("docs/b", 8)],
            changes: ["docs/ added"]),
        Case(
            testDescription: "directory gone", new: [tree[3], tree[4]],
            changes: ["src/ removed"]),
        Case(
            testDescription: "renamed forwards", new: tree.dropLast() + [file("start.sh", 5)],
            changes: ["run.sh renamed to start.sh"]),
        Case(
            testDescription: "renamed backwards", new: tree.dropLast() + [file("a.sh", 5)],
            changes: ["run.sh renamed to a.sh"]),
        Case(
            testDescription: "several", new: [tree[0], file("src/app.js", 9), tree[2], file("new.js", 10), tree[4]],
            changes: ["new.js added", "package.json removed", "src/app.js changed"]),
        Case(
            testDescription: "a name with a line end", new: tree + [file("a\nb", 11)], changes: ["a?b added"]),
    ]

    @Test("names the differences", arguments: cases)
    func changes(_ example: Case) {
        let old = FileManifest(Self.tree)
        #expect(old.changes(to: FileManifest(example.new)).map(\.text) == example.changes)
    }

    @Test("is the same after it was written and read")
    func roundTrip() throws {
        let long = Self.file(String(repeating: "directory/", count: 30) + "file", .max, mode: 0o104755)
        let manifest = FileManifest(Self.tree + [long, Self.file("ä/ö", 0)])
        #expect(FileManifest(decoding: manifest.encoded) == manifest)
        #expect(FileManifest(decoding: FileManifest([]).encoded) == FileManifest([]))
    }

    @Test(
        "reads no bytes that are something else",
        arguments: [[], [0, 5], [0, 1, 1, 65], [0, 0, 255, 255, 255, 255, 1]])
    func damaged(_ bytes: [UInt8]) {
        #expect(FileManifest(decoding: bytes) == nil)
    }

    @Test("takes what is deep down together where there are too many files")
    func cut() {
        let files = (0..<100).map { Self.file("a/b\($0 % 10)/c\($0)", UInt64($0)) }
        let manifest = FileManifest(files, limit: 20)
        #expect(manifest.entries.count == 10)
        #expect(manifest.depth == 2)
        var changed = files
        changed[57].fingerprint = 1_000
        #expect(manifest.changes(to: FileManifest(changed, limit: 20)).map(\.text) == ["a/b7/ changed"])
        // One that was not cut is compared at the depth of the other.
        #expect(FileManifest(files).changes(to: FileManifest(changed, limit: 20)).map(\.text) == ["a/b7/ changed"])
        #expect(FileManifest(files.map { Self.file("x\($0.fingerprint)") }, limit: 20).entries.count == 20)
    }
}
