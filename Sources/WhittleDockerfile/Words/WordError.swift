internal import WhittleCore

/// Why a word cannot be expanded.
enum WordError: Error, Hashable {
    case unmatchedQuote(String)
    case missingBrace
    case missingSlash
    case badSubstitution
    case unsupportedModifier(String)
    case refused(name: String, message: String)
    case badPattern(String)
    case patternTooLong
    case tooDeep

    /// The error a person sees; the caller adds the place.
    func buildError(in word: String) -> BuildError {
        let shown = Excerpt.of(word)
        switch self {
        case .unmatchedQuote(let quote): return .unmatchedQuote(quote, in: shown)
        case .missingBrace: return .badSubstitution(shown, "a '}' is missing")
        case .missingSlash: return .badSubstitution(shown, "a '/' is missing")
        case .badSubstitution: return .badSubstitution(shown, "there is no variable name after '${'")
        case .unsupportedModifier(let modifier): return .unsupportedModifier(modifier, in: shown)
        case .refused(let name, let message): return .requiredVariable(name, message)
        case .badPattern(let pattern): return .badSubstitutionPattern(Excerpt.of(pattern), in: shown)
        case .patternTooLong: return .badSubstitution(shown, "its pattern and value are too long to match")
        case .tooDeep:
            return .badSubstitution(shown, "substitutions are nested more than \(WordLexer.depthLimit) deep")
        }
    }
}

/// Text of a file as an error quotes it.
enum Excerpt {
    /// At most 80 characters.
    static func of(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "…" : text }
}
