import Foundation
import Testing
import WhittleArchive
import WhittleCore

/// Keeps what a reader hands over.
struct RecordingConsumer: TarConsumer {
    struct Item: Equatable {
        var entry: TarEntry
        var contents: [UInt8] = []
        var hasEnded = false
    }
    var items: [Item] = []

    mutating func begin(_ entry: TarEntry) { items.append(Item(entry: entry)) }
    mutating func data(_ bytes: UnsafeRawBufferPointer) { items[items.count - 1].contents += Array(bytes) }
    mutating func hole(_ count: Int64) { items[items.count - 1].contents += [UInt8](repeating: 0, count: Int(count)) }
    mutating func end() { items[items.count - 1].hasEnded = true }
}

enum TarSample {
    static func write(_ entries: [(TarEntry, [UInt8])]) throws -> [UInt8] {
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

    final class Bytes { var value: [UInt8] = [] }

    static func read(_ bytes: [UInt8], chunk: Int = .max) throws -> [RecordingConsumer.Item] {
        var reader = TarReader(RecordingConsumer())
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + min(chunk, bytes.count))
            try bytes[start..<end].withUnsafeBytes { try reader.feed($0) }
            start = end
        }
        try reader.finish()
        return reader.consumer.items
    }

    static func path(_ text: String) -> [UInt8] { Array(text.utf8) }
}

@Suite("Tar")
struct TarTests {
    static let entries: [(TarEntry, [UInt8])] = [
        (TarEntry(path: TarSample.path("dir"), kind: .directory, permissions: 0o1777), []),
        (
            TarEntry(
                path: TarSample.path("dir/file"), kind: .regular, uid: 1000, gid: 1000,
                modified: Timestamp(seconds: 1_700_000_000)), Array("hello".utf8)
        ),
        (TarEntry(path: TarSample.path(String(repeating: "long/", count: 45) + "name"), kind: .regular), [1]),
        (TarEntry(path: TarSample.path(String(repeating: "x", count: 300)), kind: .regular), [2]),
        (
            TarEntry(
                path: TarSample.path("dir/ünï"), kind: .symbolicLink,
                linkTarget: TarSample.path(String(repeating: "t", count: 120))), []
        ),
        (TarEntry(path: [0x66, 0xff, 0xfe], kind: .hardLink, linkTarget: TarSample.path("dir/file")), []),
        (
            TarEntry(
                path: TarSample.path("big-owner"), kind: .regular, uid: 4_000_000_000, gid: 3_000_000,
                modified: Timestamp(seconds: -5)), []
        ),
        (TarEntry(path: TarSample.path("null"), kind: .characterDevice, deviceMajor: 1, deviceMinor: 3), []),
        (TarEntry(path: TarSample.path("pipe"), kind: .fifo), []),
        (
            TarEntry(
                path: TarSample.path("caps"), kind: .regular,
                attributes: ["security.capability": [1, 0, 10, 0, 61], "user.a": []]), []
        ),
    ]

    @Test("what was written is read again, in pieces of any size", arguments: [1, 7, 512, 1000, Int.max])
    func roundTrip(chunk: Int) throws {
        let items = try TarSample.read(TarSample.write(Self.entries), chunk: chunk)
        #expect(items.count == Self.entries.count)
        for (item, (entry, contents)) in zip(items, Self.entries) {
            var expected = entry
            expected.size = Int64(contents.count)
            if entry.kind == .directory { expected.path.append(UInt8(ascii: "/")) }
            #expect(item.entry == expected)
            #expect(item.contents == contents)
            #expect(item.hasEnded)
        }
    }

    @Test("GNU tar lists what was written")
    func gnuTar() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "whittle-tar-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(at: directory)
        }
        let archive = directory.appendingPathComponent("a.tar")
        try Data(TarSample.write(Self.entries)).write(to: archive)
        let names = try Tool.run("tar", ["--list", "--quoting-style=literal", "--file", archive.path])
        #expect(names.split(separator: 0x0a).count == Self.entries.count)
        #expect(String(decoding: names, as: UTF8.self).contains("dir/ünï\n"))
    }

    @Test(
        "archives of GNU tar are read, sparse files and long names included",
        arguments: ["gnu", "pax", "ustar", "v7", "posix"])
    func fromGNUTar(format: String) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "whittle-tar-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            // As above.
            try? FileManager.default.removeItem(at: directory)
        }
        try "hello".write(toFile: directory.path + "/file", atomically: false, encoding: .utf8)
        var names = ["file"]
        if format == "gnu" || format == "pax" || format == "posix" {
            let long = String(repeating: "n", count: 150)
            try "long".write(toFile: directory.path + "/" + long, atomically: false, encoding: .utf8)
            try Data().write(to: directory.appendingPathComponent("sparse"))
            let sparse = try FileHandle(forWritingTo: directory.appendingPathComponent("sparse"))
            for offset in stride(from: 0, to: 40, by: 4) {
                try sparse.seek(toOffset: UInt64(offset) << 20)
                try sparse.write(contentsOf: Data([UInt8(offset), 7]))
            }
            try sparse.truncate(atOffset: 50 << 20)
            try sparse.close()
            names += [long, "sparse"]
        }
        let archive = directory.path + "/a.tar"
        _ = try Tool.run(
            "tar",
            ["--create", "--format=\(format)"] + (names.count == 3 ? ["--sparse"] : []) + [
                "--file", archive, "--directory", directory.path,
            ] + names)
        let items = try TarSample.read([UInt8](Data(contentsOf: URL(fileURLWithPath: archive))), chunk: 10_240)
        #expect(items.map { $0.entry.displayPath } == names)
        #expect(items.first?.contents == Array("hello".utf8))
        if names.count == 3 {
            let expected = try Data(contentsOf: directory.appendingPathComponent("sparse"))
            #expect(Data(items[2].contents) == expected)
            #expect(items[2].entry.size == 50 << 20)
        }
    }

    @Test("an archive that is cut short is an error", arguments: [1, 511, 513, 1024 + 1, 1024 + 3])
    func truncated(length: Int) throws {
        let bytes = try TarSample.write(Array(Self.entries.prefix(2)))
        #expect(Outcome.code { try TarSample.read(Array(bytes.prefix(length))) } == "malformed-archive")
    }

    @Test("damaged headers are errors, never traps")
    func damaged() throws {
        let bytes = try TarSample.write(Self.entries)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            // Either a result or an error of ours.
            do { _ = try TarSample.read(copy) } catch { #expect(error is BuildError) }
        }
    }

    @Test("headers whose checksum is right and whose fields are wild are errors or entries")
    func wildFields() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var block = try Array(TarSample.write([Self.entries[1]]).prefix(512))
            let start = Int.random(in: 0..<500, using: &random)
            for index in start..<min(512, start + 12) { block[index] = UInt8.random(in: 0...255, using: &random) }
            block[156] = Array("0123456xgLKS7V".utf8).randomElement() ?? 0
            Self.fixChecksum(&block)
            do { _ = try TarSample.read(block + [UInt8](repeating: 0x31, count: 2048)) } catch {
                #expect(error is BuildError)
            }
        }
    }

    @Test("an extended header of more than a megabyte is refused")
    func hugeHeader() throws {
        var block = try Array(TarSample.write([Self.entries[1]]).prefix(512))
        block[156] = UInt8(ascii: "x")
        block.replaceSubrange(124..<135, with: Array("00000077777777".utf8.suffix(11)))
        Self.fixChecksum(&block)
        #expect(Outcome.code { try TarSample.read(block) } == "malformed-archive")
    }

    private static func fixChecksum(_ block: inout [UInt8]) {
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        let text = String(sum, radix: 8)
        block.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - text.count) + text).utf8) + [0, 0x20])
    }
}
