import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("TreeCopier: where things go")
struct CopyRuleTests {
    private let fixture: CopyFixture

    init() throws { fixture = try CopyFixture() }

    @Test("copies a file to an exact name, or into a directory")
    func file() throws {
        try fixture.source("a=1")
        try fixture.target("here/")
        try fixture.copy(["a"], "/exact")
        try fixture.copy(["/a"], "/new/dir/")
        try fixture.copy(["./a"], "/here")
        try fixture.copy(["a"], "/")
        #expect(
            try fixture.result() == ["a=1", "exact=1", "here/", "here/a=1", "new/", "new/dir/", "new/dir/a=1"])
        #expect(try fixture.status("target/new/dir").permissions == 0o755)
    }

    @Test("copies the contents of a directory and merges them")
    func directory() throws {
        try fixture.source("d/x=new", "d/sub/y=2")
        try fixture.target("app/x=old", "app/z=kept")
        try fixture.copy(["d"], "/app")
        try fixture.copy(["d/"], "/fresh")
        #expect(
            try fixture.result() == [
                "app/", "app/sub/", "app/sub/y=2", "app/x=new", "app/z=kept", "fresh/", "fresh/sub/", "fresh/sub/y=2",
                "fresh/x=new",
            ])
    }

    @Test("copies a directory itself where contents are not asked for")
    func directoryItself() throws {
        try fixture.source("d/x=1")
        try fixture.target("app/")
        try fixture.copy(["d"], "/app") { $0.copiesDirectoryContents = false }
        try fixture.copy(["d"], "/renamed") { $0.copiesDirectoryContents = false }
        #expect(try fixture.result() == ["app/", "app/d/", "app/d/x=1", "renamed/", "renamed/x=1"])
    }

    @Test("expands patterns, and links that match keep their name and give their file")
    func wildcards() throws {
        try fixture.source("a.txt=a", "b.txt=b", "c.md=c", "d/e.txt=e", "d/f/g.txt=g")
        try fixture.directory.link("source/l.txt", to: "c.md")
        try fixture.copy(["*.txt"], "/one/")
        try fixture.copy(["*/*.txt", "d/?"], "/two/")
        #expect(
            try fixture.result() == [
                "one/", "one/a.txt=a", "one/b.txt=b", "one/l.txt=c", "two/", "two/e.txt=e", "two/g.txt=g",
            ])
    }

    @Test("accepts a pattern that matches nothing only where that is allowed")
    func emptyWildcard() throws {
        try fixture.source("a.txt")
        try fixture.copy(["*.md"], "/x/")
        #expect(try fixture.result() == [])
        let error = #expect(throws: BuildError.self) {
            try fixture.copy(["*.md"], "/x/") { $0.allowsEmptyWildcard = false }
        }
        #expect(error?.message == "'*.md' does not exist in the build context")
        #expect(error?.hint == "the build context has: a.txt")
    }

    @Test("takes characters of patterns as they are where escaped, or where patterns are not allowed")
    func literals() throws {
        try fixture.source("arr[0].txt=1", "s*r=2")
        try fixture.copy(["arr[[]0].txt"], "/a/")
        try fixture.copy(["s\\*r"], "/a/")
        try fixture.copy(["arr[0].txt"], "/b") { $0.allowsWildcards = false }
        #expect(try fixture.result() == ["a/", "a/arr[0].txt=1", "a/s*r=2", "b=1"])
    }

    @Test("refuses a malformed pattern")
    func malformed() throws {
        let error = #expect(throws: BuildError.self) { try fixture.copy(["[a"], "/x") }
        #expect(error?.code == .invalidPattern)
        #expect(error?.message == "the pattern '[a' has wrong syntax")
    }

    @Test("follows links in the destination inside the root, whole or not")
    func destinationLinks() throws {
        try fixture.source("f=1", "d/g=2")
        try fixture.target("usr/lib/", "old=0")
        try fixture.directory.link("target/lib", to: "/usr/lib")
        try fixture.directory.link("target/file", to: "../../old")
        try fixture.directory.link("target/dangling", to: "/made")
        try fixture.copy(["f"], "/lib/")
        try fixture.copy(["d"], "/lib")
        try fixture.copy(["f"], "/file")
        try fixture.copy(["f"], "/dangling")
        #expect(
            try fixture.result() == [
                "dangling->/made", "file->../../old", "lib->/usr/lib", "made=1", "old=1", "usr/", "usr/lib/",
                "usr/lib/f=1", "usr/lib/g=2",
            ])
        #expect(try RootDirectory(fixture.directory.path).names(in: "/") == ["source", "target"])
    }

    @Test("replaces a link in the destination by the file of its name")
    func replacesLink() throws {
        try fixture.source("d/f=new")
        try fixture.target("other=kept", "x/")
        try fixture.directory.link("target/x/f", to: "../other")
        try fixture.copy(["d"], "/x")
        #expect(try fixture.result() == ["other=kept", "x/", "x/f=new"])
    }

    @Test("does not copy a directory onto a file, nor a file onto a directory")
    func conflicts() throws {
        try fixture.source("d/sub/x", "f", "e/f=1")
        try fixture.target("file", "app/sub=file", "b/f/")
        var error = #expect(throws: BuildError.self) { try fixture.copy(["d"], "/file") }
        #expect(error?.code == .copyTypeConflict)
        #expect(error?.message == "cannot copy directory 'd' onto file '/file'")
        error = #expect(throws: BuildError.self) { try fixture.copy(["d"], "/app") }
        #expect(error?.message == "cannot copy directory 'd/sub' onto file '/app/sub'")
        error = #expect(throws: BuildError.self) { try fixture.copy(["e"], "/b") }
        #expect(error?.message == "cannot replace directory '/b/f' with file 'e/f'")
        #expect(error?.hint == "remove the directory first, or choose another destination")
        error = #expect(throws: BuildError.self) { try fixture.copy(["f"], "/b") }
        #expect(error?.message == "cannot replace directory '/b/f' with file 'f'")
    }

    @Test("keeps the last of several files that have one name to go to, and all of them in a directory")
    func several() throws {
        try fixture.source("a=1", "b=2")
        try fixture.copy(["a", "b"], "/y")
        #expect(try fixture.result() == ["y=2"])
        try fixture.target("x/")
        try fixture.copy(["a", "b"], "/x")
        #expect(try fixture.result() == ["x/", "x/a=1", "x/b=2", "y=2"])
    }

    @Test("makes missing directories only where that is asked for")
    func createsDestination() throws {
        try fixture.source("a")
        let error = #expect(throws: BuildError.self) {
            try fixture.copy(["a"], "/no/where") { $0.createsDestination = false }
        }
        #expect(error?.systemError == .noSuchFileOrDirectory)
    }

    @Test("leaves out what ignore rules and --exclude leave out, files that are named among them")
    func excludes() throws {
        try fixture.source("a.txt", "b.md", "d/a.txt", "d/c/b.md", "ignored/x", "d/ignored/y")
        try fixture.copy(["."], "/all", filter: CopyFixture.excluding("ignored")) {
            $0.filter = CopyFixture.excluding("a.txt")
        }
        #expect(
            try fixture.result() == ["all/", "all/b.md=b.md", "all/d/", "all/d/c/", "all/d/c/b.md=d/c/b.md"])
        try fixture.copy(["*.*"], "/named/") { $0.filter = CopyFixture.excluding("a.txt") }
        #expect(try fixture.directory.read("target/named/a.txt") == nil)
        #expect(try fixture.directory.read("target/named/b.md") == "b.md")
    }

    @Test(
        "keeps parents, from the root or from the pivot",
        arguments: [
            ("t/a/b/./c/d", ["c/", "c/d/", "c/d/e/", "c/d/e/bay=1", "c/d/foo=1"]),
            ("./t/a/b/c/d/foo", ["t/", "t/a/", "t/a/b/", "t/a/b/c/", "t/a/b/c/d/", "t/a/b/c/d/foo=1"]),
            (
                "t/a/./*/c/d/e",
                [
                    "b/", "b/c/", "b/c/d/", "b/c/d/e/", "b/c/d/e/bay=1", "b2/", "b2/c/", "b2/c/d/",
                    "b2/c/d/e/", "b2/c/d/e/bar=1",
                ]
            ),
            ("t/a/b*/./c/**/e", ["c/", "c/d/", "c/d/e/", "c/d/e/bar=1", "c/d/e/bay=1"]),
            ("t/a/b3*/./c", []), ("t/a/b/./x*", []),
        ])
    func parents(source: String, expected: [String]) throws {
        try fixture.source("t/a/b/c/d/foo=1", "t/a/b/c/d/e/bay=1", "t/a/b2/c/d/e/bar=1")
        try fixture.copy([source], "/out/") { $0.keepsParents = true }
        #expect(try fixture.result().filter { $0 != "out/" } == expected.map { "out/\($0)" })
    }

    @Test("wants a --parents source without wildcards to exist")
    func parentsMissing() throws {
        try fixture.source("t/a")
        let error = #expect(throws: BuildError.self) { try fixture.copy(["t/./b"], "/x/") { $0.keepsParents = true } }
        #expect(error?.code == .copySourceNotFound)
    }

    @Test("stops when cancelled")
    func cancelled() throws {
        try fixture.source("a/b")
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(throws: CancellationError.self) {
            try CopyPlan(
                CopyRequest(sources: ["."], destination: "/"), from: fixture.tree(), cancellation: cancellation)
        }
        let plan = try fixture.plan(["."])
        #expect(throws: CancellationError.self) {
            try TreeCopier.execute(plan, into: RootDirectory(fixture.directory("target")), cancellation: cancellation)
        }
    }
}
