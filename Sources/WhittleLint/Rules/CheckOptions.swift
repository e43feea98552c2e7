public import WhittleCore
public import WhittleDockerfile

/// Which checks speak, and whether what they say ends a build: `skip=A,B;error=true;experimental=C`.
///
/// Read from the `# check=` directive of a file, or from the build argument `BUILDKIT_DOCKERFILE_CHECK`, which replaces it. A
/// comment `# check=skip=…` directly above an instruction adds to them for that instruction.
public struct CheckOptions: Hashable, Sendable {
    /// Names of rules; unknown ones do nothing.
    public var skipped: Set<String> = []
    public var skipsAll = false
    /// Names of experimental rules that are wanted.
    public var experimental: Set<String> = []
    public var wantsAllExperimental = false
    /// A finding fails the build.
    public var isStrict = false

    /// The build argument that replaces the directive.
    public static let argument = "BUILDKIT_DOCKERFILE_CHECK"

    public init() {}

    /// Reads the text of a directive; an empty one asks for nothing.
    ///
    /// - Throws: `invalid-check-options`.
    public init(parsing text: String, at location: SourceLocation? = nil) throws(BuildError) {
        let text = Self.trimmed(text[...])
        guard !text.isEmpty else { return }
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "=") else {
                throw .invalidCheckOptions(text, "'\(Self.trimmed(part))' has no value", at: location)
            }
            let key = Self.trimmed(part[..<equals])
            let value = Self.trimmed(part[part.index(after: equals)...])
            switch key {
            case "skip": (skipsAll, skipped) = Self.rules(value)
            case "experimental": (wantsAllExperimental, experimental) = Self.rules(value)
            case "error":
                guard let isStrict = Self.bool(value) else {
                    throw .invalidCheckOptions(text, "'error' is true or false, not '\(value)'", at: location)
                }
                self.isStrict = isStrict
            default:
                throw .invalidCheckOptions(
                    text, "there is no option '\(key)'",
                    nearest: NearestName.of(key, among: ["skip", "experimental", "error"]), at: location)
            }
        }
    }

    /// The options of a file: those of `arguments` where they have any, else its directive's.
    ///
    /// - Throws: `invalid-check-options`.
    public init(_ directives: [Directive], of source: SourceText, arguments: [String: String]) throws(BuildError) {
        if let text = arguments[Self.argument] {
            try self.init(parsing: text)
        } else if let directive = directives.first(where: { $0.name == "check" }) {
            try self.init(parsing: directive.value.text, at: source.location(of: directive.range))
        } else {
            self.init()
        }
    }

    /// Whether findings of `rule` are wanted.
    public func allows(_ rule: LintRule) -> Bool {
        if rule.isExperimental { return wantsAllExperimental || experimental.contains(rule.name) }
        return !skipsAll && !skipped.contains(rule.name)
    }

    /// These options with what the comments above an instruction add: the first `check=` among them, up to a blank. One that
    /// cannot be read is an ordinary comment.
    func adding(_ comments: [String]) -> CheckOptions {
        for comment in comments where comment.lowercased().hasPrefix("check") {
            let rest = Self.trimmed(comment.dropFirst("check".count))
            guard rest.hasPrefix("=") else { continue }
            let value = Self.trimmed(rest.dropFirst()).prefix { $0 != " " }
            // A comment that only looks like options is none.
            guard let local = try? CheckOptions(parsing: String(value)) else { return self }
            var merged = self
            merged.skipped.formUnion(local.skipped)
            merged.skipsAll = skipsAll || local.skipsAll
            merged.experimental.formUnion(local.experimental)
            merged.wantsAllExperimental = wantsAllExperimental || local.wantsAllExperimental
            return merged
        }
        return self
    }

    private static func rules(_ value: String) -> (all: Bool, names: Set<String>) {
        value == "all" ? (true, []) : (false, Set(value.split(separator: ",").map { trimmed($0) }))
    }

    /// As Go's `strconv.ParseBool`.
    private static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? "")
    }
}

extension BuildError.Code {
    /// The `# check=` directive, or `BUILDKIT_DOCKERFILE_CHECK`, cannot be read.
    public static let invalidCheckOptions = BuildError.Code(rawValue: "invalid-check-options")
    /// Checks found something, and `error=true` makes that an error.
    public static let checksFailed = BuildError.Code(rawValue: "checks-failed")
}

extension BuildError {
    static func invalidCheckOptions(
        _ text: String, _ problem: String, nearest: String? = nil, at location: SourceLocation?
    ) -> BuildError {
        let suggestion = nearest.map { "did you mean '\($0)'? " } ?? ""
        return BuildError(
            .invalidCheckOptions, "reading the check options '\(text.prefix(200))': \(problem)",
            hint: suggestion + "the form is skip=RULE,RULE;experimental=RULE;error=true, each of them once at most",
            at: location)
    }

    /// Ends a build whose file asks for `error=true`.
    public static func checksFailed(_ findings: [LintFinding], in source: SourceText) -> BuildError {
        var counts: [String: Int] = [:]
        for finding in findings { counts[finding.rule.name, default: 0] += 1 }
        let rules = counts.keys.sorted().map { counts[$0] == 1 ? $0 : "\($0) (\(counts[$0] ?? 0) times)" }
        let others = findings.count > 1 ? "; --check shows all" : ""
        return BuildError(
            .checksFailed,
            "the checks of '\(source.file)' found something, and error=true: \(rules.joined(separator: ", "))",
            hint: findings.first.map { "the first is: \($0.detail)\(others)" },
            at: findings.first?.range.map { source.location(of: $0) })
    }
}
