import Foundation
import Glibc
import Testing
import WhittleArchive
import WhittleCore
import WhittleFileSystem
import WhittleSnapshot

@Suite("Directories without entries", .enabled(if: geteuid() == 0, "owners need root"))
struct ImplicitDirectoriesTests {
    private static func apply(_ entries: [(TarEntry, [UInt8])], into directory: String) throws -> ImplicitDirectories {
        var reader = TarReader(try LayerApplier(into: directory))
        try LayerTests.tar(entries).withUnsafeBytes { try reader.feed($0) }
        try reader.finish()
        try reader.consumer.finish()
        return reader.consumer.implicitDirectories
    }

    private static func status(_ path: String) -> stat {
        var status = stat()
        lstat(path, &status)
        return status
    }

    @Test("take what the first layer below that has them says")
    func inherits() throws {
        try LayerTests.withDirectory { root in
            for name in ["/top", "/middle", "/bottom"] { mkdir(root + name, 0o755) }
            for name in ["/bottom/tmp", "/bottom/home", "/bottom/home/a", "/bottom/gone", "/middle/tmp"] {
                mkdir(root + name, 0o700)
            }
            chmod(root + "/middle/tmp", 0o1777)
            chown(root + "/bottom/home/a", 1000, 1001)
            mknod(root + "/middle/gone", 0o020000, 0)
            try LayerTests.setAttribute("user.note", "x", root + "/bottom/home/a")
            var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000_000, tv_nsec: 0)]
            utimensat(AT_FDCWD, root + "/bottom/home/a", &times, 0)
            let implicit = try Self.apply(
                ["tmp/f", "home/a/f", "gone/f", "new/f"].map { (LayerTests.entry($0), [1]) }, into: root + "/top")
            #expect(!implicit.isEmpty)
            try implicit.inherit(in: root + "/top", from: [root + "/middle", root + "/bottom"])
            #expect(Self.status(root + "/top/tmp").st_mode & 0o7777 == 0o1777)
            let home = Self.status(root + "/top/home/a")
            #expect(home.st_mode & 0o7777 == 0o700 && home.st_uid == 1000 && home.st_gid == 1001)
            #expect(home.st_mtim.tv_sec == 1_000_000_000)
            let directory = try Syscall.open(root + "/top/home/a", [.readOnly])
            let note = try directory.withDescriptor { try ExtendedAttributes.get("user.note", of: $0) }
            #expect(note == Array("x".utf8))
            // Deleted in between, or nowhere: as for any new directory.
            #expect(Self.status(root + "/top/gone").st_mode & 0o7777 == 0o755)
            #expect(Self.status(root + "/top/new").st_mode & 0o7777 == 0o755)
        }
    }

    @Test("are none where each directory has an entry, be it a late one")
    func none() throws {
        try LayerTests.withDirectory { root in
            let implicit = try Self.apply(
                [
                    (LayerTests.entry("a/b/f"), [1]), (LayerTests.entry("a", .directory), []),
                    (LayerTests.entry("a/b", .directory), []),
                ], into: root)
            #expect(implicit.isEmpty)
        }
    }
}
