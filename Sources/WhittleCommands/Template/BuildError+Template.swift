internal import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// A `--format` template that cannot be understood or carried out.
    static let invalidFormat = Self(rawValue: "invalid-format")
    /// A `--format` template asks for a field that there is not.
    static let unknownFormatField = Self(rawValue: "unknown-format-field")
}

/// What is wrong with a template, and where.
struct TemplateProblem: Error, Hashable {
    let text: String
    /// Counted from 1, in characters of the format as it was given.
    let column: Int
    var hint: String?
    var isUnknownField = false

    init(_ text: String, at column: Int, hint: String? = nil) {
        self.text = text
        self.column = column
        self.hint = hint
    }

    /// There is no field `name`; `fields` are those that there are.
    static func unknownField(_ name: String, at column: Int, fields: [String]) -> TemplateProblem {
        let near =
            NearestName.of(name, among: fields) ?? fields.first { $0.lowercased().hasPrefix(name.lowercased()) }
        var problem = TemplateProblem(
            "there is no field '.\(name)'", at: column,
            hint: near.map { "did you mean '.\($0)'?" }
                ?? (fields.isEmpty ? nil : "the fields are " + fields.map { ".\($0)" }.joined(separator: ", ")))
        problem.isUnknownField = true
        return problem
    }
}

extension BuildError {
    static func template(_ source: String, _ problem: TemplateProblem) -> BuildError {
        let shown = source.unicodeScalars.count > 120 ? String(source.unicodeScalars.prefix(120)) + "…" : source
        return BuildError(
            problem.isUnknownField ? .unknownFormatField : .invalidFormat,
            "--format '\(printable(shown))', column \(problem.column): \(problem.text)", hint: problem.hint)
    }

    static func formatWithoutField(_ source: String) -> BuildError {
        BuildError(
            .invalidFormat,
            "--format '\(printable(String(source.prefix(120))))' has no field, so every line would be the same",
            hint: NearestName.of(source, among: ["table", "json"]).map { "did you mean '\($0)'?" }
                ?? "write 'table', 'json', or a template such as '{{.ID}}'")
    }
}
