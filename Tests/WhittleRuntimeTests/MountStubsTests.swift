import Testing
import WhittleCore
import WhittleFileSystem
import WhittleRuntime
import WhittleTestKit

@Suite("MountStubs")
struct MountStubsTests {
    private let directory: TemporaryDirectory
    private let root: RootDirectory
    private static let past = FileTime(seconds: 1_000_000_000, nanoseconds: 5)

    init() throws {
        directory = try TemporaryDirectory("stubs")
        root = try RootDirectory(directory.path)
    }

    private func prepare(_ targets: (String, Bool)...) throws -> MountStubs {
        try MountStubs.prepare(targets.map { MountStubs.Target($0.0, isDirectory: $0.1) }, in: root)
    }

    /// Every path below the root, with kind, mode and time.
    private func listing() throws -> [String: FileStatus] {
        var found: [String: FileStatus] = [:]
        func visit(_ path: String) throws {
            let status = try #require(try root.status(of: path, followingLinks: false))
            found[path] = status
            guard status.isDirectory else { return }
            for name in try root.names(in: path) { try visit(path == "/" ? "/\(name)" : "\(path)/\(name)") }
        }
        try visit("/")
        return found
    }

    private func age(_ path: String) throws {
        let opened = try root.open(path, [.readOnly, .directory])
        try opened.withDescriptor { try Syscall.changeTimes($0, to: Self.past) }
    }

    @Test("makes files and directories that are missing, and removes them with the directories above")
    func missing() throws {
        try root.makeDirectories("/etc")
        try age("/etc")
        try age("/")
        var stubs = try prepare(("/etc/hosts", false), ("/proc", true), ("/run/secrets/deep/key", false))
        #expect(try root.status(of: "/etc/hosts")?.isRegular == true)
        #expect(try root.status(of: "/proc")?.isDirectory == true)
        #expect(try root.status(of: "/run/secrets/deep/key")?.isRegular == true)
        try stubs.cleanUp()
        let after = try listing()
        #expect(after.keys.sorted() == ["/", "/etc"])
        #expect(after["/"]?.modified == Self.past)
        #expect(after["/etc"]?.modified == Self.past)
    }

    @Test("leaves what is there, with its contents and times")
    func existing() throws {
        try directory.write("etc/hosts", "mine")
        try root.makeDirectories("/proc")
        try age("/etc")
        try age("/")
        let before = try listing()
        var stubs = try prepare(("/etc/hosts", false), ("/proc", true), ("/", true))
        try stubs.cleanUp()
        #expect(try listing() == before)
    }

    @Test("keeps what the step put into a directory of ours, and the time of a directory that it changed")
    func changedByStep() throws {
        try root.makeDirectories("/etc")
        try age("/")
        try age("/etc")
        var stubs = try prepare(("/run/secrets/key", false), ("/etc/hosts", false), ("/cache", true))
        try directory.write("run/left", "by the step")
        try directory.write("etc/left", "by the step")
        let changed = try #require(try root.status(of: "/etc")).modified
        try stubs.cleanUp()
        #expect(try listing().keys.sorted() == ["/", "/etc", "/etc/left", "/run", "/run/left"])
        #expect(try root.status(of: "/etc")?.modified == changed)
        #expect(try root.status(of: "/")?.modified == Self.past)
    }

    @Test("keeps a file of ours that the step wrote to, and a directory whose mode it changed")
    func claimedByStep() throws {
        var stubs = try prepare(("/file", false), ("/directory", true))
        try directory.write("file", "written")
        let opened = try root.open("/directory", [.readOnly, .directory])
        try opened.withDescriptor { try Syscall.changeMode($0, to: 0o700) }
        try stubs.cleanUp()
        #expect(try listing().keys.sorted() == ["/", "/directory", "/file"])
    }

    @Test("bears that the step removed what was made, and the directory above it")
    func removedByStep() throws {
        try root.makeDirectories("/opt/tool")
        var stubs = try prepare(("/opt/tool/cache", true), ("/file", false))
        try root.remove("/opt")
        try root.remove("/file")
        try stubs.cleanUp()
        #expect(try listing().keys.sorted() == ["/"])
    }

    @Test("follows links inside the root, also those to nothing, and out of it never")
    func links() throws {
        try root.makeDirectories("/etc")
        try root.makeDirectories("/var")
        try directory.link("etc/resolv.conf", to: "../run/systemd/resolve/stub.conf")
        try directory.link("var/run", to: "/run")
        try directory.link("out", to: "../../../../outside")
        let before = try listing()
        try age("/etc")
        var stubs = try prepare(("/etc/resolv.conf", false), ("/var/run/secrets/key", false), ("/out/x", true))
        #expect(try root.status(of: "/run/systemd/resolve/stub.conf", followingLinks: false)?.isRegular == true)
        #expect(try root.status(of: "/run/secrets/key", followingLinks: false)?.isRegular == true)
        #expect(try root.status(of: "/outside/x", followingLinks: false)?.isDirectory == true)
        try stubs.cleanUp()
        #expect(try listing().keys.sorted() == before.keys.sorted())
        #expect(try root.status(of: "/etc")?.modified == Self.past)
    }

    @Test("stops at a circle of links", .timeLimit(.minutes(1)))
    func circle() throws {
        try directory.link("a", to: "b")
        try directory.link("b", to: "a")
        let before = try listing()
        let error = #expect(throws: BuildError.self) { try prepare(("/new/file", false), ("/a/x", true)) }
        #expect(error?.code == .fileSystem)
        #expect(try listing().keys.sorted() == before.keys.sorted(), "what was made before is gone again")
    }

    @Test("leaves out what lies in an earlier mount")
    func nested() throws {
        var stubs = try prepare(("/dev", true), ("/dev/pts", true), ("/device/x", true))
        #expect(try listing().keys.sorted() == ["/", "/dev", "/device", "/device/x"])
        try stubs.cleanUp()
        #expect(try listing().keys.sorted() == ["/"])
    }

    @Test("does nothing when cleaned up again")
    func twice() throws {
        var stubs = try prepare(("/proc", true))
        try stubs.cleanUp()
        try root.makeDirectories("/proc")
        try stubs.cleanUp()
        #expect(try root.status(of: "/proc") != nil)
    }
}
