/// The JSON form of arguments, `["a", "b"]`.
enum JSONForm {
    /// The strings of the array with the places of their literals.
    case strings([(text: String, range: Range<Int>)])
    /// Valid JSON, an array, but with something in it that is no string, at this place.
    case otherElement(Range<Int>)
    /// Not a JSON array: the arguments are in shell form.
    case none

    /// Reads `range`, blanks around it allowed.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        let start = Blank.skip(bytes, range)
        guard start < range.upperBound, bytes[start] == UInt8(ascii: "[") else {
            self = .none
            return
        }
        if let strings = Self.stringArray(bytes, start..<range.upperBound) {
            self = .strings(strings)
            return
        }
        var checker = JSONChecker(bytes, start..<range.upperBound)
        if checker.isValidDocument(), let other = checker.firstOtherElement {
            self = .otherElement(other)
        } else {
            self = .none
        }
    }

    /// `nil` where it is anything but an array of strings.
    private static func stringArray(_ bytes: [UInt8], _ range: Range<Int>) -> [(text: String, range: Range<Int>)]? {
        var strings: [(text: String, range: Range<Int>)] = []
        var index = skipBlanks(bytes, range.lowerBound + 1..<range.upperBound)
        guard index < range.upperBound else { return nil }
        if bytes[index] == UInt8(ascii: "]") {
            return skipBlanks(bytes, index + 1..<range.upperBound) == range.upperBound ? [] : nil
        }
        while true {
            guard let (text, end) = string(bytes, index..<range.upperBound) else { return nil }
            strings.append((text, index..<end))
            index = skipBlanks(bytes, end..<range.upperBound)
            guard index < range.upperBound else { return nil }
            switch bytes[index] {
            case UInt8(ascii: ","): index = skipBlanks(bytes, index + 1..<range.upperBound)
            case UInt8(ascii: "]"):
                return skipBlanks(bytes, index + 1..<range.upperBound) == range.upperBound ? strings : nil
            default: return nil
            }
        }
    }

    /// The first offset that is no JSON white space.
    static func skipBlanks(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        return index
    }

    /// The string literal at the start of `range` and the offset after it; `nil` where there is none.
    static func string(_ bytes: [UInt8], _ range: Range<Int>) -> (text: String, end: Int)? {
        guard range.lowerBound < range.upperBound, bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        var index = range.lowerBound + 1
        let start = index
        while index < range.upperBound, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            guard bytes[index] >= 0x20 else { return nil }
            index += 1
        }
        guard index < range.upperBound else { return nil }
        if bytes[index] == UInt8(ascii: "\"") { return (UTF8Text.string(bytes, start..<index), index + 1) }
        var text = Array(bytes[start..<index])
        while index < range.upperBound {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""): return (UTF8Text.string(text, 0..<text.count), index + 1)
            case UInt8(ascii: "\\"):
                guard let end = escape(bytes, index + 1..<range.upperBound, into: &text) else { return nil }
                index = end
            case 0..<0x20: return nil
            default:
                text.append(byte)
                index += 1
            }
        }
        return nil
    }

    /// Appends what the escape at `range` (after its backslash) stands for, and returns the offset after it.
    private static func escape(_ bytes: [UInt8], _ range: Range<Int>, into text: inout [UInt8]) -> Int? {
        guard range.lowerBound < range.upperBound else { return nil }
        let index = range.lowerBound
        switch bytes[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[index])
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let unit = codeUnit(bytes, index + 1..<range.upperBound) else { return nil }
            // A surrogate needs its partner; alone it becomes U+FFFD.
            if (0xD800..<0xDC00).contains(unit), index + 6 < range.upperBound,
                bytes[index + 5] == UInt8(ascii: "\\"), bytes[index + 6] == UInt8(ascii: "u"),
                let low = codeUnit(bytes, index + 7..<range.upperBound), (0xDC00..<0xE000).contains(low)
            {
                UTF8Text.append(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), to: &text)
                return index + 11
            }
            UTF8Text.append(unit, to: &text)
            return index + 5
        default: return nil
        }
        return index + 1
    }

    /// Four hexadecimal digits at the start of `range`.
    private static func codeUnit(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32? {
        guard range.count >= 4 else { return nil }
        var value: UInt32 = 0
        for index in range.lowerBound..<range.lowerBound + 4 {
            guard let digit = hexDigit(bytes[index]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 55
        default: nil
        }
    }
}
