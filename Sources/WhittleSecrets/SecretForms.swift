/// The byte strings that give a secret away.
///
/// Line ends are taken out of all of them, as ``StreamSearch`` takes them out of what it reads: so a secret is found in
/// base64 whatever the length of its lines, and with other line ends than it had.
enum SecretForms {
    /// All forms of `bytes`, each byte string once and none shorter than ``NamedSecret/minimumLength``.
    static func all(of bytes: some Collection<UInt8>) -> [(form: SecretForm, bytes: [UInt8])] {
        let value = Array(bytes)
        var seen: Set<[UInt8]> = []
        var result: [(form: SecretForm, bytes: [UInt8])] = []
        func add(_ form: SecretForm, _ text: [UInt8]) {
            let text = withoutLineEnds(text)
            if text.count >= NamedSecret.minimumLength, seen.insert(text).inserted { result.append((form, text)) }
        }
        add(.plain, value)
        add(.escaped, escaped(value))
        for text in urlEncoded(value) { add(.urlEncoded, text) }
        for alignment in 0..<3 {
            for alphabet in [standardAlphabet, urlAlphabet] { add(.base64, base64(value, alignment, alphabet)) }
        }
        for digits in [lowerDigits, upperDigits] { add(.hexadecimal, hexadecimal(value, digits)) }
        return result
    }

    static func withoutLineEnds(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.filter { $0 != 0x0A && $0 != 0x0D } }

    // MARK: Base64

    private static let standardAlphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlAlphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The characters that depend on `bytes` alone when `alignment` bytes of a group of three come before them, and
    /// anything may follow: padding, or more.
    static func base64(_ bytes: [UInt8], _ alignment: Int, _ alphabet: [UInt8]) -> [UInt8] {
        let padded = [UInt8](repeating: 0, count: alignment) + bytes
        var text: [UInt8] = []
        text.reserveCapacity(padded.count * 4 / 3 + 4)
        // A character that has bits of what is in front, or of what follows, is left out.
        let first = (alignment * 8 + 5) / 6
        let end = padded.count * 8 / 6
        guard first < end else { return [] }
        for index in first..<end {
            let bit = index * 6
            let high = UInt16(padded[bit / 8]) << 8
            let low = bit / 8 + 1 < padded.count ? UInt16(padded[bit / 8 + 1]) : 0
            text.append(alphabet[Int((high | low) >> UInt16(10 - bit % 8)) & 63])
        }
        return text
    }

    // MARK: Hexadecimal

    private static let lowerDigits = Array("0123456789abcdef".utf8)
    private static let upperDigits = Array("0123456789ABCDEF".utf8)

    private static func hexadecimal(_ bytes: [UInt8], _ digits: [UInt8]) -> [UInt8] {
        bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    // MARK: Percent and backslash

    /// What is left as it is by RFC 3986's unreserved characters, by those who know fewer of them (older standards, Swift's
    /// `.alphanumerics`), by Python's `quote`, by JavaScript's `encodeURIComponent` and `encodeURI`, and by HTML forms.
    private static let unencoded: [(punctuation: String, isForm: Bool)] = [
        ("-._~", false), ("", false), ("-._", false), ("-._/", false), ("-._~/", false), ("-._~!*'()", false),
        ("-._~!*'();/?:@&=+$,#", false), ("-._*", true),
    ]

    private static func urlEncoded(_ bytes: [UInt8]) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        for digits in [upperDigits, lowerDigits] {
            for (punctuation, isForm) in unencoded {
                let kept = Set(punctuation.utf8)
                texts.append(
                    bytes.flatMap { byte -> [UInt8] in
                        if isAlphanumeric(byte) || kept.contains(byte) { return [byte] }
                        if isForm, byte == 0x20 { return [UInt8(ascii: "+")] }
                        return percent(byte, digits)
                    })
            }
            texts.append(bytes.flatMap { percent($0, digits) })
        }
        return texts
    }

    private static func percent(_ byte: UInt8, _ digits: [UInt8]) -> [UInt8] {
        [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x0A: Array("\\n".utf8)
            case 0x0D: Array("\\r".utf8)
            case 0x09: Array("\\t".utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
            default: [byte]
            }
        }
    }
}
