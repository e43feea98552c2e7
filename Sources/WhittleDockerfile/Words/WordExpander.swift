public import WhittleCore

/// Expands the variables of a word and removes its quotes, as a shell does for the words that Dockerfile instructions
/// expand.
///
/// Known: `$NAME`, `${NAME}`, and with a word `:- - :+ + :? ? # ## % %% / //`. Single quotes keep everything, double
/// quotes everything but variables, the escape character the character after it.
public struct WordExpander: Sendable {
    /// The escape character of the file, see ``Dockerfile/escape``.
    public let escape: EscapeCharacter
    public let options: Options

    /// What to leave as it is.
    public struct Options: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Quotes stay in the result; what they enclose is still treated as quoted.
        public static let keepsQuotes = Options(rawValue: 1)
        /// Escape characters stay in the result.
        public static let keepsEscapes = Options(rawValue: 2)
        /// Quotes are ordinary characters (in heredocs, for instance).
        public static let ignoresQuotes = Options(rawValue: 4)
        /// Variables without a value stay as written.
        public static let keepsUnset = Options(rawValue: 8)
        /// What a heredoc of COPY or ADD is expanded with.
        public static let heredoc: Options = [.keepsQuotes, .keepsEscapes, .ignoresQuotes]
    }

    /// An expanded word with the variables it named.
    public struct Expansion: Hashable, Sendable {
        public let text: String
        /// Variables that had a value.
        public let used: Set<String>
        /// Variables that had none.
        public let unset: Set<String>
    }

    public init(escape: EscapeCharacter = .backslash, options: Options = []) {
        self.escape = escape
        self.options = options
    }

    /// Expands `word` as one word: blanks stay as they are.
    ///
    /// - Parameter value: the value of a variable, or `nil` where it is not set.
    /// - Throws: ``BuildError`` without a place, for a substitution that is no valid one, for a quote without its
    ///   partner, and for a `${NAME:?MESSAGE}` whose variable is missing.
    /// - Complexity: O(length of word and values); a pattern substitution O(pattern × value).
    public func expand(_ word: String, value: (String) -> String?) throws(BuildError) -> Expansion {
        if isPlain(word) { return Expansion(text: word, used: [], unset: []) }
        return try withoutActuallyEscaping(value) { (value) throws(BuildError) -> Expansion in
            var lexer = WordLexer(word, escape: escape, options: options, value: value)
            do throws(WordError) {
                let text = try lexer.run(collectsFields: false).text
                return Expansion(
                    text: UTF8Text.string(text, 0..<text.count), used: lexer.used, unset: lexer.unset)
            } catch {
                throw error.buildError(in: word)
            }
        }
    }

    /// Expands `word` with the variables of a dictionary.
    public func expand(_ word: String, with values: [String: String]) throws(BuildError) -> Expansion {
        try expand(word) { values[$0] }
    }

    /// Expands `word` and splits it at blanks that are not quoted, those inside the values of variables included.
    /// Empty fields vanish.
    public func fields(_ word: String, value: (String) -> String?) throws(BuildError) -> [String] {
        try withoutActuallyEscaping(value) { (value) throws(BuildError) -> [String] in
            var lexer = WordLexer(word, escape: escape, options: options, value: value)
            do throws(WordError) {
                return try lexer.run().fields.map { UTF8Text.string($0, 0..<$0.count) }
            } catch {
                throw error.buildError(in: word)
            }
        }
    }

    /// Whether nothing in `word` has a meaning.
    private func isPlain(_ word: String) -> Bool {
        word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "$"), UInt8(ascii: "'"), UInt8(ascii: "\""), 0xEF: false
            default: byte != escape.rawValue
            }
        }
    }
}
