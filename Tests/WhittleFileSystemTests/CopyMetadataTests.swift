import SystemPackage
import Testing
import WhittleCore
import WhittleTestKit

@testable import WhittleFileSystem

@Suite("TreeCopier: what things keep")
struct CopyMetadataTests {
    private let fixture: CopyFixture

    init() throws { fixture = try CopyFixture() }

    private func time(_ path: String, _ seconds: Int64) throws {
        try Syscall.changeTimes(fixture.directory(path), to: FileTime(seconds: seconds, nanoseconds: 5))
    }

    @Test("keeps mode and time of files, directories and links")
    func keeps() throws {
        try fixture.source("d/f", "d/sub/g")
        try fixture.directory.link("source/d/l", to: "f")
        try Syscall.changeMode(fixture.directory("source/d/f"), to: 0o4751)
        try Syscall.changeMode(fixture.directory("source/d/sub"), to: 0o1703)
        for path in ["source/d/f", "source/d/sub/g", "source/d/l", "source/d/sub", "source/d"] { try time(path, 1000) }
        try fixture.copy(["d"], "/new")
        for path in ["target/new", "target/new/f", "target/new/l", "target/new/sub", "target/new/sub/g"] {
            #expect(try fixture.status(path).modified == FileTime(seconds: 1000, nanoseconds: 5), "\(path)")
        }
        #expect(try fixture.status("target/new/f").permissions == 0o4751)
        #expect(try fixture.status("target/new/sub").permissions == 0o1703)
    }

    @Test("leaves an existing destination as it is, but not existing directories below it")
    func existing() throws {
        try fixture.source("d/sub/f", "d/g")
        try fixture.target("app/sub/")
        try Syscall.changeMode(fixture.directory("source/d"), to: 0o700)
        try Syscall.changeMode(fixture.directory("source/d/sub"), to: 0o750)
        try time("source/d/sub", 1000)
        for path in ["target/app/sub", "target/app", "target"] { try time(path, 2000) }
        try fixture.copy(["d"], "/app")
        #expect(try fixture.status("target/app").permissions == 0o755)
        #expect(try fixture.status("target/app").modified.seconds == 2000)
        #expect(try fixture.status("target/app/sub").permissions == 0o750)
        #expect(try fixture.status("target/app/sub").modified.seconds == 1000)
        try fixture.copy(["d/g"], "/app/")
        #expect(try fixture.status("target/app").modified.seconds == 2000)
    }

    @Test("gives single files no time later than the latest one")
    func clamps() throws {
        try fixture.source("d/old", "d/new")
        try time("source/d/old", 1000)
        try time("source/d/new", 5000)
        try fixture.copy(["d/old", "d/new"], "/made/app/") { $0.latestTime = FileTime(seconds: 3000) }
        #expect(try fixture.status("target/made/app/old").modified == FileTime(seconds: 1000, nanoseconds: 5))
        #expect(try fixture.status("target/made/app/new").modified == FileTime(seconds: 3000))
        #expect(try fixture.status("target/made/app").modified == FileTime(seconds: 3000))
        #expect(try fixture.status("target/made").modified == FileTime(seconds: 3000))
    }

    @Test("keeps the times of a directory's files, which may know each other's")
    func keepsTimesOfTrees() throws {
        try fixture.source("d/sub/new")
        try time("source/d/sub/new", 5000)
        try time("source/d/sub", 6000)
        try time("source/d", 7000)
        try fixture.copy(["d"], "/made/app") { $0.latestTime = FileTime(seconds: 3000) }
        #expect(try fixture.status("target/made/app/sub/new").modified.seconds == 5000)
        #expect(try fixture.status("target/made/app/sub").modified.seconds == 6000)
        #expect(try fixture.status("target/made/app").modified.seconds == 7000)
        #expect(try fixture.status("target/made").modified == FileTime(seconds: 3000))
    }

    @Test("gives no time later than the latest one in directories, where that is asked")
    func clampsDirectories() throws {
        try fixture.source("d/old", "d/new")
        try time("source/d/old", 1000)
        try time("source/d/new", 5000)
        try fixture.copy(["d"], "/made/app") {
            $0.latestTime = FileTime(seconds: 3000)
            $0.clampsDirectories = true
        }
        #expect(try fixture.status("target/made/app/old").modified.seconds == 1000)
        #expect(try fixture.status("target/made/app/new").modified == FileTime(seconds: 3000))
    }

    @Test("gives everything that is copied one time where that is asked, and existing directories keep theirs")
    func fixes() throws {
        try fixture.source("d/old", "d/sub/new")
        try time("source/d/old", 1000)
        try time("source/d/sub/new", 5000)
        try fixture.copy(["d"], "/made/app") {
            $0.latestTime = FileTime(seconds: 3000)
            $0.fixedTime = FileTime(seconds: 3000)
        }
        for path in ["made", "made/app", "made/app/old", "made/app/sub", "made/app/sub/new"] {
            #expect(try fixture.status("target/\(path)").modified == FileTime(seconds: 3000))
        }
    }

    @Test("changes modes of files and directories, but not of directories on the way")
    func mode() throws {
        try fixture.source("d/f", "d/sub/g")
        try fixture.copy(["d"], "/made/app") { $0.mode = try ModeChange(parsing: "u=rwX,go=") }
        #expect(try fixture.status("target/made").permissions == 0o755)
        #expect(try fixture.status("target/made/app").permissions == 0o755)
        #expect(try fixture.status("target/made/app/f").permissions == 0o600)
        #expect(try fixture.status("target/made/app/sub").permissions == 0o700)
        try fixture.copy(["d/f"], "/f") { $0.mode = try ModeChange(parsing: "4755") }
        #expect(try fixture.status("target/f").permissions == 0o4755)
        try fixture.copy(["d/f"], "/x/y/f") { $0.mode = try ModeChange(parsing: "4710") }
        for path in ["x", "x/y"] { #expect(try fixture.status("target/\(path)").permissions == 0o710) }
    }

    @Test("gives files of a context to root and keeps those of an image", .enabled(if: isRoot, "needs root"))
    func owners() throws {
        try fixture.source("d/f")
        try fixture.directory.link("source/d/l", to: "f")
        let owner = FileOwner(uid: 12, gid: 34)
        for path in ["source/d", "source/d/f", "source/d/l"] {
            try Syscall.changeOwner(fixture.directory(path), to: owner)
        }
        try fixture.copy(["d"], "/context")
        try fixture.copy(["d"], "/image", from: .image)
        try fixture.copy(["d"], "/made/chowned") { $0.owner = FileOwner(uid: 5, gid: 6) }
        for name in ["", "/f", "/l"] {
            #expect(try fixture.status("target/context\(name)").owner == .root)
            // The destination itself is made for the contents.
            #expect(try fixture.status("target/image\(name)").owner == (name.isEmpty ? .root : owner))
            #expect(try fixture.status("target/made/chowned\(name)").owner == FileOwner(uid: 5, gid: 6))
        }
        #expect(try fixture.status("target/made").owner == FileOwner(uid: 5, gid: 6))
    }

    @Test("is not misled by a directory with setgid", .enabled(if: isRoot, "needs root"))
    func setgid() throws {
        try fixture.source("f")
        try fixture.target("shared/")
        try Syscall.changeOwner(fixture.directory("target/shared"), to: FileOwner(uid: 0, gid: 77))
        try Syscall.changeMode(fixture.directory("target/shared"), to: 0o2775)
        try fixture.copy(["f"], "/shared/")
        #expect(try fixture.status("target/shared/f").owner == .root)
    }

    @Test("keeps hard links between copied files, and only those")
    func hardLinks() throws {
        try fixture.source("d/a=1", "d/sub/", "outside/x=2")
        try Syscall.link(fixture.directory("source/d/a"), to: fixture.directory("source/d/sub/b"))
        try Syscall.link(fixture.directory("source/outside/x"), to: fixture.directory("source/d/x"))
        try fixture.target("app/sub/b=old")
        try fixture.copy(["d"], "/app")
        #expect(try fixture.status("target/app/a").inode == fixture.status("target/app/sub/b").inode)
        #expect(try fixture.status("target/app/a").links == 2)
        #expect(try fixture.status("target/app/x").links == 1)
        #expect(try fixture.directory.read("target/app/sub/b") == "1")
    }

    @Test("copies extended attributes that belong to the file")
    func attributes() throws {
        try fixture.source("d/e/f")
        for path in ["source/d", "source/d/e", "source/d/e/f"] {
            try Syscall.open(fixture.directory(path), .readOnly).withDescriptor {
                try ExtendedAttributes.set(ExtendedAttribute(name: "user.note", value: [1]), on: $0)
                if isRoot { try ExtendedAttributes.set(ExtendedAttribute(name: "trusted.mark", value: [2]), on: $0) }
            }
        }
        try fixture.copy(["d"], "/new")
        for path in ["target/new/e", "target/new/e/f"] {
            let found = try Syscall.open(fixture.directory(path), .readOnly).withDescriptor {
                try ExtendedAttributes.list($0)
            }
            #expect(
                found.filter { $0.name != "security.selinux" } == [ExtendedAttribute(name: "user.note", value: [1])])
        }
    }

    @Test("copies devices and fifos of an image, and leaves out sockets", .enabled(if: isRoot, "needs root"))
    func nodes() throws {
        try fixture.source("d/")
        try Syscall.makeNode(fixture.directory("source/d/null"), mode: 0o020666, device: 0x103)
        try Syscall.makeNode(fixture.directory("source/d/pipe"), mode: 0o010640, device: 0)
        try Syscall.makeNode(fixture.directory("source/d/socket"), mode: 0o140755, device: 0)
        try Syscall.makeNode(fixture.directory("source/d/whiteout"), mode: 0o020000, device: 0)
        try fixture.copy(["d"], "/image", from: .image)
        try fixture.copy(["d"], "/context")
        #expect(
            try fixture.result() == [
                "context/", "context/pipe (fifo)", "image/", "image/null (characterDevice)", "image/pipe (fifo)",
            ])
        #expect(try fixture.status("target/image/null").specialDevice == 0x103)
        #expect(try fixture.status("target/image/pipe").permissions == 0o640)
    }

    @Test("copies big and sparse files exactly, and keeps holes")
    func contents() throws {
        var bytes = [UInt8](repeating: 0, count: 300_001)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        try fixture.source("d/")
        try AtomicFile.write(bytes, to: fixture.directory("source/d/big"))
        let sparse = try Syscall.open(fixture.directory("source/d/sparse"), [.writeOnly, .create], mode: 0o644)
        try sparse.withDescriptor { descriptor in
            try Syscall.truncate(descriptor, to: 64 << 20)
            try Syscall.seek(descriptor, to: 10 << 20)
            try bytes.withUnsafeBytes { try Syscall.writeAll(descriptor, $0) }
        }
        let outcome = try fixture.copy(["d"], "/new")
        #expect(outcome == TreeCopier.Outcome(entries: 3, bytes: Int64(bytes.count) + 64 << 20))
        #expect(try FileReading.bytes(ofFileAt: fixture.directory("target/new/big")) == bytes)
        let copied = try fixture.status("target/new/sparse")
        #expect(copied.size == 64 << 20)
        #expect(copied.blocks * 512 < 8 << 20)
        #expect(
            try FileReading.bytes(ofFileAt: fixture.directory("target/new/sparse"))
                == FileReading.bytes(ofFileAt: fixture.directory("source/d/sparse")))
    }

    @Test("gives a new destination mode 0755, whatever the copied directory has")
    func newDestination() throws {
        try fixture.source("f", "d/e/g")
        for path in ["source", "source/d", "source/d/e"] { try Syscall.changeMode(fixture.directory(path), to: 0o700) }
        try fixture.copy(["d"], "/d")
        #expect(try fixture.status("target/d").permissions == 0o755)
        #expect(try fixture.status("target/d/e").permissions == 0o700)
        try fixture.copy(["."], "/app")
        try fixture.copy(["/"], "/image", from: .image)
        #expect(try fixture.status("target/app").permissions == 0o755)
        #expect(try fixture.status("target/image").permissions == 0o755)
    }

    @Test("notices a file that changed after it was listed, also one that became a link")
    func changed() throws {
        try fixture.source("f=one", "g=1")
        let plan = try fixture.plan(["f"], "/x")
        try fixture.directory.write("source/f", "other")
        let root = try RootDirectory(fixture.directory("target"))
        var error = #expect(throws: BuildError.self) { try TreeCopier.execute(plan, into: root) }
        #expect(error?.code == .sourceChanged)
        #expect(error?.message == "'f' changed while it was being read")
        error = #expect(throws: BuildError.self) { try ContentDigester.digest(of: plan) }
        #expect(error?.code == .sourceChanged)
        let other = try fixture.plan(["g"], "/y")
        try Syscall.unlink(fixture.directory("source/g"))
        try fixture.directory.link("source/g", to: "/etc/passwd")
        error = #expect(throws: BuildError.self) { try TreeCopier.execute(other, into: root) }
        #expect(error?.code == .sourceChanged)
    }
}
