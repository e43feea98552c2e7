internal import WhittleCore
internal import WhittleDockerfile

/// Expands the words of one Dockerfile, and says where one cannot be expanded.
struct Expansion {
    private let dockerfile: Dockerfile
    private let plain: WordExpander
    /// For what people read: quotes and unknown variables stay.
    private let faithful: WordExpander
    /// For heredocs: quotes mean nothing, and the escape character is always the backslash.
    private let inline = WordExpander(escape: .backslash, options: .ignoresQuotes)

    /// The kernel takes no longer variable (`MAX_ARG_STRLEN`, 32 pages of 4 KiB), so nothing useful is lost; and
    /// variables that double each other cannot fill the memory.
    static let valueLimit = 131_072
    /// Bytes of values that one word, or one heredoc, may take up while it is expanded.
    private static let budget = 4 << 20

    init(_ dockerfile: Dockerfile) {
        self.dockerfile = dockerfile
        plain = WordExpander(escape: dockerfile.escape)
        faithful = WordExpander(escape: dockerfile.escape, options: [.keepsQuotes, .keepsUnset])
    }

    /// An expanded word.
    struct Word {
        let text: String
        /// The variables in it that are not set, in alphabetical order.
        let undefined: [String]
    }

    /// Expands one word; blanks in values stay.
    ///
    /// - Parameter location: the place to blame; `nil` for the token's own.
    func word(
        _ token: Token, variables: VariableList, at location: @autoclosure () -> SourceLocation? = nil
    ) throws(BuildError) -> Word {
        // A place holds lines of the file, which is much where a line has a million words.
        func place() -> SourceLocation? { location() ?? dockerfile.location(of: token.range) }
        let word = try expand(token.text, with: plain, variables: variables, at: place)
        guard word.text.utf8.count <= max(Self.valueLimit, token.text.utf8.count) else {
            throw .expansionTooLong(token.text, limit: Self.valueLimit, at: place())
        }
        return word
    }

    /// The text of a word without saying what is undefined in it; as written where it cannot be expanded.
    func quiet(_ token: Token, _ variables: VariableList) -> String {
        shown(token.text, variables: variables, keepsQuotes: false)
    }

    /// Expands a word and splits it at blanks.
    func words(
        _ token: Token, variables: VariableList, at location: @autoclosure () -> SourceLocation
    ) throws(BuildError) -> [String] {
        // The budget and the errors are those of one word.
        _ = try word(token, variables: variables, at: location())
        do throws(BuildError) {
            return try plain.fields(token.text) { variables[$0] }
        } catch {
            throw error.located(at: location())
        }
    }

    /// Expands the text of a heredoc of COPY or ADD.
    func document(
        _ text: String, variables: VariableList, at location: @autoclosure () -> SourceLocation
    ) throws(BuildError) -> Word {
        try expand(text, with: inline, variables: variables, at: location)
    }

    /// An instruction as people see it, variables expanded where that is possible.
    func shown(_ text: String, variables: VariableList, keepsQuotes: Bool) -> String {
        // What cannot be expanded is shown as written.
        guard let word = try? expand(text, with: keepsQuotes ? faithful : plain, variables: variables) else {
            return text
        }
        return word.text
    }

    /// Expands and reads a `--mount`.
    ///
    /// - Parameters:
    ///   - locate: adds the file to the place of an option that is wrong.
    func mount(
        _ flag: RunMountFlag, variables: VariableList, locate: (SourceRange) -> SourceLocation
    ) throws(BuildError) -> RunMount {
        try flag.mount(locating: locate) { (text) throws(BuildError) -> String in
            try expand(text, with: plain, variables: variables).text
        }
    }

    private func expand(
        _ text: String, with expander: WordExpander, variables: VariableList,
        at location: () -> SourceLocation? = { nil }
    ) throws(BuildError) -> Word {
        var taken = 0
        do throws(BuildError) {
            let result = try expander.expand(text) { name in
                let value = variables[name]
                taken += value?.utf8.count ?? 0
                return taken > Self.budget ? "" : value
            }
            guard taken <= Self.budget else {
                throw BuildError.expansionTooLong(text, limit: Self.budget, at: location())
            }
            return Word(text: result.text, undefined: result.unset.sorted())
        } catch {
            throw error.located(at: location())
        }
    }
}
