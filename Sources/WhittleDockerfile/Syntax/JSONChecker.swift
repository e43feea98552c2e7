/// Decides whether a text is JSON at all, to tell a wrong array (an error) from a shell command that begins with `[`.
///
/// Iterative: nesting costs memory, not stack. As in Go, more than 10,000 levels and numbers beyond a `Double` are
/// invalid.
struct JSONChecker {
    private let bytes: [UInt8]
    private let end: Int
    private var index: Int
    /// The open brackets, outermost first.
    private var open: [UInt8] = []
    /// The first element of the outermost array that is no string.
    private(set) var firstOtherElement: Range<Int>?

    private static let depthLimit = 10_000

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.end = range.upperBound
        self.index = range.lowerBound
    }

    /// Whether all of the range is one JSON value.
    mutating func isValidDocument() -> Bool {
        var wantsValue = true
        while true {
            skipBlanks()
            let next: Bool?
            if wantsValue {
                next = readValue()
            } else if open.isEmpty {
                return index == end
            } else {
                next = readSeparator()
            }
            guard let next else { return false }
            wantsValue = next
        }
    }

    /// Reads a scalar, or the opening of a container up to its first value. Whether a value must follow; `nil` where
    /// there is none.
    private mutating func readValue() -> Bool? {
        guard let byte = current else { return nil }
        let start = index
        switch byte {
        case UInt8(ascii: "\""):
            guard let (_, next) = JSONForm.string(bytes, index..<end) else { return nil }
            index = next
            return false
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            if open.count == 1 { firstOtherElement = firstOtherElement ?? start..<start + 1 }
            return openContainer(byte)
        case UInt8(ascii: "t"): guard skip("true") else { return nil }
        case UInt8(ascii: "f"): guard skip("false") else { return nil }
        case UInt8(ascii: "n"): guard skip("null") else { return nil }
        default: guard skipNumber() else { return nil }
        }
        if open.count == 1 { firstOtherElement = firstOtherElement ?? start..<index }
        return false
    }

    private mutating func openContainer(_ bracket: UInt8) -> Bool? {
        open.append(bracket)
        guard open.count <= Self.depthLimit else { return nil }
        index += 1
        skipBlanks()
        if current == Self.closing(bracket) {
            index += 1
            open.removeLast()
            return false
        }
        return bracket == UInt8(ascii: "[") || skipKey() ? true : nil
    }

    /// After a value inside a container: its end, or a comma. Whether a value must follow.
    private mutating func readSeparator() -> Bool? {
        guard let bracket = open.last, let byte = current else { return nil }
        index += 1
        if byte == Self.closing(bracket) {
            open.removeLast()
            return false
        }
        guard byte == UInt8(ascii: ",") else { return nil }
        skipBlanks()
        return bracket == UInt8(ascii: "[") || skipKey() ? true : nil
    }

    private var current: UInt8? { index < end ? bytes[index] : nil }

    /// `]` and `}` stand two places after their openings in ASCII.
    private static func closing(_ bracket: UInt8) -> UInt8 { bracket + 2 }

    private mutating func skipBlanks() { index = JSONForm.skipBlanks(bytes, index..<end) }

    private mutating func skipKey() -> Bool {
        guard let (_, next) = JSONForm.string(bytes, index..<end) else { return false }
        index = next
        skipBlanks()
        guard current == UInt8(ascii: ":") else { return false }
        index += 1
        return true
    }

    private mutating func skip(_ word: String) -> Bool {
        guard bytes[index..<end].starts(with: word.utf8) else { return false }
        index += word.utf8.count
        return true
    }

    private mutating func skipNumber() -> Bool {
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        if current == UInt8(ascii: "0") {
            index += 1
        } else {
            guard skipDigits() else { return false }
        }
        if current == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() else { return false }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            guard skipDigits() else { return false }
        }
        return Double(UTF8Text.string(bytes, start..<index))?.isFinite ?? false
    }

    private mutating func skipDigits() -> Bool {
        let start = index
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index > start
    }
}
