/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
public enum Base64 {
    /// The text of `bytes`, without line breaks.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            append(group, characters: 4, to: &output)
            (group, count) = (0, 0)
        }
        if count > 0 {
            append(group << (8 * UInt32(3 - count)), characters: count + 1, to: &output)
            output.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count))
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The bytes that `text` stands for; blanks, line ends and missing padding are forgiven, `nil` for anything else.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var isPadded = false
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "="): isPadded = true
            case 0x20, 0x09, 0x0A, 0x0D: continue
            default:
                guard !isPadded, let value = value(of: character) else { return nil }
                bits = bits << 6 | value
                count += 6
                if count >= 8 {
                    count -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> count))
                }
            }
        }
        // Six bits left over are a lone character, which stands for nothing.
        return count == 6 ? nil : bytes
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func append(_ group: UInt32, characters: Int, to output: inout [UInt8]) {
        for index in 0..<characters {
            output.append(alphabet[Int(group >> UInt32(18 - 6 * index)) & 63])
        }
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
