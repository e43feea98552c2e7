/// The lines at the bottom of a terminal that are drawn again and again.
///
/// Gives the bytes that turn what is shown into what is to be shown, as one write: the cursor goes up to the first line,
/// each line is written and cleared to its end, and what was below is cleared. The terminal is asked to show it all at
/// once (synchronised update, mode 2026); one that does not know it does not flicker either, since nothing is cleared
/// before it is written. The cursor is hidden in between and stays below the lines, so nothing has to be put back
/// when the process is killed.
struct LiveRegion {
    /// A line: what it takes on the screen, and with colours.
    struct Line: Equatable {
        var width: Int
        var text: String

        init(_ text: String, color: String = "") {
            width = DisplayText.width(of: text)
            self.text = ProgressColors.painted(text, color)
        }
    }

    /// The widths of the lines that are shown.
    private var shown: [Int] = []

    /// Draws `lines`, of which none is wider than the window and which are fewer than its rows.
    mutating func draw(_ lines: [Line], columns: Int, rows: Int) -> String {
        let up = rowsShown(columns: columns, rows: rows)
        shown = lines.map(\.width)
        let body = lines.map { $0.text + "\u{1b}[K\n" }.joined()
        return "\u{1b}[?2026h\u{1b}[?25l\r" + (up > 0 ? "\u{1b}[\(up)A" : "") + body
            + "\u{1b}[J\u{1b}[?25h\u{1b}[?2026l"
    }

    /// Takes the lines away; the cursor is where the first one was.
    mutating func clear(columns: Int, rows: Int) -> String {
        guard !shown.isEmpty else { return "" }
        return draw([], columns: columns, rows: rows)
    }

    /// How far up the first line is: a window that became narrower has broken lines in two, and no more of them than it
    /// has rows can be reached.
    private func rowsShown(columns: Int, rows: Int) -> Int {
        let total = shown.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
        return min(total, max(0, rows - 1))
    }
}
