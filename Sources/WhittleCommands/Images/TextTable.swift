/// Aligns rows under headings, as docker's tables are aligned: each column as wide as its widest cell and three blanks,
/// at least ten, and the last cell of a row without blanks behind it.
struct TextTable {
    private var rows: [[String]]
    private let columnCount: Int?

    init(_ headings: [String]) {
        rows = [headings]
        columnCount = headings.count
    }

    /// A table of lines whose cells are separated by tabs; they need not have equally many.
    init(lines: [String]) {
        rows = lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }.map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
        }
        columnCount = nil
    }

    /// Adds a row with one cell for each heading.
    mutating func add(_ cells: [String]) {
        precondition(columnCount ?? cells.count == cells.count, "a row has one cell for each heading")
        rows.append(cells)
    }

    /// The table, each line ended by a line end.
    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(10) }
                widths[column] = max(widths[column], TextWidth.of(cell) + 3)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - TextWidth.of(cell))
                }
            }
            text += "\n"
        }
        return text
    }
}

/// How many columns a text takes in a terminal.
enum TextWidth {
    static func of(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + of($1) } }

    /// The beginning of `text` in at most `limit` columns, with `…` as the last of them where something was left out.
    static func shortened(_ text: String, to limit: Int) -> String {
        guard of(text) > limit else { return text }
        var short = ""
        var width = 1
        for character in text {
            width += of(String(character))
            if width > limit { break }
            short.append(character)
        }
        return short + "…"
    }

    /// Two for East Asian wide characters and emoji (Unicode 15, UAX #11, by block), none for combining marks.
    private static func of(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: 1
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: 0
            default: 1
            }
        }
    }
}
