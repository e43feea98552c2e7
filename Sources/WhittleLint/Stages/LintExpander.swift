internal import WhittleDockerfile

/// Expands words for the rules. What cannot be expanded is the build's error, not a finding.
struct LintExpander {
    private let plain: WordExpander
    private let inline = WordExpander(escape: .backslash, options: .ignoresQuotes)

    /// No word grows beyond this; the kernel takes no longer variable (`MAX_ARG_STRLEN`), and the build refuses it.
    static let limit = 131_072

    init(_ escape: EscapeCharacter) { plain = WordExpander(escape: escape) }

    /// `nil` where the word cannot be expanded.
    func word(_ text: String, _ values: [String: String]) -> WordExpander.Expansion? { expand(text, plain, values) }

    /// The text of a heredoc.
    func document(_ text: String, _ values: [String: String]) -> WordExpander.Expansion? {
        expand(text, inline, values)
    }

    /// The words that a text is split into after its expansion; none where it cannot be expanded.
    func fields(_ text: String, _ values: [String: String]) -> [String] {
        guard expand(text, plain, values) != nil else { return [] }
        // Just expanded without an error.
        return (try? plain.fields(text) { values[$0] }) ?? []
    }

    private func expand(
        _ text: String, _ expander: WordExpander, _ values: [String: String]
    ) -> WordExpander.Expansion? {
        var taken = 0
        // The error is shown by the build, with its place.
        let result = try? expander.expand(text) { name in
            let value = values[name]
            taken += value?.utf8.count ?? 0
            return taken > Self.limit ? (value == nil ? nil : "") : value
        }
        return taken > Self.limit ? nil : result
    }
}
