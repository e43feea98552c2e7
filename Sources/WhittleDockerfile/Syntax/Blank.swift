/// The kinds of white space that Dockerfile syntax knows. They differ from place to place.
enum Blank {
    /// Tab, vertical tab, form feed, carriage return, space: what separates words of an instruction.
    static func separates(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || (0x0B...0x0D).contains(byte)
    }

    /// ASCII white space with line feed.
    static func isASCII(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    /// White space as Unicode defines it (`White_Space`), which is what Go trims.
    static func isUnicode(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return isASCII(UInt8(scalar)) }
        switch scalar {
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return true
        default: return false
        }
    }

    /// The first offset in `range` that is no Unicode white space; its end where there is none.
    static func skip(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte < 0x80 {
                guard isASCII(byte) else { return index }
                index += 1
            } else {
                let (scalar, length) = UTF8Text.scalar(in: bytes, at: index, before: range.upperBound)
                guard isUnicode(scalar) else { return index }
                index += length
            }
        }
        return index
    }

    /// `range` without Unicode white space at its ends.
    static func trim(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        let start = skip(bytes, range)
        var end = range.upperBound
        while end > start {
            let byte = bytes[end - 1]
            if byte < 0x80 {
                guard isASCII(byte) else { break }
                end -= 1
            } else {
                guard let length = widthOfBlank(bytes, endingAt: end, from: start) else { break }
                end -= length
            }
        }
        return start..<end
    }

    private static func widthOfBlank(_ bytes: [UInt8], endingAt end: Int, from start: Int) -> Int? {
        for length in 2...3 where end - length >= start {
            let (scalar, width) = UTF8Text.scalar(in: bytes, at: end - length, before: end)
            if width == length { return isUnicode(scalar) ? length : nil }
        }
        return nil
    }
}
