import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("RootDirectory")
struct RootDirectoryTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("root")
        try directory.write("outside/secret", "s")
        try directory.write("root/dir/file", "f")
        try directory.write("root/etc/passwd", "inside")
        try directory.makeDirectory("root/usr/bin")
    }

    private func root(_ rule: RootDirectory.Rule) throws -> RootDirectory {
        try RootDirectory(directory("root"), rule: rule, name: "the build context")
    }

    private func text(_ path: String, _ root: RootDirectory) throws -> String? {
        try root.bytes(ofFileAt: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "reads what is below it, with and without a leading slash",
        arguments: ["dir/file", "/dir/file", "//dir/./file"])
    func reads(_ path: String) throws {
        #expect(try text(path, root(.container)) == "f")
        #expect(try text(path, root(.contained)) == "f")
    }

    @Test("has nothing where nothing is, also below a file", arguments: ["nothing", "no/thing", "dir/file/x"])
    func missing(_ path: String) throws {
        for rule in [RootDirectory.Rule.container, .contained] {
            #expect(try text(path, root(rule)) == nil)
            #expect(try root(rule).status(of: path) == nil)
        }
    }

    @Test("as a container, keeps links and `..` inside", arguments: ["abs", "up", "../../../etc/passwd", "chain"])
    func container(_ path: String) throws {
        try directory.link("root/abs", to: "/etc/passwd")
        try directory.link("root/up", to: "../../../../etc/passwd")
        try directory.link("root/chain", to: "dir/../abs")
        #expect(try text(path, root(.container)) == "inside")
    }

    @Test("resolves alike with and without openat2", arguments: ["abs", "up", "dir/link", "bin", "/", "dir/.."])
    func stepwise(_ path: String) throws {
        try directory.link("root/abs", to: "/etc/passwd")
        try directory.link("root/up", to: "../../../../etc/passwd")
        try directory.link("root/dir/link", to: "../dir/file")
        try directory.link("root/bin", to: "usr/bin")
        let root = try root(.container)
        let one = try root.open(path, [.pathOnly])
        let other = try root.openStepwise(path, [.pathOnly], mode: 0)
        let inodes = try [inode(of: one), inode(of: other)]
        #expect(inodes[0] == inodes[1])
    }

    private func inode(_ descriptor: borrowing OwnedDescriptor) throws -> UInt64 {
        try descriptor.withDescriptor { try Syscall.status($0).inode }
    }
    private func inode(of descriptor: borrowing OwnedDescriptor) throws -> UInt64 { try inode(descriptor) }

    @Test("as a build context, names the link that leads out")
    func escapingLink() throws {
        try directory.link("root/dir/leak", to: "../../outside/secret")
        let error = #expect(throws: BuildError.self) { try root(.contained).bytes(ofFileAt: "dir/leak") }
        #expect(error?.code == .pathEscapes)
        #expect(
            error?.message == "path 'dir/leak' leads out of the build context: '/dir/leak' is a symbolic link to "
                + "'../../outside/secret'")
        #expect(error?.hint == "replace the link by the file that it points to")
    }

    @Test("as a build context, names a link on the way and an absolute one")
    func escapingParents() throws {
        try directory.link("root/out", to: "\(directory.path)/outside")
        let error = #expect(throws: BuildError.self) { try root(.contained).bytes(ofFileAt: "out/secret") }
        #expect(error?.code == .pathEscapes)
        #expect(error?.message.contains("'/out' is a symbolic link to '\(directory.path)/outside'") == true)
    }

    @Test("as a build context, resolves an absolute link to something inside, as BuildKit does")
    func absoluteInside() throws {
        try directory.link("root/abs", to: "/etc/passwd")
        #expect(try text("abs", root(.contained)) == "inside")
    }

    @Test("as a build context, refuses `..` out of it", arguments: ["../outside/secret", "dir/../../outside/secret"])
    func dotDot(_ path: String) throws {
        let error = #expect(throws: BuildError.self) { try root(.contained).bytes(ofFileAt: path) }
        #expect(error?.code == .pathEscapes)
        #expect(error?.message == "path '\(path)' leads out of the build context")
    }

    @Test("says that links lead round in a circle")
    func circle() throws {
        try directory.link("root/a", to: "b")
        try directory.link("root/b", to: "a")
        for rule in [RootDirectory.Rule.container, .contained] {
            let error = #expect(throws: BuildError.self) { try root(rule).bytes(ofFileAt: "a") }
            #expect(error?.message == "cannot open '/a' in the build context: too many levels of symbolic links")
        }
    }

    @Test("makes missing directories through links, and leaves existing ones alone")
    func makesDirectories() throws {
        try directory.link("root/lib", to: "/usr/lib")
        let root = try root(.container)
        let made = try root.makeDirectories("lib/a/b", DirectoryCreation(mode: 0o1770, time: FileTime(seconds: 7)))
        #expect(made == ["/usr/lib", "/usr/lib/a", "/usr/lib/a/b"])
        let status = try #require(try root.status(of: "/usr/lib/a"))
        #expect(status.permissions == 0o1770)
        #expect(status.modified == FileTime(seconds: 7))
        #expect(try root.makeDirectories("lib/a/b", DirectoryCreation(mode: 0o700)) == [])
        #expect(try root.status(of: "/usr/lib/a/b")?.permissions == 0o1770)
        #expect(try root.resolved("lib/a") == "/usr/lib/a")
    }

    @Test("does not make a directory where a file is")
    func fileInTheWay() throws {
        let error = #expect(throws: BuildError.self) { try root(.container).makeDirectories("dir/file") }
        #expect(error?.message == "cannot create directory '/dir/file' in the build context: not a directory")
        let below = #expect(throws: BuildError.self) { try root(.container).makeDirectories("dir/file/x") }
        #expect(below?.systemError == .notDirectory)
    }

    @Test("removes a link, not what it points to, and never anything outside")
    func removes() throws {
        try directory.link("root/dir/abs", to: "/etc/passwd")
        let root = try root(.container)
        #expect(try root.remove("../../dir/abs"))
        #expect(try text("etc/passwd", root) == "inside")
        #expect(try root.remove("dir"))
        #expect(try root.remove("dir") == false)
        #expect(try root.names(in: "/") == ["etc", "usr"])
        #expect(throws: BuildError.self) { try root.remove("/") }
    }

    @Test("never waits for a fifo")
    func fifo() throws {
        let root = try root(.container)
        try Syscall.makeNode(directory("root/pipe"), mode: 0o010644, device: 0)
        let error = #expect(throws: BuildError.self) { try root.bytes(ofFileAt: "pipe") }
        #expect(error?.systemError == .invalidArgument)
    }
}
