import Foundation
import Glibc
import Testing
import WhittleArchive
import WhittleCore
import WhittleFileSystem
import WhittleSnapshot

@Suite("Layers", .enabled(if: geteuid() == 0, "devices and owners need root"))
struct LayerTests {
    final class Bytes { var value: [UInt8] = [] }

    private static func withDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-layer-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? TreeRemoval.remove(path)
        }
        return try body(path)
    }

    private static func write(_ directory: String) throws -> (bytes: [UInt8], count: Int) {
        let bytes = Bytes()
        let count = try LayerWriter(changesIn: directory).write(cancellation: Cancellation()) {
            bytes.value += Array($0)
        }
        return (bytes.value, count)
    }

    private static func apply(_ bytes: [UInt8], into directory: String, limit: ByteCount = ByteCount(Int64.max)) throws
    {
        var reader = TarReader(try LayerApplier(into: directory, limit: limit))
        try bytes.withUnsafeBytes { try reader.feed($0) }
        try reader.finish()
        try reader.consumer.finish()
    }

    private static func tar(_ entries: [(TarEntry, [UInt8])]) throws -> [UInt8] {
        let bytes = Bytes()
        var writer = TarWriter { bytes.value += Array($0) }
        for (entry, contents) in entries {
            var entry = entry
            if entry.kind == .regular { entry.size = Int64(contents.count) }
            try writer.begin(entry)
            try writer.write(contents)
        }
        try writer.finish()
        return bytes.value
    }

    private static func entry(_ path: String, _ kind: TarEntry.Kind = .regular, to target: String = "") -> TarEntry {
        TarEntry(
            path: Array(path.utf8), kind: kind, permissions: kind == .directory ? 0o755 : 0o644,
            linkTarget: Array(target.utf8))
    }

    private static func setAttribute(_ name: String, _ value: String, _ path: String) throws {
        let file = try Syscall.open(path, [.readOnly])
        try file.withDescriptor {
            try ExtendedAttributes.set(ExtendedAttribute(name: name, value: Array(value.utf8)), on: $0)
        }
    }

    /// Everything a layer can hold, in overlayfs's form.
    private static func makeTree(_ root: String) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: root + "/dir/sub", withIntermediateDirectories: true)
        try "one".write(toFile: root + "/dir/file", atomically: false, encoding: .utf8)
        link(root + "/dir/file", root + "/other name")
        symlink("../dir/file", root + "/dir/link")
        mkfifo(root + "/pipe", 0o600)
        mknod(root + "/null", 0o020666, dev_t(1 << 8 | 3))
        mknod(root + "/dir/deleted", 0o020000, 0)
        chown(root + "/dir/sub", 1000, 1001)
        chmod(root + "/dir/file", 0o4755)
        try setAttribute("user.note", "x", root + "/dir/file")
        mkdir(root + "/opaque", 0o700)
        try setAttribute("trusted.overlay.opaque", "y", root + "/opaque")
        try "kept".write(toFile: root + "/opaque/kept", atomically: false, encoding: .utf8)
        for path in ["/dir", "/dir/file", "/dir/sub", "/opaque"] {
            var times = [timespec(tv_sec: 1_600_000_000, tv_nsec: 5), timespec(tv_sec: 1_600_000_000, tv_nsec: 5)]
            utimensat(AT_FDCWD, root + path, &times, 0)
        }
    }

    @Test("a layer unpacks to what it was made from, and gives the same bytes again")
    func roundTrip() throws {
        try Self.withDirectory { root in
            for name in ["/a", "/b"] { mkdir(root + name, 0o755) }
            try Self.makeTree(root + "/a")
            let (bytes, count) = try Self.write(root + "/a")
            #expect(count == 10)
            try Self.apply(bytes, into: root + "/b")
            #expect(try Self.write(root + "/b").bytes == bytes)
            var status = stat()
            lstat(root + "/b/dir/deleted", &status)
            #expect(status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0)
            lstat(root + "/b/dir/file", &status)
            #expect(status.st_nlink == 2 && status.st_mode & 0o7777 == 0o4755 && status.st_mtim.tv_sec == 1_600_000_000)
            let opaque = try Syscall.open(root + "/b/opaque", [.readOnly])
            let value = try opaque.withDescriptor { try ExtendedAttributes.get("trusted.overlay.opaque", of: $0) }
            #expect(value == Array("y".utf8))
        }
    }

    @Test("names what the image specification says for deletions")
    func markers() throws {
        try Self.withDirectory { root in
            try Self.makeTree(root)
            var reader = TarReader(NameConsumer())
            try Self.write(root).bytes.withUnsafeBytes { try reader.feed($0) }
            #expect(
                reader.consumer.names == [
                    "dir/", "dir/.wh.deleted", "dir/file", "dir/link", "dir/sub/", "null", "opaque/",
                    "opaque/.wh..wh..opq",
                    "opaque/kept", "other name", "pipe",
                ])
        }
    }

    struct NameConsumer: TarConsumer {
        var names: [String] = []
        mutating func begin(_ entry: TarEntry) { names.append(entry.displayPath) }
        mutating func data(_ bytes: UnsafeRawBufferPointer) {}
        mutating func hole(_ count: Int64) {}
        mutating func end() {}
    }

    struct Hostile: CustomTestStringConvertible, Sendable {
        let name: String
        let entries: [(TarEntry, [UInt8])]
        var testDescription: String { name }
    }

    static let hostile: [Hostile] = [
        Hostile(name: "'..' in a path", entries: [(entry("../escaped"), [1])]),
        Hostile(name: "'..' further inside", entries: [(entry("a/../../escaped"), [1])]),
        Hostile(
            name: "through a link to outside",
            entries: [(entry("a", .symbolicLink, to: "/tmp"), []), (entry("a/escaped"), [1])]),
        Hostile(
            name: "through a relative link",
            entries: [(entry("a", .symbolicLink, to: "../.."), []), (entry("a/escaped"), [1])]),
        Hostile(name: "a hard link to '..'", entries: [(entry("a", .hardLink, to: "../escaped"), [])]),
        Hostile(
            name: "a hard link through a link",
            entries: [(entry("l", .symbolicLink, to: "/etc"), []), (entry("a", .hardLink, to: "l/passwd"), [])]),
        Hostile(name: "deletes '..'", entries: [(entry("d", .directory), []), (entry("d/.wh..."), [])]),
        Hostile(name: "deletes '.'", entries: [(entry("d", .directory), []), (entry("d/.wh.."), [])]),
        Hostile(name: "below a file", entries: [(entry("f"), [1]), (entry("f/g"), [1])]),
    ]

    @Test("what leads outside is refused", arguments: hostile)
    func refuses(_ example: Hostile) throws {
        try Self.withDirectory { root in
            mkdir(root + "/layer", 0o755)
            do {
                try Self.apply(Self.tar(example.entries), into: root + "/layer")
                Issue.record("unpacked")
            } catch let error as BuildError {
                #expect(error.code.rawValue == "unsafe-layer")
            }
            #expect(!FileManager.default.fileExists(atPath: root + "/escaped"))
            #expect(!FileManager.default.fileExists(atPath: "/tmp/escaped"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["layer"])
        }
    }

    @Test("absolute paths start at the root of the layer")
    func absolute() throws {
        try Self.withDirectory { root in
            try Self.apply(Self.tar([(Self.entry("/etc/whittle-test"), [1])]), into: root)
            #expect(FileManager.default.fileExists(atPath: root + "/etc/whittle-test"))
        }
    }

    @Test("later entries replace earlier ones, of whatever kind")
    func replaces() throws {
        try Self.withDirectory { root in
            try Self.apply(
                Self.tar([
                    (Self.entry("a/b/c"), [1]), (Self.entry("a/b", .symbolicLink, to: "x"), []),
                    (Self.entry("a", .directory), []),
                    (Self.entry("f"), [1]), (Self.entry("f", .directory), []), (Self.entry("f/g"), [2]),
                    (Self.entry("f/g"), [3, 4]),
                ]), into: root)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: root + "/a/b") == "x")
            #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/f/g")) == Data([3, 4]))
        }
    }

    @Test("a layer that holds more than allowed is refused")
    func bomb() throws {
        try Self.withDirectory { root in
            do {
                try Self.apply(
                    Self.tar([(Self.entry("f"), [UInt8](repeating: 1, count: 5000))]), into: root, limit: 4096)
                Issue.record("unpacked")
            } catch let error as BuildError {
                #expect(error.code.rawValue == "layer-too-large")
            }
        }
    }

    @Test("a large file with holes keeps its size without filling the disk")
    func sparse() throws {
        try Self.withDirectory { root in
            var applier = try LayerApplier(into: root)
            var entry = Self.entry("sparse")
            entry.size = 9 << 30
            try applier.begin(entry)
            try applier.hole(5 << 30)
            try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try applier.data($0) }
            try applier.hole((4 << 30) - 10)
            try applier.end()
            try applier.finish()
            var status = stat()
            stat(root + "/sparse", &status)
            #expect(status.st_size == 9 << 30)
            #expect(status.st_blocks < 1000)
        }
    }
}
