import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("CopyPlan: sources")
struct CopySourceTests {
    private let fixture: CopyFixture

    init() throws { fixture = try CopyFixture() }

    private func failure(_ source: String, _ kind: SourceTree.Kind = .context, filter: TreeFilter? = nil) throws
        -> BuildError?
    {
        #expect(throws: BuildError.self) { try fixture.plan([source], in: fixture.tree(kind, filter: filter)) }
    }

    @Test("says that a source is missing, with what its directory has and the nearest name")
    func missing() throws {
        try fixture.source("app/node_modules/", "app/package.json", "app/build/")
        let error = try failure("/app/dist/x", .image)
        #expect(error?.code == .copySourceNotFound)
        #expect(error?.message == "'/app/dist/x' does not exist in stage 'build'")
        #expect(error?.hint == "'app' has: build, node_modules, package.json")
        let detail = try #require(error?.cause as? MissingSource)
        #expect(detail.path == "app/dist/x")
        #expect(error?.description.contains("cause") == false)
        let near = try failure("app/package.jsn")
        #expect(near?.hint == "did you mean 'app/package.json'? 'app' has: build, node_modules, package.json")
    }

    @Test("shows ten names at most, and says when there is nothing")
    func longList() throws {
        try fixture.source("empty/")
        for index in 10..<25 { try fixture.source("many/n\(index)") }
        #expect(
            try failure("many/zzzzz")?.hint
                == "'many' has: n10, n11, n12, n13, n14, n15, n16, n17, n18, n19 and 5 more")
        #expect(try failure("empty/x")?.hint == "'empty' is empty")
    }

    @Test("does not know ignored files, and lets the caller give the reason")
    func ignored() throws {
        try fixture.source("keep", "secret.env")
        let error = try failure("secret.env", filter: CopyFixture.excluding("secret.env"))
        #expect(error?.hint == "the build context has: keep")
        let detail = try #require(error?.cause as? MissingSource)
        let better = BuildError.copySourceNotFound(detail, because: "excluded by line 3 of .dockerignore")
        #expect(
            better.message == "'secret.env' does not exist in the build context: excluded by line 3 of .dockerignore")
        #expect(better.hint == nil)
    }

    @Test("has a directory that is ignored but for something in it")
    func exceptions() throws {
        try fixture.source("d/keep=1", "d/drop", "gone/drop")
        let filter = TreeFilter { path, isDirectory, _ in
            path == "d/keep" ? .take : isDirectory ? .search : .prune
        }
        try fixture.copy(["."], "/all", filter: filter)
        try fixture.copy(["d"], "/one", filter: filter)
        #expect(try fixture.result() == ["all/", "all/d/", "all/d/keep=1", "one/", "one/keep=1"])
        #expect(try failure("gone", filter: filter)?.code == .copySourceNotFound)
        #expect(try failure("d/drop", filter: filter)?.code == .copySourceNotFound)
    }

    @Test("refuses to leave the build context", arguments: ["../x", "d/../../x", "up", "d/up/x", "host"])
    func escapes(_ source: String) throws {
        try fixture.source("d/")
        try fixture.directory.write("x", "outside")
        try fixture.directory.link("source/up", to: "../x")
        try fixture.directory.link("source/d/up", to: "../..")
        try fixture.directory.link("source/host", to: "/etc/passwd")
        #expect(try failure(source)?.code == .pathEscapes)
    }

    @Test("names the link that leaves the build context")
    func escapingLink() throws {
        try fixture.directory.link("source/host", to: "/etc/passwd")
        #expect(
            try failure("host")?.message
                == "path 'host' leads out of the build context: '/host' is a symbolic link to '/etc/passwd'")
    }

    @Test("stays inside an image")
    func container() throws {
        try fixture.source("etc/passwd=inside", "d/")
        try fixture.directory.link("source/d/up", to: "../../../etc/passwd")
        try fixture.copy(["../../d/up"], "/a", from: .image)
        #expect(try fixture.result() == ["a=inside"])
    }

    @Test("follows a source that is a link only where asked, and never links below it")
    func links() throws {
        try fixture.source("real/f=1")
        try fixture.directory.link("source/alias", to: "real")
        try fixture.directory.link("source/real/inner", to: "/etc/passwd")
        try fixture.copy(["alias"], "/followed")
        try fixture.copy(["alias"], "/kept") { $0.followsLinks = false }
        #expect(
            try fixture.result() == ["followed/", "followed/f=1", "followed/inner->/etc/passwd", "kept->real"])
    }

    @Test("opens a file of the plan, and lets others be left out")
    func opens() throws {
        try fixture.source("a.tar=archive", "b=plain")
        let plan = try fixture.plan(["a.tar", "b"], "/x/")
        let first = try #require(plan.items.first)
        let bytes = try plan.open(first).withDescriptor { try FileReading.bytes(of: $0, limit: 100) }
        #expect(String(decoding: bytes, as: UTF8.self) == "archive")
        let rest = plan.selecting(1)
        try TreeCopier.execute(rest, into: RootDirectory(fixture.directory("target")))
        #expect(try fixture.result() == ["x/", "x/b=plain"])
    }
}
