/// Splits the arguments of ENV, LABEL and ARG into words. Quotes and escapes stay in the words: they are resolved when
/// variables are expanded.
enum WordScanner {
    /// The words of `range`, in order, as places in `bytes`.
    ///
    /// An escape at the very end belongs to no word.
    static func words(_ bytes: [UInt8], _ range: Range<Int>, escape: EscapeCharacter) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var index = Blank.skip(bytes, range)
        while index < range.upperBound {
            let word = word(bytes, index..<range.upperBound, escape: escape.rawValue)
            if !word.isEmpty { words.append(word) }
            index = word.upperBound
            if index < range.upperBound, bytes[index] == escape.rawValue { break }
            index = Blank.skip(bytes, index..<range.upperBound)
        }
        return words
    }

    private static func word(_ bytes: [UInt8], _ range: Range<Int>, escape: UInt8) -> Range<Int> {
        var quote: UInt8?
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if quote == nil, isBlank(bytes, at: index, before: range.upperBound) { break }
            if byte == quote {
                quote = nil
            } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else if byte == escape, quote != UInt8(ascii: "'") {
                guard index + 1 < range.upperBound else { break }
                index += UTF8Text.scalar(in: bytes, at: index + 1, before: range.upperBound).length
            }
            index += 1
        }
        return range.lowerBound..<min(index, range.upperBound)
    }

    private static func isBlank(_ bytes: [UInt8], at index: Int, before end: Int) -> Bool {
        let byte = bytes[index]
        if byte < 0x80 { return Blank.isASCII(byte) }
        return Blank.isUnicode(UTF8Text.scalar(in: bytes, at: index, before: end).value)
    }

    /// The parts of `range` between runs of ``Blank/separates(_:)``; an empty one where it begins or ends with such a
    /// run, and one empty part for an empty range.
    static func split(_ bytes: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = range.lowerBound
        var index = start
        while index < range.upperBound {
            guard Blank.separates(bytes[index]) else {
                index += 1
                continue
            }
            parts.append(start..<index)
            while index < range.upperBound, Blank.separates(bytes[index]) { index += 1 }
            start = index
        }
        parts.append(start..<range.upperBound)
        return parts
    }
}
