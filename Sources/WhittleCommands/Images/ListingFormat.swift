internal import WhittleCore
internal import WhittleOCI

/// What `--format` asks of a command that lists things.
enum ListingFormat {
    /// The command's own table.
    case table
    /// One object a line.
    case json
    /// A template for each row; with `isTable` the tabs in it make columns under headings.
    case template(Template, isTable: Bool)

    /// The help text of the option.
    static let help = """
        How to print: table, json for one object a line, or a template such as '{{.ID}} {{.Size}}'; with 'table' before \
        it, and '\\t' between its parts, it is printed as a table.
        """

    /// Reads a value of `--format` as docker does; none, and an empty one, is the table.
    ///
    /// - Throws: `invalid-format`.
    init(parsing text: String?) throws(BuildError) {
        guard let text, !text.isEmpty, text != "table" else {
            self = .table
            return
        }
        guard text != "json" else {
            self = .json
            return
        }
        let template = try Template(parsing: text, hasEscapes: true)
        guard template.hasActions else { throw BuildError.formatWithoutField(text) }
        // The word stays in the template, so that columns in messages are those of what was typed.
        self = .template(template, isTable: text.hasPrefix("table"))
    }
}

/// Rows that a command lists, in each form that `--format` can ask for.
struct Listing {
    /// The heading of each field, in the order in which messages list the fields.
    let headings: [(field: String, heading: String)]
    /// The fields that the command's own table shows, in order.
    let columns: [String]
    /// One record with all fields for each row.
    let rows: [TemplateRecord]

    /// The rows as text, each line ended by a line end.
    ///
    /// - Throws: `unknown-format-field`, `invalid-format`.
    func text(_ format: ListingFormat) throws(BuildError) -> String {
        switch format {
        case .table: return table
        case .json: return json
        case .template(let template, let isTable):
            // Also without 'table': an unknown field is an error even where there is no row to miss it.
            let headings = try template.headings(headings.map { ($0.field, $0.heading) })
            var lines = isTable ? [Self.withoutPrefix(headings)] : []
            for row in rows {
                let line = try template.text(of: .record(row))
                lines.append(isTable ? Self.withoutPrefix(line) : line)
            }
            return isTable ? TextTable(lines: lines).text : lines.map { $0 + "\n" }.joined()
        }
    }

    /// The command's own table.
    var table: String {
        let headings = columns.map { column in self.headings.first { $0.field == column }?.heading ?? column }
        var table = TextTable(headings)
        for row in rows { table.add(columns.map { row[$0]?.printed ?? "" }) }
        return table.text
    }

    private var json: String { rows.map { TemplateValue.record($0).json.text(as: .compact) + "\n" }.joined() }

    /// What follows the word `table` and the blanks behind it.
    private static func withoutPrefix(_ line: String) -> String {
        String(line.dropFirst("table".count).drop { $0 == " " })
    }
}
