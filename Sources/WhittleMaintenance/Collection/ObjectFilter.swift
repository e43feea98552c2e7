internal import Glibc
package import WhittleCore
internal import WhittleFileSystem

/// One `--filter` of `whittle du` and `whittle prune`, as `docker buildx` takes them: `FIELD=VALUE`, `FIELD!=VALUE` or
/// `FIELD~=REGULAR-EXPRESSION`.
///
/// Fields: `id`, `parents`, `description`, `type`, `inuse`, `shared`, `private`, `reclaimable` (`true`, `false`), and
/// `until` with an age (`24h`, `1h30m`, `7d`) or a moment (RFC 3339): last used before that.
package struct ObjectFilter: Sendable {
    private enum Comparison { case equal, different, matches }

    private let field: String
    private let comparison: Comparison
    private let value: String
    private let until: Timestamp?

    private static let fields = [
        "description", "id", "inuse", "parents", "private", "reclaimable", "shared", "type", "until",
    ]

    /// - Parameter now: what an age is counted from.
    /// - Throws: `invalid-filter`.
    package init(parsing text: String, now: Timestamp) throws(BuildError) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw .invalidFilter(text, "it has no value", hint: "the form is FIELD=VALUE, such as until=24h")
        }
        var field = text[..<equals].lowercased()
        switch field.last {
        case "!": comparison = .different
        case "~": comparison = .matches
        default: comparison = .equal
        }
        if comparison != .equal { field.removeLast() }
        guard Self.fields.contains(field) else {
            let near = NearestName.of(field, among: Self.fields).map { "did you mean '\($0)'? " } ?? ""
            throw .invalidFilter(
                text, "there is no field '\(field)'",
                hint: "\(near)one of: \(Self.fields.joined(separator: ", "))")
        }
        self.field = field
        value = String(text[text.index(after: equals)...]).trimmed("=")
        until = field == "until" ? try Self.moment(value, now: now, in: text) : nil
        if field == "until", comparison != .equal {
            throw .invalidFilter(text, "'until' takes '=' only", hint: nil)
        }
        if field == "type", comparison != .matches, !ObjectType.all.contains(ObjectType(rawValue: value)) {
            throw .invalidFilter(
                text, "there is no type '\(value)'",
                hint: "one of: \(ObjectType.all.map(\.rawValue).joined(separator: ", "))")
        }
        if comparison == .matches, !Self.isExpression(value) {
            throw .invalidFilter(text, "'\(value)' is no regular expression", hint: nil)
        }
    }

    /// Whether the filter lets `object` pass.
    package func accepts(_ object: StoreObject, _ facts: ObjectFacts) -> Bool {
        if let until { return facts.lastUsed < until }
        let texts: [String]
        switch field {
        case "id": texts = [object.id.description, object.id.short]
        case "parents": texts = object.needs.flatMap { [$0.description, $0.short] }
        case "description": texts = [object.description]
        case "type": texts = [object.type.rawValue]
        case "inuse": texts = ["\(facts.isInUse)"]
        case "shared": texts = ["\(facts.isShared)"]
        case "private": texts = ["\(!facts.isShared)"]
        default: texts = ["\(facts.isReclaimable)"]
        }
        switch comparison {
        case .equal: return texts.contains(value)
        case .different: return !texts.contains(value)
        case .matches: return texts.contains { Self.matches($0, value) }
        }
    }

    // MARK: - Times

    private static func moment(_ value: String, now: Timestamp, in text: String) throws(BuildError) -> Timestamp {
        if let age = age(value) { return Timestamp(seconds: now.seconds - age, nanoseconds: now.nanoseconds) }
        if let moment = Timestamp(rfc3339: value) { return moment }
        throw .invalidFilter(
            text, "'\(value)' is neither an age nor a moment",
            hint: "write an age such as 24h, 90m or 7d, or a moment such as 2026-01-31T12:00:00Z")
    }

    /// Seconds of a duration as Go writes them (`1h30m`, `90s`), and days (`7d`); `nil` for anything else.
    static func age(_ text: String) -> Int64? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        var seconds = 0.0
        var number = ""
        for character in text {
            if character.isASCII, character.isNumber || character == "." {
                number.append(character)
            } else {
                guard let unit = units[character], let count = Double(number) else { return nil }
                seconds += count * unit
                number = ""
            }
        }
        guard number.isEmpty, !text.isEmpty, seconds < 1e12 else { return nil }
        return Int64(seconds)
    }

    // MARK: - Regular expressions

    private static func isExpression(_ pattern: String) -> Bool {
        var expression = regex_t()
        guard regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return false }
        regfree(&expression)
        return true
    }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        var expression = regex_t()
        guard regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return false }
        defer { regfree(&expression) }
        return regexec(&expression, text, 0, nil, 0) == 0
    }
}

/// What is true of an object in its store at one moment.
package struct ObjectFacts: Hashable, Sendable {
    /// When it, or something that needs it, was last used.
    package var lastUsed: Timestamp
    package var isInUse: Bool
    /// Whether a named image consists of it or was made from it.
    package var isShared: Bool
    /// Whether it may be removed.
    package var isReclaimable: Bool
}

extension String {
    /// Without one `prefix`: `field==value` is accepted as well.
    fileprivate func trimmed(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}

extension BuildError.Code {
    /// The value of `--filter` cannot be understood.
    static let invalidFilter = Self(rawValue: "invalid-filter")
}

extension BuildError {
    static func invalidFilter(_ text: String, _ problem: String, hint: String?) -> BuildError {
        BuildError(.invalidFilter, "reading the filter '\(printable(text))': \(problem)", hint: hint)
    }
}
