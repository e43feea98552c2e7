/// Case mapping as Go does it, scalar by scalar, for the few comparisons where it decides.
enum GoCase {
    /// Lower case. Outside ASCII only the two scalars are mapped whose lower case is an ASCII letter.
    static func lowercased(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar {
                    case "A"..."Z": Unicode.Scalar(UInt8(scalar.value) | 0x20)
                    case "\u{212A}": "k"
                    case "\u{130}": "i"
                    default: scalar
                    }
                }))
    }

    /// For comparing with ASCII letters in any casing: as ``lowercased(_:)``, and the long s is an s.
    static func folded(_ text: String) -> String {
        String(String.UnicodeScalarView(lowercased(text).unicodeScalars.map { $0 == "\u{17F}" ? "s" : $0 }))
    }
}
