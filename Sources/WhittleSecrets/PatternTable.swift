#if canImport(Glibc)
    internal import Glibc
#endif

/// Looks for many byte strings at once.
///
/// The algorithm of Wu and Manber: a window as long as the shortest pattern moves over the text. The last three bytes in it
/// say how far it can move without passing a pattern's start; where that is no distance at all, the patterns that have these
/// three bytes at that place are compared. With a dozen patterns of 8 bytes most steps are 6 bytes long.
final class PatternTable: Sendable {
    /// Where a pattern begins, and which one.
    struct Match: Equatable {
        let pattern: Int
        let range: Range<Int>
    }

    let patterns: [[UInt8]]
    /// Of the longest pattern; 0 without patterns.
    let maximumLength: Int
    private let window: Int
    private let tableBits: UInt32
    private let shifts: [UInt8]
    private let buckets: [UInt32: [Int]]

    /// - Parameter patterns: each at least 3 bytes long.
    init(_ patterns: [[UInt8]]) {
        precondition(patterns.allSatisfy { $0.count >= 3 }, "a pattern is shorter than what is hashed")
        self.patterns = patterns
        maximumLength = patterns.map(\.count).max() ?? 0
        let window = min(patterns.map(\.count).min() ?? 3, 255)
        self.window = window
        // Few patterns fit the nearest cache; with many, a larger table keeps the steps long.
        tableBits = patterns.count <= 256 ? 16 : 20
        var shifts = [UInt8](repeating: UInt8(window - 2), count: 1 << tableBits)
        var buckets: [UInt32: [Int]] = [:]
        for (number, pattern) in patterns.enumerated() {
            for end in 2..<window {
                let hash = Self.hash(pattern[end - 2], pattern[end - 1], pattern[end], tableBits)
                shifts[Int(hash)] = min(shifts[Int(hash)], UInt8(window - 1 - end))
            }
            let hash = Self.hash(pattern[window - 3], pattern[window - 2], pattern[window - 1], tableBits)
            buckets[hash, default: []].append(number)
        }
        // Of two patterns that begin at one place, the longer one is the match.
        for hash in buckets.keys { buckets[hash]?.sort { patterns[$0].count > patterns[$1].count } }
        self.shifts = shifts
        self.buckets = buckets
    }

    /// The match that begins first at or after `start`; the longest of those that begin there.
    func firstMatch(in text: UnsafeRawBufferPointer, from start: Int = 0) -> Match? {
        guard !patterns.isEmpty, let base = text.baseAddress else { return nil }
        let count = text.count
        let bits = tableBits
        return shifts.withUnsafeBufferPointer { shifts in
            guard let table = shifts.baseAddress else { return nil }
            let bytes = base.assumingMemoryBound(to: UInt8.self)
            var end = start + window - 1
            while end < count {
                let hash = Self.hash(bytes[end - 2], bytes[end - 1], bytes[end], bits)
                let shift = Int(table[Int(hash)])
                if shift > 0 {
                    end += shift
                    continue
                }
                if let match = match(in: text, at: end - window + 1, hash) { return match }
                end += 1
            }
            return nil
        }
    }

    private func match(in text: UnsafeRawBufferPointer, at start: Int, _ hash: UInt32) -> Match? {
        guard let candidates = buckets[hash] else { return nil }
        for number in candidates {
            let pattern = patterns[number]
            guard pattern.count <= text.count - start, text[start] == pattern[0] else { continue }
            let isEqual = pattern.withUnsafeBytes { pattern in
                UnsafeRawBufferPointer(rebasing: text[start..<start + pattern.count]).elementsEqual(pattern)
            }
            if isEqual { return Match(pattern: number, range: start..<start + pattern.count) }
        }
        return nil
    }

    @inline(__always)
    private static func hash(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ bits: UInt32) -> UInt32 {
        let word = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16
        return (word &* 0x9E37_79B1) >> (32 - bits)
    }
}
