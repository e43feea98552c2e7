import CSQLite
import Testing

@testable import WhittlePackages

@Suite("RPM databases")
struct RPMTests {
    private static func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xFF) } }
    private static func little(_ value: Int, _ size: Int = 4) -> [UInt8] {
        (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) }
    }

    private static func header(_ name: String, release: String = "2.el9") -> [UInt8] {
        var index: [UInt8] = []
        var data: [UInt8] = []
        func text(_ tag: Int, _ value: String) {
            index += big(tag) + big(6) + big(data.count) + big(1)
            data += Array(value.utf8) + [0]
        }
        text(1000, name)
        text(1001, "5.1")
        text(1002, release)
        text(1014, "GPL-3.0-or-later")
        text(1022, "x86_64")
        text(1044, "\(name)-src-5.1-\(release).src.rpm")
        while data.count % 4 != 0 { data.append(0) }
        index += big(1003) + big(4) + big(data.count) + big(1)
        data += big(1)
        return big(index.count / 16) + big(data.count) + index + data
    }

    private static func findings(_ kind: EvidenceKind, _ bytes: [UInt8]) -> Findings {
        let reader = EvidenceReader(kind, path: "var/lib/rpm/Packages")
        bytes.withUnsafeBytes { reader.take($0) }
        return reader.finish()
    }

    private static func ndb(_ blobs: [[UInt8]]) -> [UInt8] {
        var slots: [UInt8] = Array("RpmP".utf8) + little(0) + little(1) + little(1) + [UInt8](repeating: 0, count: 16)
        var data: [UInt8] = []
        for (index, blob) in blobs.enumerated() {
            slots += Array("Slot".utf8) + little(index + 1) + little((4096 + data.count) / 16) + little(1)
            data += Array("BlbS".utf8) + little(index + 1) + little(0) + little(blob.count) + blob
            while data.count % 16 != 0 { data.append(0) }
        }
        return slots + [UInt8](repeating: 0, count: 4096 - slots.count) + data
    }

    /// One hash page with the packages on chains of pages.
    private static func berkeley(_ blobs: [[UInt8]]) -> [UInt8] {
        let size = 512
        func page(_ number: Int, next: Int, entries: Int, used: Int, type: UInt8, _ body: [UInt8]) -> [UInt8] {
            let head =
                [UInt8](repeating: 0, count: 8) + little(number) + little(0) + little(next) + little(entries, 2)
                + little(used, 2) + [0, type]
            return head + body + [UInt8](repeating: 0, count: size - head.count - body.count)
        }
        var meta = [UInt8](repeating: 0, count: size)
        meta.replaceSubrange(12..<16, with: little(0x061561))
        meta.replaceSubrange(20..<24, with: little(size))
        var offsets: [UInt8] = []
        var items: [UInt8] = []
        var chains: [UInt8] = []
        var next = 2
        for blob in blobs {
            let pieces = stride(from: 0, to: blob.count, by: size - 26).map {
                Array(blob[$0..<min($0 + size - 26, blob.count)])
            }
            let place = size - 12 - items.count
            items = [3, 0, 0, 0] + little(next) + little(blob.count) + items
            offsets += little(0, 2) + little(place, 2)
            for (index, piece) in pieces.enumerated() {
                chains += page(
                    next + index, next: index + 1 < pieces.count ? next + index + 1 : 0, entries: 1, used: piece.count,
                    type: 7, piece)
            }
            next += pieces.count
        }
        let middle = [UInt8](repeating: 0, count: size - 26 - offsets.count - items.count)
        return meta + page(1, next: 0, entries: blobs.count * 2, used: 0, type: 13, offsets + middle + items) + chains
    }

    private static func sqlite(
        _ blobs: [[UInt8]], table: String = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)"
    )
        -> [UInt8]
    {
        var connection: OpaquePointer?
        sqlite3_open(":memory:", &connection)
        defer { sqlite3_close(connection) }
        sqlite3_exec(connection, table, nil, nil, nil)
        for blob in blobs {
            let hex = blob.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            sqlite3_exec(connection, "INSERT INTO Packages (blob) VALUES (x'\(hex)')", nil, nil, nil)
        }
        var size: Int64 = 0
        guard let bytes = sqlite3_serialize(connection, "main", &size, 0) else { return [] }
        defer { sqlite3_free(bytes) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(size)))
    }

    private static let blobs = [header("bash"), header("gpg-pubkey"), header("glibc", release: "3.el9")]

    @Test(
        "are read in all three formats",
        arguments: [
            (EvidenceKind.rpmNDB, ndb(blobs)), (.rpmBerkeley, berkeley(blobs)), (.rpmSQLite, sqlite(blobs)),
        ])
    func formats(kind: EvidenceKind, bytes: [UInt8]) {
        let found = Self.findings(kind, bytes)
        #expect(found.problems == [])
        #expect(found.packages.map(\.name).sorted() == ["bash", "glibc"])
        let bash = found.packages.first { $0.name == "bash" }
        #expect(bash?.fullVersion == "1:5.1-2.el9")
        #expect(
            bash.map { PackageURL.text($0, on: Distribution(id: "rhel", version: "9.4")) }
                == "pkg:rpm/redhat/bash@5.1-2.el9?arch=x86_64&distro=rhel-9.4&epoch=1&upstream=bash-src%405.1-2.el9")
    }

    @Test(
        "that are cut short or changed are a problem, not a trap",
        arguments: [(EvidenceKind.rpmNDB, ndb(blobs)), (.rpmBerkeley, berkeley(blobs)), (.rpmSQLite, sqlite(blobs))])
    func broken(kind: EvidenceKind, bytes: [UInt8]) {
        for count in stride(from: 0, to: bytes.count, by: 61) { _ = Self.findings(kind, Array(bytes.prefix(count))) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var changed = bytes
            for _ in 0..<8 {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = Self.findings(kind, changed)
        }
        #expect(!Self.findings(kind, Array(bytes.prefix(40))).problems.isEmpty)
    }

    @Test("whose schema computes for ever are stopped", .timeLimit(.minutes(1)))
    func endless() {
        let view = """
            CREATE VIEW Packages AS WITH RECURSIVE c(hnum) AS (SELECT 1 UNION ALL SELECT hnum + 1 FROM c)
            SELECT hnum, NULL AS blob FROM c WHERE hnum < 0
            """
        let found = Self.findings(.rpmSQLite, Self.sqlite([], table: view))
        #expect(found.problems == ["SQLite cannot read it: interrupted"])
    }

    @Test("without the table are a problem")
    func other() {
        let found = Self.findings(.rpmSQLite, Self.sqlite([], table: "CREATE TABLE x (y)"))
        #expect(found.problems == ["SQLite cannot read it: no such table: Packages"])
    }

    @Test("in a circle of pages end")
    func circle() {
        var bytes = Self.berkeley([[UInt8](repeating: 1, count: 2000)])
        // The first page of the chain is followed by itself, and has almost nothing in it.
        bytes.replaceSubrange(1024 + 16..<1024 + 20, with: Self.little(2))
        #expect(Self.findings(.rpmBerkeley, bytes).packages == [])
    }
}
