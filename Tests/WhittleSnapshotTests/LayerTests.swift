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

    static func withDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-layer-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? TreeRemoval.remove(path)
        }
        return try body(path)
    }

    static func write(_ directory: String) throws -> (bytes: [UInt8], count: Int) {
        let bytes = Bytes()
        let count = try LayerWriter(changesIn: directory).write(cancellation: Cancellation()) {
            bytes.value += Array($0)
        }
        return (bytes.value, count)
    }

    static func apply(_ bytes: [UInt8], into directory: String, limit: ByteCount = ByteCount(Int64.max)) throws {
        var reader = TarReader(try LayerApplier(into: directory, limit: limit))
        try bytes.withUnsafeBytes { try reader.feed($0) }
        try reader.finish()
        try reader.consumer.finish()
    }

    static func tar(_ entries: [(TarEntry, [UInt8])]) throws -> [UInt8] {
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

    static func entry(_ path: String, _ kind: TarEntry.Kind = .regular, to target: String = "") -> TarEntry {
        TarEntry(
            path: Array(path.utf8), kind: kind, permissions: kind == .directory ? 0o755 : 0o644,
            linkTarget: Array(target.utf8))
    }

    static func setAttribute(_ name: String, _ value: String, _ path: String) throws {
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

    struct Refusal: CustomTestStringConvertible, Sendable {
        let entries: [(TarEntry, [UInt8])]
        let message: String
        var testDescription: String { message }
    }

    static let refusals: [Refusal] = [
        Refusal(entries: [(entry("../a"), [])], message: "the entry '../a' is refused: its path leads upwards ('..')"),
        Refusal(
            entries: [(entry("l", .symbolicLink, to: "/etc"), []), (entry("l/a"), [])],
            message: "the entry 'l/a' is refused: 'l' on its way is not a directory"),
        Refusal(
            entries: [(entry("h", .hardLink, to: "missing"), [])],
            message: "the entry 'h' is refused: it is a hard link to 'missing', which the layer does not have"),
        Refusal(
            entries: [(entry("d", .directory), []), (entry("h", .hardLink, to: "d"), [])],
            message: "the entry 'h' is refused: it is a hard link to 'd', which is a directory"),
        Refusal(
            entries: [(entry("f"), []), (entry("f", .hardLink, to: "./f"), [])],
            message: "the entry 'f' is refused: it is a hard link to itself"),
        Refusal(
            entries: [(entry("f", .hardLink, to: "/"), [])],
            message: "the entry 'f' is refused: it is a hard link to the root directory"),
        Refusal(
            entries: [(entry("/", .symbolicLink, to: "x"), [])],
            message: "the entry '/' is refused: the root must be a directory"),
        Refusal(entries: [(entry("d/.wh.."), [])], message: "the entry 'd/.wh..' is refused: it deletes '.' or '..'"),
        Refusal(
            entries: [(entry(String(repeating: "n", count: 256)), [])],
            message:
                "the entry '\(String(repeating: "n", count: 256))' is refused: a part of its path is longer than 255 bytes"
        ),
        Refusal(
            entries: [(entry(String(repeating: "a/", count: 2048)), [])],
            message: "the entry '\(String(repeating: "a/", count: 32))…' is refused: its path is longer than 4095 bytes"
        ),
    ]

    @Test("a refusal says which entry and why", arguments: refusals)
    func refusal(_ example: Refusal) throws {
        try Self.withDirectory { root in
            do {
                try Self.apply(Self.tar(example.entries), into: root)
                Issue.record("unpacked")
            } catch let error as BuildError {
                #expect(error.message == "unpacking a layer: " + example.message)
            }
        }
    }

    @Test("a layer that is refused leaves no file open")
    func closes() throws {
        try Self.withDirectory { root in
            mkdir(root + "/d", 0o755)
            var bytes = try Self.tar([(Self.entry("a/b/f"), [UInt8](repeating: 1, count: 5000))])
            bytes.removeLast(4096)
            #expect(throws: BuildError.self) { try Self.apply(bytes, into: root + "/d") }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name in
                // One that another test closed meanwhile is not ours.
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
            }
            #expect(!open.contains { $0.hasPrefix(root) })
        }
    }

    @Test("a deletion leaves what the same layer has under the name")
    func deletionOfOwn() throws {
        try Self.withDirectory { root in
            try Self.apply(
                Self.tar([
                    (Self.entry("f"), [1]), (Self.entry(".wh.f"), []), (Self.entry("d/g"), [2]),
                    (Self.entry(".wh.d"), []),
                    (Self.entry(".wh.x"), []), (Self.entry("x"), [3]),
                ]), into: root)
            for (name, contents) in [("f", [1]), ("d/g", [2]), ("x", [3])] as [(String, [UInt8])] {
                #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/" + name)) == Data(contents))
            }
            let directory = try Syscall.open(root + "/d", [.readOnly])
            let value = try directory.withDescriptor { try ExtendedAttributes.get("trusted.overlay.opaque", of: $0) }
            #expect(value == Array("y".utf8))
        }
    }

    @Test("markers are files like others where the archive is no layer")
    func keepsMarkers() throws {
        try Self.withDirectory { root in
            let rules = LayerApplier.ArchiveRules(
                owner: nil, latestTime: FileTime(seconds: 5), clampsDirectories: false)
            var reader = TarReader(try LayerApplier(unpackingInto: RootDirectory(root), rules))
            try Self.tar([(Self.entry(".wh.f"), [1]), (Self.entry(".wh..wh..opq"), [2])]).withUnsafeBytes {
                try reader.feed($0)
            }
            try reader.finish()
            try reader.consumer.finish()
            #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == [".wh..wh..opq", ".wh.f"])
        }
    }

    @Test("an empty file with overlayfs's attribute is a deletion, and times are cut at the latest")
    func attributesAndTimes() throws {
        try Self.withDirectory { root in
            try Data().write(to: URL(fileURLWithPath: root + "/gone"))
            try Self.setAttribute("trusted.overlay.whiteout", "y", root + "/gone")
            try Data([1]).write(to: URL(fileURLWithPath: root + "/new"))
            try Data([1]).write(to: URL(fileURLWithPath: root + "/old"))
            var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 7), timespec(tv_sec: 1_000_000_000, tv_nsec: 7)]
            utimensat(AT_FDCWD, root + "/old", &times, 0)
            let recorder = Recorder()
            var reader = TarReader(recorder)
            let writer = LayerWriter(changesIn: root, times: .atMost(Timestamp(seconds: 1_500_000_000, nanoseconds: 1)))
            _ = try writer.write(cancellation: Cancellation()) { try reader.feed($0) }
            try reader.finish()
            #expect(recorder.entries.map { $0.displayPath } == [".wh.gone", "new", "old"])
            #expect(recorder.entries.map { $0.modified.seconds } == [0, 1_500_000_000, 1_000_000_000])
            #expect(recorder.entries.allSatisfy { $0.attributes.isEmpty && $0.modified.nanoseconds == 0 })
        }
    }

    final class Recorder: TarConsumer {
        var entries: [TarEntry] = []
        func begin(_ entry: TarEntry) { entries.append(entry) }
        func data(_ bytes: UnsafeRawBufferPointer) {}
        func hole(_ count: Int64) {}
        func end() {}
    }

    @Test("cancelling ends the writing with that error")
    func cancelled() throws {
        try Self.withDirectory { root in
            try Data(repeating: 1, count: 5 << 20).write(to: URL(fileURLWithPath: root + "/f"))
            let cancellation = Cancellation()
            #expect(throws: CancellationError.self) {
                _ = try LayerWriter(changesIn: root).write(cancellation: cancellation) { _ in cancellation.cancel() }
            }
        }
    }
}
