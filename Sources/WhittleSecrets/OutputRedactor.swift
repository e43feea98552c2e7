#if canImport(Glibc)
    internal import Glibc
#endif

/// Puts `***` in the place of secrets in what a step prints. One for each stream; to be used from one thread at a time.
///
/// Replaced are the lines of a secret, its parts (``KeyMaterial``), and their other forms. A form that is folded over lines is
/// not: it is printed by the line. Bytes that may be the beginning of a secret are held back until the next ones decide.
package struct OutputRedactor {
    package static let replacement = Array("***".utf8)

    /// Longer forms are replaced up to here.
    private static let lengthLimit = 64 << 10
    /// Lines of a secret that are looked for.
    private static let lineLimit = 2000

    private let table: PatternTable
    private let firstBytes: [Bool]
    private var pending: [UInt8] = []

    package init(_ secrets: [NamedSecret]) {
        var patterns: Set<[UInt8]> = []
        for secret in secrets where !secret.isTooShort {
            let value = secret.trimmed
            for part in [Array(value)] + KeyMaterial.parts(of: value) {
                for (form, bytes) in SecretForms.all(of: part) where form != .plain {
                    patterns.insert(Array(bytes.prefix(Self.lengthLimit)))
                }
                patterns.insert(Array(part.prefix(Self.lengthLimit)))
            }
            for line in KeyMaterial.lines(of: value).prefix(Self.lineLimit)
            where line.count >= NamedSecret.minimumLength { patterns.insert(Array(line.prefix(Self.lengthLimit))) }
        }
        let usable = patterns.filter { $0.count >= NamedSecret.minimumLength }
        table = PatternTable(Array(usable))
        var firstBytes = [Bool](repeating: false, count: 256)
        for pattern in usable { firstBytes[Int(pattern[0])] = true }
        self.firstBytes = firstBytes
    }

    /// Takes the next bytes.
    ///
    /// - Returns: what can be shown by now, possibly nothing.
    package mutating func redact(_ bytes: [UInt8]) -> [UInt8] {
        guard !table.patterns.isEmpty else { return bytes }
        pending += bytes
        var (shown, position) = replaceAll(isLast: false)
        let held = firstHeld(from: position)
        shown += pending[position..<held]
        pending.removeFirst(held)
        return shown
    }

    /// What is left at the end of the stream.
    package mutating func finish() -> [UInt8] {
        let (shown, position) = replaceAll(isLast: true)
        defer { pending = [] }
        return shown + pending[position...]
    }

    /// - Returns: what is shown up to the last match, and the position behind it.
    private func replaceAll(isLast: Bool) -> ([UInt8], Int) {
        var shown: [UInt8] = []
        var position = 0
        pending.withUnsafeBytes { text in
            while let match = table.firstMatch(in: text, from: position) {
                // A longer secret may begin at the same place.
                if !isLast, isBeginning(pending[match.range.lowerBound...]) { return }
                shown += pending[position..<match.range.lowerBound] + Self.replacement
                position = match.range.upperBound
            }
        }
        return (shown, position)
    }

    /// Where the bytes begin that a pattern begins with, or the end.
    private func firstHeld(from start: Int) -> Int {
        var index = max(start, pending.count - table.maximumLength + 1)
        while index < pending.count {
            if isBeginning(pending[index...]) { return index }
            index += 1
        }
        return pending.count
    }

    /// Whether a pattern begins with all of `tail` and goes on.
    private func isBeginning(_ tail: ArraySlice<UInt8>) -> Bool {
        guard tail.count < table.maximumLength, let first = tail.first, firstBytes[Int(first)] else { return false }
        return table.patterns.contains { $0.count > tail.count && $0.starts(with: tail) }
    }
}
