import Testing
import WhittleCore

@testable import WhittleAnalysis

@Suite("The tree that layers make")
struct FileTreeTests {
    /// `/a/b` as components.
    private func path(_ text: String) -> [[UInt8]] { text.split(separator: "/").map { Array($0.utf8) } }

    private let file = FileEntry(kind: .file)
    private let directory = FileEntry(kind: .directory, permissions: 0o750)

    private func names(_ tree: FileTree) -> [String] { tree.items.map { String(decoding: $0.path, as: UTF8.self) } }

    @Test("a whiteout hides what lower layers have, and nothing of its own layer")
    func whiteouts() throws {
        var tree = FileTree()
        try tree.add(directory, at: path("d"), layer: 0)
        try tree.add(file, at: path("d/old"), layer: 0)
        try tree.add(file, at: path("gone"), layer: 0)
        try tree.add(file, at: path("d/new"), layer: 1)
        tree.hide(path("d"), layer: 1)
        tree.hide(path("gone"), layer: 1)
        tree.hide(path("never/there"), layer: 1)
        #expect(names(tree) == ["d", "d/new"])
        // The directory is that of the new layer, which says nothing of it but that something is in it.
        tree.hide(path("d/new"), layer: 1)
        #expect(names(tree) == ["d", "d/new"])
    }

    @Test("an opaque directory hides what is deep below it, wherever the marker stands")
    func opaque() throws {
        var tree = FileTree()
        try tree.add(file, at: path("d/sub/old"), layer: 0)
        try tree.add(file, at: path("d/other/old"), layer: 0)
        try tree.add(file, at: path("d/sub/new"), layer: 1)
        try tree.hideContents(of: path("d"), layer: 1)
        try tree.hideContents(of: path("d"), layer: 1)
        #expect(names(tree) == ["d", "d/sub", "d/sub/new"])
    }

    @Test("a directory over a directory keeps what is in it, anything else does not")
    func replacing() throws {
        var tree = FileTree()
        try tree.add(file, at: path("d/x"), layer: 0)
        try tree.add(directory, at: path("d"), layer: 1)
        #expect(names(tree) == ["d", "d/x"])
        #expect(tree.items[0].entry == directory)
        try tree.add(file, at: path("d"), layer: 2)
        #expect(names(tree) == ["d"])
        try tree.add(directory, at: path("d"), layer: 3)
        #expect(names(tree) == ["d"])
    }

    @Test("a link on the way to an entry is replaced where it is of a lower layer, and refused in the same one")
    func linksOnTheWay() throws {
        var tree = FileTree()
        let link = FileEntry(kind: .symbolicLink, linkTarget: Array("/etc".utf8))
        try tree.add(link, at: path("l"), layer: 0)
        #expect(throws: FileTree.Refusal(reason: "'l' on its way is not a directory")) {
            try tree.add(file, at: path("l/x"), layer: 0)
        }
        try tree.add(file, at: path("l/x"), layer: 1)
        #expect(tree.items.map(\.entry.kind) == [.directory, .file])
        #expect(tree.items[0].entry.isImplicit)
    }

    @Test("hard links are one file until one of them is written anew")
    func hardLinks() throws {
        var tree = FileTree()
        try tree.add(file, at: path("a"), layer: 0)
        try tree.link(path("b"), to: path("a"), layer: 0)
        try tree.link(path("d/c"), to: path("b"), layer: 1)
        #expect(Set(tree.items.filter { $0.entry.kind == .file }.map(\.file)).count == 1)
        try tree.add(file, at: path("b"), layer: 2)
        #expect(Set(tree.items.filter { $0.entry.kind == .file }.map(\.file)).count == 2)
    }

    @Test(
        "hard links to what is not there, to a directory and to themselves are refused",
        arguments: ["missing", "d", "same"])
    func refusedLinks(target: String) throws {
        var tree = FileTree()
        try tree.add(directory, at: path("d"), layer: 0)
        try tree.add(file, at: path("same"), layer: 0)
        #expect(throws: FileTree.Refusal.self) { try tree.link(path("same"), to: path(target), layer: 0) }
    }
}
