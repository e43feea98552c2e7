/// The source lines of an error with a caret line below the first of them.
struct SourceExcerpt: CustomStringConvertible {
    private let location: SourceLocation

    /// Long lines are cut to this many characters around the caret.
    private static let width = 100
    /// More lines than this are not shown.
    private static let lineLimit = 12

    init(_ location: SourceLocation) { self.location = location }

    var description: String {
        guard !location.lines.isEmpty else { return "" }
        let range = location.range
        let shown = location.lines.prefix(Self.lineLimit)
        let gutter = String(range.start.line + shown.count).count
        var text = ""
        for (offset, line) in shown.enumerated() {
            let number = String(range.start.line + offset)
            let isFirst = offset == 0
            let window = Self.window(of: line, around: isFirst ? range.start.column : 1)
            text += "\n \(Self.pad(number, gutter)) | \(window.text)"
            if isFirst {
                let last = range.end.line > range.start.line ? line.utf8.count + 1 : range.end.column
                let carets = max(1, min(last - range.start.column, Self.width - window.caret))
                text += "\n \(Self.pad("", gutter)) | \(window.indent)\(String(repeating: "^", count: carets))"
            }
        }
        if location.lines.count > shown.count {
            text += "\n \(Self.pad("", gutter)) | … \(location.lines.count - shown.count) more lines"
        }
        return text
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// The part of `line` around byte column `column`, and the blanks that put a caret below that column.
    /// Tabs are kept in the blanks so that the caret lines up in any tab width; control characters are shown as `·`.
    private static func window(of line: String, around column: Int) -> (text: String, indent: String, caret: Int) {
        let index = line.utf8.index(line.utf8.startIndex, offsetBy: max(0, column - 1), limitedBy: line.utf8.endIndex)
        let before = line[..<(index ?? line.endIndex)]
        let after = line[(index ?? line.endIndex)...]
        let head = before.count > width / 2 ? "…" + before.suffix(width / 2) : String(before)
        let room = max(0, width - head.count)
        let tail = after.count > room ? after.prefix(room) + "…" : after
        let indent = String(head.map { $0 == "\t" ? "\t" : " " })
        return (printable(head + tail), indent, head.count)
    }

    private static func printable(_ text: String) -> String {
        String(
            text.map {
                $0 == "\t" || !($0.unicodeScalars.first.map { $0.value < 32 || $0.value == 127 } ?? false) ? $0 : "·"
            })
    }
}
