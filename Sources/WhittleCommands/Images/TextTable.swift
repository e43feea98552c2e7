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
                widths[column] = max(widths[column], DisplayText.width(of: cell) + 3)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 {
                    text += String(repeating: " ", count: widths[column] - DisplayText.width(of: cell))
                }
            }
            text += "\n"
        }
        return text
    }
}
