/// RPM's own database format, which openSUSE and SLE have.
///
/// Format: RPM's `rpmpkg.c`, numbers with the least significant byte first. A header of 32 bytes (magic `RpmP`, version,
/// generation, number of pages of slots), then slots of 16 bytes (magic `Slot`, package, block, number of blocks), from the
/// third on; blobs begin at a block of 16 bytes with a header (magic `BlbS`, package, checksum, length).
enum RPMNDB {
    private static let pageSize = 4096

    static func findings(in bytes: [UInt8]) -> Findings {
        func number(_ offset: Int) -> Int { Int(bytes[offset..<offset + 4].integer(isBigEndian: false)) }
        guard bytes.count >= 32, number(0) == 0x506D_7052 else {
            return .problem("it is no RPM database of the kind 'ndb'")
        }
        let pages = number(12)
        guard pages <= bytes.count / pageSize else { return .problem("it is cut short") }
        var blobs: [[UInt8]] = []
        var problems: [String] = []
        for slot in stride(from: 32, to: pages * pageSize, by: 16) {
            guard slot + 16 <= bytes.count, number(slot) == 0x746F_6C53, number(slot + 4) != 0 else { continue }
            let start = number(slot + 8) * 16
            guard start <= bytes.count - 16, number(start) == 0x5362_6C42 else {
                problems.append("a package is not where its slot says")
                continue
            }
            let length = number(start + 12)
            guard start + 16 + length <= bytes.count else {
                problems.append("a package is cut short")
                continue
            }
            blobs.append(Array(bytes[start + 16..<start + 16 + length]))
        }
        var findings = RPMHeader.findings(blobs)
        findings.problems += Problems.few(problems)
        return findings
    }
}
