#if canImport(Glibc)
    internal import Glibc
#endif

/// The parts of a secret that give it away by themselves: the token in `//registry/:_authToken=TOKEN`, a line of a private
/// key, a value in a JSON file.
///
/// A part is a run of 20 characters or more of which base64 and tokens are made, and that looks random: it has upper-case
/// and lower-case letters and digits, or it is hexadecimal. Names and words do not look so, and are in files by right.
enum KeyMaterial {
    /// Shorter runs are names more often than keys.
    static let minimumLength = 20
    /// A secret with more parts than this is a bundle of many keys; the longest are looked for.
    static let limit = 500
    private static let begin = Array("-----BEGIN".utf8)

    /// The parts of `bytes`, without those that are all of it.
    static func parts(of bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var parts: Set<[UInt8]> = []
        var isHeader = false
        for line in lines(of: bytes) {
            // The first line below is the header of the format: the same in every key of its kind.
            let isFirst = isHeader
            isHeader = line.starts(with: begin)
            if isHeader || isFirst { continue }
            for run in line.split(whereSeparator: { !isTokenByte($0) }) where isRandom(run) { parts.insert(Array(run)) }
        }
        parts.remove(Array(bytes))
        guard parts.count > limit else { return Array(parts) }
        let sorted = parts.sorted { ($1.count, $0.hashValue) < ($0.count, $1.hashValue) }
        return Array(sorted.prefix(limit))
    }

    /// The lines of a text, also of one inside a JSON string, where `\n` is two characters.
    static func lines(of bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            let next = index + 1
            let isEscape =
                bytes[index] == UInt8(ascii: "\\") && next < bytes.endIndex
                && (bytes[next] == UInt8(ascii: "n") || bytes[next] == UInt8(ascii: "r"))
            if isEscape || bytes[index] == 0x0A || bytes[index] == 0x0D {
                if index > start { lines.append(trimmed(bytes[start..<index])) }
                index += isEscape ? 2 : 1
                start = index
            } else {
                index += 1
            }
        }
        if start < bytes.endIndex { lines.append(trimmed(bytes[start...])) }
        return lines
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // The start of a JSON member in front of a key would hide that it is one.
        let key = line.indices.first { line[$0] == begin[0] && line[$0...].starts(with: begin) }
        return key.map { line[$0...] } ?? line.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isRandom(_ run: ArraySlice<UInt8>) -> Bool {
        guard run.count >= minimumLength else { return false }
        let isHexadecimal = run.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) || $0 == UInt8(ascii: "-")
        }
        if isHexadecimal { return Set(run).count >= 8 }
        guard run.contains(where: { (0x30...0x39).contains($0) }), run.contains(where: { (0x41...0x5A).contains($0) }),
            run.contains(where: { (0x61...0x7A).contains($0) })
        else { return false }
        return entropy(run) >= 3.5
    }

    /// Bits a character, as if each were drawn by itself: 20 random characters of 64 have 4.2 on average, words 2 to 3.
    private static func entropy(_ run: ArraySlice<UInt8>) -> Double {
        var counts: [UInt8: Int] = [:]
        for byte in run { counts[byte, default: 0] += 1 }
        let total = Double(run.count)
        return counts.values.reduce(0) { sum, count in
            let share = Double(count) / total
            return sum - share * log2(share)
        }
    }
}
