/// Whether an ignore pattern is well-formed: the rules of Go's `filepath.Match`.
enum IgnoreSyntax {
    private static let backslash = UInt8(ascii: "\\")

    /// What is wrong with `pattern`, `nil` for nothing.
    static func fault(in pattern: [UInt8]) -> String? {
        var index = 0
        while index < pattern.count {
            while index < pattern.count, pattern[index] == UInt8(ascii: "*") { index += 1 }
            let end = endOfChunk(pattern, index)
            if let fault = fault(inChunk: pattern[index..<end]) { return fault }
            index = end
        }
        return nil
    }

    /// The next `*` outside of brackets.
    private static func endOfChunk(_ pattern: [UInt8], _ start: Int) -> Int {
        var isInBrackets = false
        var index = start
        while index < pattern.count {
            switch pattern[index] {
            case backslash where index + 1 < pattern.count: index += 1
            case UInt8(ascii: "["): isInBrackets = true
            case UInt8(ascii: "]"): isInBrackets = false
            case UInt8(ascii: "*") where !isInBrackets: return index
            default: break
            }
            index += 1
        }
        return index
    }

    private static func fault(inChunk chunk: ArraySlice<UInt8>) -> String? {
        var rest = chunk
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "[") {
                if let fault = fault(inBrackets: &rest) { return fault }
            } else if byte == backslash, rest.popFirst() == nil {
                return "it ends with a backslash"
            }
        }
        return nil
    }

    /// Reads a bracket expression after its `[`.
    private static func fault(inBrackets rest: inout ArraySlice<UInt8>) -> String? {
        if rest.first == UInt8(ascii: "^") { rest = rest.dropFirst() }
        var ranges = 0
        while true {
            if ranges > 0, rest.first == UInt8(ascii: "]") {
                rest = rest.dropFirst()
                return nil
            }
            guard skipScalar(&rest) else { return "a '[' is not closed, or has a wrong range" }
            if rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
                guard skipScalar(&rest) else { return "a '[' is not closed, or has a wrong range" }
            }
            ranges += 1
        }
    }

    /// Reads one end of a range. Something must follow it.
    private static func skipScalar(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let first = rest.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "]") else { return false }
        if first == backslash {
            rest = rest.dropFirst()
            guard !rest.isEmpty else { return false }
        }
        let bytes = Array(rest.prefix(4))
        let (scalar, length) = UTF8Text.scalar(in: bytes, at: 0, before: bytes.count)
        guard scalar != 0xFFFD || length > 1 else { return false }
        rest = rest.dropFirst(length)
        return !rest.isEmpty
    }
}
