/// Text as a terminal may show it: how wide it is, cut to a width, and without what would move the cursor.
enum DisplayText {
    /// The columns that `text` takes on a terminal. Of an emoji made of several the sum, which is at least what it takes.
    static func width(of text: String) -> Int {
        var text = text
        let isPlain = text.withUTF8 { $0.allSatisfy { $0 >= 0x20 && $0 < 0x7f } }
        return isPlain ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    /// The columns of one scalar: 0 for what combines with the one before, 2 for what East Asian Width calls wide.
    static func width(of scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return wide.contains { $0.contains(value) } ? 2 : 1
        }
    }

    /// Unicode's `EastAsianWidth.txt`, classes W and F, with neighbouring ranges joined over unassigned scalars.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x23e9...0x23ec, 0x23f0...0x23f0, 0x23f3...0x23f3,
        0x25fd...0x25fe, 0x2614...0x2615, 0x2648...0x2653, 0x267f...0x267f, 0x2693...0x2693, 0x26a1...0x26a1,
        0x26aa...0x26ab, 0x26bd...0x26be, 0x26c4...0x26c5, 0x26ce...0x26ce, 0x26d4...0x26d4, 0x26ea...0x26ea,
        0x26f2...0x26f3, 0x26f5...0x26f5, 0x26fa...0x26fa, 0x26fd...0x26fd, 0x2705...0x2705, 0x270a...0x270b,
        0x2728...0x2728, 0x274c...0x274c, 0x274e...0x274e, 0x2753...0x2755, 0x2757...0x2757, 0x2795...0x2797,
        0x27b0...0x27b0, 0x27bf...0x27bf, 0x2b1b...0x2b1c, 0x2b50...0x2b50, 0x2b55...0x2b55, 0x2e80...0x303e,
        0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
        0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff, 0x1aff0...0x1b2ff,
        0x1f004...0x1f004, 0x1f0cf...0x1f0cf, 0x1f18e...0x1f18e, 0x1f191...0x1f19a, 0x1f200...0x1f320,
        0x1f32d...0x1f335, 0x1f337...0x1f37c, 0x1f37e...0x1f393, 0x1f3a0...0x1f3ca, 0x1f3cf...0x1f3d3,
        0x1f3e0...0x1f3f0, 0x1f3f4...0x1f3f4, 0x1f3f8...0x1f43e, 0x1f440...0x1f440, 0x1f442...0x1f4fc,
        0x1f4ff...0x1f53d, 0x1f54b...0x1f54e, 0x1f550...0x1f567, 0x1f57a...0x1f57a, 0x1f595...0x1f596,
        0x1f5a4...0x1f5a4, 0x1f5fb...0x1f64f, 0x1f680...0x1f6c5, 0x1f6cc...0x1f6cc, 0x1f6d0...0x1f6d2,
        0x1f6d5...0x1f6d7, 0x1f6dc...0x1f6df, 0x1f6eb...0x1f6ec, 0x1f6f4...0x1f6fc, 0x1f7e0...0x1f7f0,
        0x1f90c...0x1f93a, 0x1f93c...0x1f945, 0x1f947...0x1f9ff, 0x1fa70...0x1faff, 0x20000...0x3fffd,
    ]

    /// The beginning of `text` that fits into `columns`, with `…` where something is left out.
    static func fitted(_ text: String, to columns: Int) -> String {
        guard width(of: text) > columns else { return text }
        guard columns > 0 else { return "" }
        var result = ""
        var left = columns - 1
        for character in text {
            let width = character.unicodeScalars.reduce(0) { $0 + self.width(of: $1) }
            guard width <= left else { break }
            left -= width
            result.append(character)
        }
        return result + "…"
    }

    /// What a program wrote on one line, as plain text: without escape sequences and control characters, with tabs as
    /// blanks, invalid UTF-8 replaced. Of a line that is written over itself, what was written last.
    static func plain(_ bytes: some Collection<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0xc2 }) else { return text }
        var scalars = String.UnicodeScalarView()
        var escape = Escape()
        var column = 0
        var returned = false
        for scalar in text.unicodeScalars where !escape.takes(scalar) {
            switch scalar.value {
            case 0x0d: returned = true
            case 0x09:
                let blanks = 8 - column % 8
                scalars.append(contentsOf: repeatElement(" ", count: blanks))
                column += blanks
            case 0..<0x20, 0x7f..<0xa0: break
            default:
                if returned {
                    scalars.removeAll()
                    (column, returned) = (0, false)
                }
                scalars.append(scalar)
                column += width(of: scalar)
            }
        }
        return String(scalars)
    }

    /// Recognises escape sequences (ECMA-48): CSI up to its final byte, OSC and the like up to their terminator, others
    /// with the character that follows.
    private struct Escape {
        private enum State { case none, begun, control, string }
        private var state = State.none

        /// Whether `scalar` belongs to a sequence.
        mutating func takes(_ scalar: Unicode.Scalar) -> Bool {
            switch state {
            case .none:
                guard scalar.value == 0x1b else { return false }
                state = .begun
            case .begun:
                switch scalar {
                case "[": state = .control
                case "]", "P", "X", "^", "_": state = .string
                case " "..."/": break
                default: state = .none
                }
            case .control:
                if (0x40...0x7e).contains(scalar.value) { state = .none }
            case .string:
                if scalar.value == 0x07 { state = .none } else if scalar.value == 0x1b { state = .begun }
            }
            return true
        }
    }
}
