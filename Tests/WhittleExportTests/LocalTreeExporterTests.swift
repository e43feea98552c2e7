import Foundation
import Testing
import WhittleCore
import WhittleFileSystem

@testable import WhittleExport

@Suite("LocalTreeExporter")
struct LocalTreeExporterTests {
    private func export(_ source: String, to destination: String) throws {
        try LocalTreeExporter(source: source, destination: destination).write(Cancellation())
    }

    private func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    private func status(_ path: String) throws -> FileStatus { try Syscall.status(path) }

    @Test("copies files, directories, links and their metadata; the destination is made")
    func copies() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/source"
            try makeDirectory("\(source)/etc/deep")
            try write("hello", to: "\(source)/etc/deep/file")
            try write("", to: "\(source)/empty")
            try link("\(source)/etc/link", to: "deep/file")
            try link("\(source)/absolute", to: "/nowhere")
            #expect(mkfifo("\(source)/pipe", 0o600) == 0)
            #expect(chmod("\(source)/etc/deep/file", 0o4751) == 0)
            #expect(chmod("\(source)/etc/deep", 0o555) == 0)
            for path in ["etc/deep/file", "etc/deep", "etc", "empty"] {
                try Syscall.changeTimes("\(source)/\(path)", to: FileTime(seconds: 1_000_000, nanoseconds: 5))
            }
            let target = "\(directory)/a/b/target"
            try export(source, to: target)

            #expect(try read("\(target)/etc/deep/file") == "hello")
            #expect(try read("\(target)/empty") == "")
            #expect(try status("\(target)/etc/deep/file").permissions == 0o4751)
            #expect(try status("\(target)/etc/deep").permissions == 0o555)
            #expect(try status("\(target)/etc/deep").modified == FileTime(seconds: 1_000_000, nanoseconds: 5))
            #expect(try status("\(target)/etc/deep/file").modified == FileTime(seconds: 1_000_000, nanoseconds: 5))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(target)/etc/link") == "deep/file")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(target)/absolute") == "/nowhere")
            #expect(try status("\(target)/pipe").kind == .fifo)
            #expect(chmod("\(source)/etc/deep", 0o755) == 0 && chmod("\(target)/etc/deep", 0o755) == 0)
        }
    }

    @Test("keeps the names of one file together")
    func hardLinks() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/source"
            let target = "\(directory)/target"
            try makeDirectory("\(source)/b")
            try write("one", to: "\(source)/a")
            try FileManager.default.linkItem(atPath: "\(source)/a", toPath: "\(source)/b/c")
            // Twice: the second time both names exist and are one file already.
            for _ in 0..<2 {
                try export(source, to: target)
                #expect(try status("\(target)/a").inode == status("\(target)/b/c").inode)
                #expect(try read("\(target)/b/c") == "one")
                #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == ["a", "b"])
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(target)/b") == ["c"])
            }
        }
    }

    @Test("keeps what is there, replaces files, and writes nothing through links")
    func confined() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/source"
            let target = "\(directory)/target"
            let outside = "\(directory)/outside"
            for path in ["\(source)/dir", "\(source)/real", "\(target)/real", outside] { try makeDirectory(path) }
            try write("new", to: "\(source)/dir/file")
            try write("new", to: "\(source)/file")
            try write("new", to: "\(source)/real/added")
            try write("outside", to: "\(outside)/file")
            try write("kept", to: "\(target)/real/kept")
            // A directory and a file of the copy have the names of links that lead out.
            try link("\(target)/dir", to: outside)
            try link("\(target)/file", to: "\(outside)/file")
            // A file with another name elsewhere must not be written into, either.
            try write("shared", to: "\(outside)/shared")
            try FileManager.default.linkItem(atPath: "\(outside)/shared", toPath: "\(target)/real/added")

            try export(source, to: target)
            #expect(try read("\(outside)/file") == "outside")
            #expect(try read("\(outside)/shared") == "shared")
            #expect(try status("\(target)/dir").isDirectory)
            #expect(try read("\(target)/dir/file") == "new")
            #expect(try status("\(target)/file").isRegular)
            #expect(try read("\(target)/real/kept") == "kept")
            #expect(try read("\(target)/real/added") == "new")
        }
    }

    @Test("says so where a file would replace a directory, and leaves no temporary file")
    func conflict() throws {
        try withTemporaryDirectory { directory in
            try makeDirectory("\(directory)/source")
            try makeDirectory("\(directory)/target/name")
            try write("x", to: "\(directory)/source/name")
            let error = #expect(throws: BuildError.self) {
                try export("\(directory)/source", to: "\(directory)/target")
            }
            #expect(error?.code == .outputConflict)
            #expect(
                error?.message
                    == "cannot write output '\(directory)/target/name': the image has a file there, the destination a "
                    + "directory")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/target") == ["name"])
        }
    }

    @Test("holes of sparse files stay holes")
    func sparse() throws {
        try withTemporaryDirectory { directory in
            try makeDirectory("\(directory)/source")
            let file = open("\(directory)/source/sparse", O_CREAT | O_WRONLY, 0o644)
            #expect(pwrite(file, "x", 1, 64 << 20) == 1)
            close(file)
            try export("\(directory)/source", to: "\(directory)/target")
            let copy = try status("\(directory)/target/sparse")
            #expect(copy.size == (64 << 20) + 1)
            #expect(copy.blocks * 512 < 1 << 20)
        }
    }

    @Test("copies names that are not UTF-8, and trees deeper than a path may be long")
    func hostileNames() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/source"
            try makeDirectory(source)
            #expect(
                "\(source)/".withCString { base in
                    var path = Array(UnsafeBufferPointer(start: base, count: strlen(base)))
                    path += [CChar(bitPattern: 0xFF), CChar(bitPattern: 0xFE), 0]
                    return mkdir(path, 0o755)
                } == 0)
            // 30 directories of 200 bytes: 6,000 bytes, where a path ends at 4,096.
            let name = String(repeating: "d", count: 200)
            var descriptor = open(source, O_RDONLY | O_DIRECTORY)
            for _ in 0..<30 {
                #expect(mkdirat(descriptor, name, 0o755) == 0)
                let next = openat(descriptor, name, O_RDONLY | O_DIRECTORY)
                close(descriptor)
                descriptor = next
            }
            close(openat(descriptor, "leaf", O_CREAT | O_WRONLY, 0o644))
            close(descriptor)
            try export(source, to: "\(directory)/target")
            var entries = 0
            try TreeWalk("\(directory)/target").forEach(cancellation: nil) { _ in entries += 1 }
            #expect(entries == 32)
            try TreeRemoval.remove(source)
            try TreeRemoval.remove("\(directory)/target")
        }
    }

    @Test(
        "as root, copies have the owners, device nodes and capabilities of the originals", .enabled(if: geteuid() == 0))
    func asRoot() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/source"
            let target = "\(directory)/target"
            try makeDirectory(source)
            try write("x", to: "\(source)/file")
            #expect(chown("\(source)/file", 12, 34) == 0)
            #expect(mknod("\(source)/null", S_IFCHR | 0o666, 0x103) == 0)
            try link("\(source)/link", to: "file")
            #expect(lchown("\(source)/link", 5, 6) == 0)
            // VFS_CAP_REVISION_2 with cap_net_bind_service permitted and effective.
            let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            let file = try Syscall.open("\(source)/file", [.readOnly])
            try file.withDescriptor {
                try ExtendedAttributes.set(
                    ExtendedAttribute(name: "security.capability", value: capability), on: $0)
            }
            try export(source, to: target)
            #expect(try status("\(target)/file").owner == FileOwner(uid: 12, gid: 34))
            #expect(try status("\(target)/link").owner == FileOwner(uid: 5, gid: 6))
            #expect(try status("\(target)/null").specialDevice == status("\(source)/null").specialDevice)
            let copy = try Syscall.open("\(target)/file", [.readOnly])
            let found = try copy.withDescriptor { try ExtendedAttributes.get("security.capability", of: $0) }
            #expect(found == capability)
        }
    }
}
