/// UTF-8 read from byte arrays as Go reads it, so that files of any encoding give the same words as in BuildKit.
enum UTF8Text {
    /// The scalar at `index` and its length; a byte that begins no valid scalar is U+FFFD of length 1.
    static func scalar(in bytes: [UInt8], at index: Int, before end: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(bytes[index])
        if first < 0x80 { return (first, 1) }
        let length: Int
        let smallest: UInt32
        var value: UInt32
        switch first {
        case 0xC2...0xDF: (length, smallest, value) = (2, 0x80, first & 0x1F)
        case 0xE0...0xEF: (length, smallest, value) = (3, 0x800, first & 0x0F)
        case 0xF0...0xF4: (length, smallest, value) = (4, 0x10000, first & 0x07)
        default: return (0xFFFD, 1)
        }
        guard index + length <= end else { return (0xFFFD, 1) }
        for offset in 1..<length {
            let byte = UInt32(bytes[index + offset])
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            value = value << 6 | byte & 0x3F
        }
        guard value >= smallest, value <= 0x10FFFF, !(0xD800...0xDFFF).contains(value) else { return (0xFFFD, 1) }
        return (value, length)
    }

    /// The text of `range`; each byte that is not part of valid UTF-8 becomes U+FFFD.
    static func string(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        if range.isEmpty { return "" }
        if let text = String(validating: bytes[range], as: UTF8.self) { return text }
        var scalars = String.UnicodeScalarView()
        var index = range.lowerBound
        while index < range.upperBound {
            let (value, length) = scalar(in: bytes, at: index, before: range.upperBound)
            scalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
            index += length
        }
        return String(scalars)
    }

    /// Appends `scalar` to `bytes` as UTF-8; what is no scalar becomes U+FFFD.
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(scalar))
        } else {
            bytes.append(contentsOf: Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8))
        }
    }
}
