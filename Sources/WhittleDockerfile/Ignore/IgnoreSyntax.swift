/// Whether an ignore pattern is well-formed, as moby/patternmatcher finds out: by asking Go's `filepath.Match` whether
/// the pattern matches `.`, which reads the pattern up to the first part that does not.
struct IgnoreSyntax {
    private static let backslash = UInt8(ascii: "\\")

    private let pattern: [UInt8]
    /// What of `.` is not matched yet.
    private var name: ArraySlice<UInt8> = [UInt8(ascii: ".")]

    /// What is wrong with `pattern`, `nil` for nothing.
    static func fault(in pattern: [UInt8]) -> String? {
        var syntax = IgnoreSyntax(pattern: pattern)
        return syntax.fault()
    }

    private init(pattern: [UInt8]) { self.pattern = pattern }

    private mutating func fault() -> String? {
        var index = 0
        while index < pattern.count {
            let start = index
            while index < pattern.count, pattern[index] == UInt8(ascii: "*") { index += 1 }
            let hasStar = index > start
            let end = endOfChunk(index)
            let chunk = pattern[index..<end]
            index = end
            // A star may skip what is left of the name, which is one byte or none.
            var rest: ArraySlice<UInt8>?
            for attempt in hasStar && !name.isEmpty ? [name, []] : [name] where rest == nil {
                var match = ChunkMatch(name: attempt)
                if let fault = match.read(chunk) { return fault }
                if !match.hasFailed, match.name.isEmpty || end < pattern.count { rest = match.name }
            }
            guard let rest else { return nil }
            name = rest
        }
        return nil
    }

    /// The next `*` outside of brackets.
    private func endOfChunk(_ start: Int) -> Int {
        var isInBrackets = false
        var index = start
        while index < pattern.count {
            switch pattern[index] {
            case Self.backslash where index + 1 < pattern.count: index += 1
            case UInt8(ascii: "["): isInBrackets = true
            case UInt8(ascii: "]"): isInBrackets = false
            case UInt8(ascii: "*") where !isInBrackets: return index
            default: break
            }
            index += 1
        }
        return index
    }

    /// Reads the part of a pattern between two stars, all of it, matching or not.
    private struct ChunkMatch {
        var name: ArraySlice<UInt8>
        var hasFailed = false

        mutating func read(_ chunk: ArraySlice<UInt8>) -> String? {
            var rest = chunk
            while var byte = rest.popFirst() {
                let next = name.popFirst()
                if next == nil { hasFailed = true }
                switch byte {
                case UInt8(ascii: "["):
                    if let fault = readBrackets(&rest, next ?? 0) { return fault }
                case UInt8(ascii: "?"): break
                default:
                    if byte == backslash {
                        guard let escaped = rest.popFirst() else { return "it ends with a backslash" }
                        byte = escaped
                    }
                    if byte != next { hasFailed = true }
                }
            }
            return nil
        }

        /// Reads a bracket expression after its `[`.
        private mutating func readBrackets(_ rest: inout ArraySlice<UInt8>, _ next: UInt8) -> String? {
            let isNegated = rest.first == UInt8(ascii: "^")
            if isNegated { rest = rest.dropFirst() }
            let fault = "a '[' is not closed, or has a wrong range"
            var isMatch = false
            var ranges = 0
            while ranges == 0 || rest.first != UInt8(ascii: "]") {
                guard let low = Self.scalar(&rest) else { return fault }
                var high = low
                if rest.first == UInt8(ascii: "-") {
                    rest = rest.dropFirst()
                    guard let end = Self.scalar(&rest) else { return fault }
                    high = end
                }
                if low <= UInt32(next), UInt32(next) <= high { isMatch = true }
                ranges += 1
            }
            rest = rest.dropFirst()
            if isMatch == isNegated { hasFailed = true }
            return nil
        }

        /// Reads one end of a range. Something must follow it.
        private static func scalar(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
            guard let first = rest.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "]") else { return nil }
            if first == backslash {
                rest = rest.dropFirst()
                guard !rest.isEmpty else { return nil }
            }
            let bytes = Array(rest.prefix(4))
            let (scalar, length) = UTF8Text.scalar(in: bytes, at: 0, before: bytes.count)
            guard scalar != 0xFFFD || length > 1 else { return nil }
            rest = rest.dropFirst(length)
            return rest.isEmpty ? nil : scalar
        }
    }
}
