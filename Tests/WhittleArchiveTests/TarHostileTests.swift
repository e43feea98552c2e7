import Testing
import WhittleArchive
import WhittleCore

/// Archives made by hand: what no writer would write.
enum RawTar {
    /// A header block with a right checksum.
    static func header(
        _ name: String = "f", type: Character = "0", size: [UInt8] = octal(0, 11), mtime: [UInt8] = octal(0, 11),
        magic: String = "ustar\u{0}00", change: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, _ offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        put(name.utf8, 0)
        put(octal(0o644, 7), 100)
        put(octal(0, 7), 108)
        put(octal(0, 7), 116)
        put(size, 124)
        put(mtime, 136)
        block[156] = type.asciiValue ?? 0
        put(magic.utf8, 257)
        change(&block)
        put([UInt8](repeating: 0x20, count: 8), 148)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0], 148)
        return block
    }

    static func octal(_ value: Int, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
    }

    /// GNU's form for large numbers, of 12 bytes.
    static func binary(_ value: Int64) -> [UInt8] {
        let bytes = withUnsafeBytes(of: value.bigEndian) { Array($0) }
        let fill: UInt8 = value < 0 ? 0xff : 0
        return [fill | 0x80, fill, fill, fill] + bytes
    }

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    /// A pax header with the text of its records.
    static func pax(_ records: String, type: Character = "x") -> [UInt8] {
        header("pax", type: type, size: octal(records.utf8.count, 11)) + padded(Array(records.utf8))
    }

    /// A record with its length.
    static func record(_ key: String, _ value: String) -> String {
        let rest = key.utf8.count + value.utf8.count + 3
        var length = rest + 1
        while String(length).count + rest != length { length = String(length).count + rest }
        return "\(length) \(key)=\(value)\n"
    }
}

@Suite("Hostile tar archives")
struct TarHostileTests {
    struct Example: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let problem: String
        var testDescription: String { name }
    }

    private static func pax(_ key: String, _ value: String) -> [UInt8] {
        RawTar.pax(RawTar.record(key, value)) + RawTar.header()
    }

    static let examples: [Example] = [
        Example(
            name: "a wrong checksum", bytes: RawTar.header().dropLast() + [1], problem: "a header with a wrong checksum"
        ),
        Example(
            name: "text", bytes: [UInt8](repeating: 0x41, count: 512), problem: "a header that is no tar header"),
        Example(
            name: "a negative size", bytes: RawTar.header(size: RawTar.binary(-1)),
            problem: "a header with a negative size"),
        Example(
            name: "a size that padding cannot follow", bytes: RawTar.header(type: "V", size: RawTar.binary(.max)),
            problem: "a number that is too large"),
        Example(
            name: "the same in a pax header", bytes: pax("size", "9223372036854775807"),
            problem: "a number that is too large"),
        Example(
            name: "a binary number of 11 bytes",
            bytes: RawTar.header(size: [0x80] + [UInt8](repeating: 0xff, count: 11)),
            problem: "a number that is too large"),
        Example(
            name: "a number with a sign", bytes: pax("uid", "+5"), problem: "a pax header with '+5' for a number"),
        Example(
            name: "a number beyond 64 bits", bytes: pax("gid", "9223372036854775808"),
            problem: "a pax header with '9223372036854775808' for a number"),
        Example(
            name: "a negative fraction", bytes: pax("mtime", "1.-5"), problem: "a pax header with '1.-5' for a number"),
        Example(name: "two signs", bytes: pax("mtime", "--5"), problem: "a pax header with '--5' for a number"),
        Example(name: "only a point", bytes: pax("mtime", "."), problem: "a pax header with '.' for a number"),
        Example(
            name: "a record longer than its header", bytes: RawTar.pax("99 path=f\n") + RawTar.header(),
            problem: "a pax header that breaks the format"),
        Example(
            name: "a record without a key", bytes: RawTar.pax("6 =ab\n") + RawTar.header(),
            problem: "a pax header that breaks the format"),
        Example(
            name: "a record without an end", bytes: RawTar.pax("9 path=f ") + RawTar.header(),
            problem: "a pax header that breaks the format"),
        Example(
            name: "a key with a NUL", bytes: pax("SCHILY.xattr.user.a\u{0}b", "x"),
            problem: "a pax header whose key has a NUL byte"),
        Example(name: "a path with a NUL", bytes: pax("path", "a\u{0}b"), problem: "a name with a NUL byte"),
        Example(name: "a link to nothing", bytes: RawTar.header(type: "2"), problem: "a link without a target"),
        Example(
            name: "a pax header at the end",
            bytes: RawTar.pax(RawTar.record("path", "f")) + [UInt8](repeating: 0, count: 1024),
            problem: "an extended header without an entry"),
        Example(
            name: "a long name of 2 MiB", bytes: RawTar.header(type: "L", size: RawTar.octal(2 << 20, 11)),
            problem: "an extended header of 2097152 bytes; the limit is 1048576"),
        Example(
            name: "a sparse map beyond the file",
            bytes: RawTar.header(type: "S", size: RawTar.octal(512, 11)) {
                $0.replaceSubrange(386..<397, with: RawTar.octal(1024, 11))
                $0.replaceSubrange(398..<409, with: RawTar.octal(512, 11))
                $0.replaceSubrange(483..<494, with: RawTar.octal(1000, 11))
            }, problem: "a sparse map that contradicts its entry"),
        Example(
            name: "a sparse map with an overflow",
            bytes: RawTar.header(type: "S", size: RawTar.octal(512, 11)) {
                $0.replaceSubrange(386..<398, with: RawTar.binary(.max))
                $0.replaceSubrange(398..<410, with: RawTar.binary(.max))
            }, problem: "a sparse map with impossible numbers"),
        Example(
            name: "a pax sparse map with an odd number of values",
            bytes: RawTar.pax(RawTar.record("GNU.sparse.size", "10") + RawTar.record("GNU.sparse.map", "0,1,2"))
                + RawTar.header(), problem: "a sparse map with an odd number of values"),
        Example(
            name: "a map of a million parts and one",
            bytes: RawTar.pax(RawTar.record("GNU.sparse.major", "1") + RawTar.record("GNU.sparse.realsize", "10"))
                + RawTar.header(size: RawTar.octal(512, 11)) + RawTar.padded(Array("1048577\n".utf8)),
            problem: "a sparse map of more than 1048576 parts"),
        Example(
            name: "a map longer than its data",
            bytes: RawTar.pax(RawTar.record("GNU.sparse.major", "1") + RawTar.record("GNU.sparse.realsize", "10"))
                + RawTar.header(size: RawTar.octal(512, 11))
                + Array(("600\n" + String(repeating: "0\n", count: 510)).utf8),
            problem: "a sparse map that is longer than its entry"),
    ]

    @Test("are refused, and the message says why", arguments: examples)
    func refused(_ example: Example) {
        for chunk in [1, 512, Int.max] {
            let message = Outcome.message { try TarSample.read(example.bytes, chunk: chunk) }
            #expect(message.hasPrefix("reading a tar archive: at byte "))
            #expect(message.hasSuffix(": \(example.problem)"), "\(message)")
        }
    }

    struct Time: CustomTestStringConvertible, Sendable {
        let text: String
        let time: Timestamp
        var testDescription: String { text }
    }

    static let timeForms = [
        Time(text: "1.5", time: Timestamp(seconds: 1, nanoseconds: 500_000_000)),
        Time(text: ".25", time: Timestamp(seconds: 0, nanoseconds: 250_000_000)),
        Time(text: "7.", time: Timestamp(seconds: 7)),
        Time(text: "-0.5", time: Timestamp(seconds: -1, nanoseconds: 500_000_000)),
        Time(text: "-3", time: Timestamp(seconds: -3)),
        Time(text: "-9223372036854775807.9", time: Timestamp(seconds: .min, nanoseconds: 100_000_000)),
        Time(text: "1.12345678901234567890", time: Timestamp(seconds: 1, nanoseconds: 123_456_789)),
    ]

    @Test("times of any form are read", arguments: timeForms)
    func readsTimes(_ example: Time) throws {
        let items = try TarSample.read(Self.pax("mtime", example.text))
        #expect(items.first?.entry.modified == example.time)
    }

    @Test("a sparse map of many parts takes time in proportion", .timeLimit(.minutes(1)))
    func manyParts() throws {
        let count = 200_000
        var map = "\(count)\n"
        for part in 0..<count { map += "\(part * 2)\n1\n" }
        let data = RawTar.padded(Array(map.utf8))
        let records = RawTar.record("GNU.sparse.major", "1") + RawTar.record("GNU.sparse.realsize", "\(2 * count)")
        let size = data.count + count
        let bytes =
            RawTar.pax(records) + RawTar.header(size: RawTar.octal(size, 11)) + data
            + RawTar.padded([UInt8](repeating: 1, count: count))
        var reader = TarReader(CountingConsumer())
        try bytes.withUnsafeBytes { try reader.feed($0) }
        try reader.finish()
        #expect(reader.consumer.data == count)
        #expect(reader.consumer.holes == count)
    }

    struct CountingConsumer: TarConsumer {
        var data = 0
        var holes = 0
        mutating func begin(_ entry: TarEntry) {}
        mutating func data(_ bytes: UnsafeRawBufferPointer) { data += bytes.count }
        mutating func hole(_ count: Int64) { holes += Int(count) }
        mutating func end() {}
    }

    @Test("entries of unknown types are passed over with their data")
    func vendors() throws {
        let bytes =
            RawTar.header("v", type: "V", size: RawTar.octal(600, 11))
            + RawTar.padded([UInt8](repeating: 1, count: 600))
            + RawTar.header("f")
        #expect(try TarSample.read(bytes).map { $0.entry.displayPath } == ["f"])
    }

    @Test("global records count for entries that have none of their own, but never name one")
    func global() throws {
        let records = RawTar.record("uid", "7") + RawTar.record("path", "wrong") + RawTar.record("comment", "c")
        let bytes =
            RawTar.pax(records, type: "g") + RawTar.header("a") + RawTar.pax(RawTar.record("uid", "9"))
            + RawTar.header("b")
        let items = try TarSample.read(bytes)
        #expect(items.map { $0.entry.displayPath } == ["a", "b"])
        #expect(items.map { $0.entry.uid } == [7, 9])
    }

    @Test("old headers: V7 directories, GNU's long names and links, binary numbers")
    func oldForms() throws {
        let long = String(repeating: "n", count: 300)
        let bytes =
            RawTar.header("d/", type: "\0", magic: "")
            + RawTar.header("@", type: "L", size: RawTar.octal(301, 11)) + RawTar.padded(Array(long.utf8) + [0])
            + RawTar.header("@", type: "K", size: RawTar.octal(301, 11)) + RawTar.padded(Array(long.utf8) + [0])
            + RawTar.header("n", type: "2", mtime: RawTar.binary(-5), magic: "ustar  \u{0}")
        let items = try TarSample.read(bytes)
        #expect(items.map { $0.entry.kind } == [.directory, .symbolicLink])
        #expect(items.last?.entry.displayPath == long)
        #expect(items.last?.entry.linkTarget == Array(long.utf8))
        #expect(items.last?.entry.modified == Timestamp(seconds: -5))
    }

    @Test("a tar header is told from other bytes")
    func probe() {
        #expect(TarHeaderProbe.isHeader(RawTar.header()))
        #expect(!TarHeaderProbe.isHeader([UInt8](repeating: 0, count: 512)))
        #expect(!TarHeaderProbe.isHeader(Array(RawTar.header().dropLast())))
        #expect(!TarHeaderProbe.isHeader([UInt8](repeating: 0x41, count: 600)))
    }
}
