package import WhittleCore
internal import WhittleDockerfile

/// What of two images is not compared.
package struct IgnoredFields: Sendable {
    /// Whole sections that are compared; the others are not.
    package var sections = Set(Difference.Section.allCases)
    /// Compares times as well, and the digests of layers, which follow from them.
    package var comparesTimes = false
    private var fields: Set<String> = []
    private var paths = PathPatterns()

    /// Patterns of paths.
    private struct PathPatterns: Sendable {
        var texts: [String] = []
        var compiled: IgnorePatterns?
    }

    package init() {}

    /// Leaves out what `text` names: a section (`history`), a field (`files.mode`), one thing of a field
    /// (`config.Labels.version`), or paths (`files:/var/log/**`, a pattern as in a `.dockerignore`).
    ///
    /// - Throws: `invalid-argument` for what is none of that.
    package mutating func ignore(_ text: String) throws(BuildError) {
        if let colon = text.firstIndex(of: ":"), ["files", "layers"].contains(text[..<colon]) {
            let pattern = text[text.index(after: colon)...]
            let isException = pattern.hasPrefix("!")
            // Paths of an image are written with the slash that patterns of a context go without.
            paths.texts.append((isException ? "!" : "") + pattern.dropFirst(isException ? 1 : 0).drop { $0 == "/" })
            do throws(BuildError) { paths.compiled = try IgnorePatterns(paths.texts) } catch {
                throw .unknownField(text, reason: error.message, near: nil)
            }
            return
        }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let section = Difference.Section(rawValue: parts[0].lowercased()) else {
            throw .unknownField(text, reason: "there is no such field", near: Self.nearest(to: text))
        }
        guard parts.count == 2 else {
            sections.remove(section)
            return
        }
        let name = parts[1].lowercased()
        // A configuration may have members that only its writer knows.
        let isKnown = Difference.Field.known.contains {
            $0.section == section && (name == $0.name.lowercased() || name.hasPrefix($0.name.lowercased() + "."))
        }
        guard isKnown || section == .config && Self.nearest(to: text) == nil else {
            throw .unknownField(text, reason: "there is no such field", near: Self.nearest(to: text))
        }
        fields.insert("\(section.rawValue).\(name)")
    }

    /// Compares only the sections that `text` names, with commas between them.
    ///
    /// - Throws: `invalid-argument`.
    package mutating func keepOnly(_ names: [String]) throws(BuildError) {
        var kept: Set<Difference.Section> = []
        for name in names {
            guard let section = Difference.Section(rawValue: name.lowercased()) else {
                throw .unknownSection(name)
            }
            kept.insert(section)
        }
        sections.formIntersection(kept)
    }

    private static func nearest(to text: String) -> String? {
        NearestName.of(
            text, among: Difference.Field.known.map { "\($0)" } + Difference.Section.allCases.map(\.rawValue))
    }

    /// Whether nothing of a field is compared.
    func contains(_ field: Difference.Field) -> Bool {
        if !sections.contains(field.section) { return true }
        if !comparesTimes, Self.ofTime.contains(field) { return true }
        return names(field)
    }

    /// Whether a field was named itself, whatever is said of its section.
    func names(_ field: Difference.Field) -> Bool { !fields.isEmpty && fields.contains("\(field)".lowercased()) }

    private static let ofTime: Set<Difference.Field> = [
        .init(.config, "created"), .init(.history, "created"), .init(.layers, "diffID"), .init(.files, "time"),
    ]

    /// Whether this thing of a field is not compared.
    func contains(_ field: Difference.Field, _ subject: String) -> Bool {
        contains(field) || !fields.isEmpty && fields.contains("\(field).\(subject)".lowercased())
    }

    /// Whether a path is not compared, given from the root without a leading slash.
    func excludes(path: [UInt8]) -> Bool { paths.compiled?.excludes(path) ?? false }
}

extension BuildError.Code {
    /// A field of `--ignore` or `--only` that there is not.
    static let unknownField = Self(rawValue: "unknown-field")
}

extension BuildError {
    static func unknownField(_ text: String, reason: String, near: String?) -> BuildError {
        BuildError(
            .unknownField, "--ignore '\(text)': \(reason)",
            hint: near.map { "did you mean '\($0)'?" }
                ?? "a section (config, history, layers, files), a field such as files.mode or config.Labels.NAME, or "
                + "files:PATTERN")
    }

    static func unknownSection(_ text: String) -> BuildError {
        let names = Difference.Section.allCases.map(\.rawValue)
        return BuildError(
            .unknownField, "--only '\(text)': there is no such section",
            hint: NearestName.of(text, among: names).map { "did you mean '\($0)'?" }
                ?? "one of: \(names.joined(separator: ", "))")
    }
}
