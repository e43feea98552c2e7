/// An RPM database in a hash of Berkeley DB, which RHEL 8, CentOS 7 and Amazon Linux 2 have.
///
/// Format: Berkeley DB 4 and 5, `db_page.h`. Pages of one size; the first is metadata (magic at 12, page size at 20, last page
/// at 32). A page has a header of 26 bytes (next page at 16, number of entries at 20, bytes used at 22, type at 25). Of a hash
/// page, entries are keys and values by turns, each at an offset of 16 bits; a value too large for it is a chain of overflow
/// pages (page at 4, length at 8).
enum RPMBerkeley {
    private static let hashMagic: UInt64 = 0x061561
    private static let headerSize = 26

    static func findings(in bytes: [UInt8]) -> Findings {
        guard bytes.count >= 512 else { return .problem("it is no hash of Berkeley DB") }
        guard let isBigEndian = [false, true].first(where: { bytes[12..<16].integer(isBigEndian: $0) == hashMagic })
        else {
            return .problem("it is no hash of Berkeley DB")
        }
        let file = File(bytes: bytes, isBigEndian: isBigEndian)
        guard file.pageSize >= 512, file.pageSize <= 65_536 else {
            return .problem("its pages have an impossible size")
        }
        var blobs: [[UInt8]] = []
        var problems: [String] = []
        for page in 1..<max(2, bytes.count / file.pageSize) {
            // Hash pages, unsorted and sorted.
            guard let type = file.byte(page, 25), type == 2 || type == 13 else { continue }
            let entries = file.number(page, 20, 2) ?? 0
            for index in stride(from: 1, to: entries, by: 2) {
                guard let offset = file.number(page, headerSize + index * 2, 2) else { break }
                // Small values are no packages: the first entry is a counter.
                guard file.byte(page, offset) == 3 else { continue }
                guard let first = file.number(page, offset + 4, 4), let length = file.number(page, offset + 8, 4),
                    let blob = file.overflow(from: first, length: length)
                else {
                    problems.append("a package is cut short")
                    continue
                }
                blobs.append(blob)
            }
        }
        var findings = RPMHeader.findings(blobs)
        findings.problems += Problems.few(problems)
        return findings
    }

    private struct File {
        let bytes: [UInt8]
        let isBigEndian: Bool
        let pageSize: Int

        init(bytes: [UInt8], isBigEndian: Bool) {
            self.bytes = bytes
            self.isBigEndian = isBigEndian
            pageSize = Int(bytes[20..<24].integer(isBigEndian: isBigEndian))
        }

        func byte(_ page: Int, _ offset: Int) -> UInt8? { number(page, offset, 1).map { UInt8($0) } }

        /// A number of a page; `nil` outside of the page or the file.
        func number(_ page: Int, _ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= pageSize - size, page >= 0, page < bytes.count / pageSize else { return nil }
            let start = page * pageSize + offset
            return Int(bytes[start..<start + size].integer(isBigEndian: isBigEndian))
        }

        /// The bytes of a chain of pages; `nil` where it is broken or goes in a circle.
        func overflow(from first: Int, length: Int) -> [UInt8]? {
            guard length <= bytes.count else { return nil }
            var blob: [UInt8] = []
            blob.reserveCapacity(length)
            var page = first
            while page != 0, blob.count < length {
                guard byte(page, 25) == 7, let next = number(page, 16, 4), let used = number(page, 22, 2), used > 0,
                    RPMBerkeley.headerSize + used <= pageSize
                else { return nil }
                let start = page * pageSize + RPMBerkeley.headerSize
                blob.append(contentsOf: bytes[start..<start + used])
                page = next
            }
            return blob.count >= length ? Array(blob.prefix(length)) : nil
        }
    }
}
