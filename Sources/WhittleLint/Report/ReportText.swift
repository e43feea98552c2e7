internal import WhittleCore
internal import WhittleDockerfile

extension LintReport {
    /// What `--call=check` shows: how many findings there are, then each with its page and the lines of the file, by line. An
    /// ``error`` is not part of it.
    public var text: String {
        var text =
            switch findings.count {
            case 0: error == nil ? "Check complete, no warnings found.\n" : ""
            case 1: "Check complete, 1 warning found.\n"
            default: "Check complete, \(findings.count) warnings found.\n"
            }
        let sorted = findings.enumerated().sorted {
            ($0.element.lines.lowerBound, $0.offset) < ($1.element.lines.lowerBound, $1.offset)
        }
        for (_, finding) in sorted {
            text += "\nWARNING: \(finding.rule.name)\(finding.rule.url.map { " - \($0)" } ?? "")\n\(finding.detail)\n"
            text += SourceLines(source, finding.lines).text
        }
        return text
    }
}

/// Lines of a file around those that are meant, which are marked.
struct SourceLines {
    private let source: SourceText
    private let lines: ClosedRange<Int>
    /// More lines than this are not shown; a longer line than this is cut.
    private static let limit = 40
    private static let width = 500

    init(_ source: SourceText, _ lines: ClosedRange<Int>) {
        self.source = source
        self.lines = lines
    }

    var text: String {
        guard source.lineCount > 0 else { return "" }
        let last = min(lines.upperBound, source.lineCount)
        let around = lines.lowerBound == last ? 2 : 1
        let first = max(1, lines.lowerBound - around)
        let end = min(source.lineCount, last + around, first + Self.limit - 1)
        let rule = String(repeating: "-", count: 20) + "\n"
        var text = "\(source.file):\(lines.lowerBound)\n\(rule)"
        let shown = SourceRange(SourcePosition(line: first, column: 1), SourcePosition(line: end, column: 1))
        for (offset, line) in source.lines(of: shown).enumerated() {
            let number = first + offset
            let mark = lines.contains(number) ? ">>>" : "   "
            let padding = String(repeating: " ", count: max(0, 4 - String(number).count))
            text += "\(padding)\(number) | \(mark) \(Self.printable(line))\n"
        }
        return text + rule
    }

    private static func printable(_ line: String) -> String {
        let cut = line.utf8.count > width ? line.prefix(width) + "…" : line[...]
        return String(
            String.UnicodeScalarView(
                cut.unicodeScalars.map { ($0.value < 32 && $0 != "\t") || $0.value == 127 ? "·" : $0 }))
    }
}

extension Outline {
    /// What `--call=outline` shows.
    public var text: String {
        var text = ""
        if name != nil || description != nil {
            var rows = [["TARGET:", name ?? "(default)"]]
            if let description { rows.append(["DESCRIPTION:", description]) }
            text += Self.table(rows, gap: 1) + "\n"
        }
        if !arguments.isEmpty {
            text +=
                Self.table(
                    [["BUILD ARG", "VALUE", "DESCRIPTION"]]
                        + arguments.map { [$0.name, $0.value ?? "", $0.description ?? ""] }) + "\n"
        }
        for (title, mounts) in [("SECRET", secrets), ("SSH", sshSockets)] where !mounts.isEmpty {
            text += Self.table([[title, "REQUIRED"]] + mounts.map { [$0.name, $0.isRequired ? "true" : ""] }) + "\n"
        }
        if !caches.isEmpty { text += Self.table([["CACHE"]] + caches.map { [$0.name] }) + "\n" }
        return text
    }

    /// Columns as wide as their widest cell; blanks at the end of a line are left out.
    static func table(_ rows: [[String]], gap: Int = 3) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + gap) }
            }
            return String(line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)])
                + "\n"
        }.joined()
    }
}

extension TargetList {
    /// What `--call=targets` shows.
    public var text: String {
        let rows = targets.map { target in
            let name = target.name.map { target.isDefault ? "\($0) (default)" : $0 }
            return [name ?? (target.isDefault ? "(default)" : ""), target.description ?? ""]
        }
        return Outline.table([["TARGET", "DESCRIPTION"]] + rows)
    }
}
