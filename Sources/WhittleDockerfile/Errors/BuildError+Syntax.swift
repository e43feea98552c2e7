internal import WhittleCore

extension BuildError.Code {
    static let repeatedDirective = Self(rawValue: "repeated-directive")
    static let badEscapeDirective = Self(rawValue: "bad-escape-directive")
    static let noInstructions = Self(rawValue: "no-instructions")
    static let unterminatedHeredoc = Self(rawValue: "unterminated-heredoc")
    static let nestedOnbuild = Self(rawValue: "nested-onbuild")
    static let jsonNotStrings = Self(rawValue: "json-not-strings")
    static let assignmentWithoutValue = Self(rawValue: "assignment-without-value")
    static let assignmentWithoutEquals = Self(rawValue: "assignment-without-equals")
    static let unmatchedQuote = Self(rawValue: "unmatched-quote")
    static let badSubstitution = Self(rawValue: "bad-substitution")
    static let requiredVariable = Self(rawValue: "required-variable")
    static let badIgnorePattern = Self(rawValue: "bad-ignore-pattern")
}

/// Errors of splitting a file into instructions.
extension BuildError {
    static func repeatedDirective(_ name: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .repeatedDirective, "the parser directive '\(name)' is given a second time",
            hint: "keep one '# \(name)=' line", at: place)
    }

    static func badEscapeDirective(_ value: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .badEscapeDirective, "the escape character cannot be '\(Excerpt.of(value))'",
            hint: "write '# escape=\\' or '# escape=`'", at: place)
    }

    static func noInstructions(at place: SourceLocation) -> BuildError {
        BuildError(
            .noInstructions, "the file '\(place.file)' has no instructions",
            hint: "a Dockerfile begins with FROM, for instance 'FROM alpine'", at: place)
    }

    static func unterminatedHeredoc(_ name: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .unterminatedHeredoc, "the heredoc '\(Excerpt.of(name))' does not end before the end of the file",
            hint: "end it with a line that is exactly '\(Excerpt.of(name))', without blanks around it", at: place)
    }

    static func nestedOnbuild(at place: SourceLocation) -> BuildError {
        BuildError(
            .nestedOnbuild, "ONBUILD stands inside ONBUILD", hint: "write each trigger with one ONBUILD", at: place)
    }

    static func jsonNotStrings(at place: SourceLocation) -> BuildError {
        BuildError(
            .jsonNotStrings, "an array of arguments has an element that is not a string",
            hint: "put every element in double quotes", at: place)
    }

    static func assignmentWithoutValue(_ keyword: String, _ name: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .assignmentWithoutValue, "\(keyword) gives '\(Excerpt.of(name))' no value",
            hint: "write '\(keyword) \(Excerpt.of(name))=VALUE'", at: place)
    }

    static func assignmentWithoutEquals(_ word: String, _ keyword: String, at place: SourceLocation) -> BuildError {
        BuildError(
            .assignmentWithoutEquals, "\(keyword) has the word '\(Excerpt.of(word))' without '='",
            hint: "write NAME=VALUE, and put a value with blanks in double quotes", at: place)
    }
}

/// Errors of expanding a word. The place is added by whoever knows where the word stands.
extension BuildError {
    static func unmatchedQuote(_ quote: String, in word: String) -> BuildError {
        BuildError(
            .unmatchedQuote, "a \(quote == "'" ? "single" : "double") quote does not end: \(word)",
            hint: "add the closing quote, or write the quote with the escape character in front of it")
    }

    static func badSubstitution(_ word: String, _ reason: String) -> BuildError {
        BuildError(
            .badSubstitution, "cannot expand '\(word)': \(reason)", hint: "write '${NAME}', or '\\$' for a dollar sign")
    }

    static func unsupportedModifier(_ modifier: String, in word: String) -> BuildError {
        BuildError(
            .badSubstitution,
            modifier.isEmpty
                ? "cannot expand '\(word)': a '}' is missing"
                : "cannot expand '\(word)': '\(modifier)' is not known after the variable's name",
            hint: "known are :- - :+ + :? ? # ## % %% / and //")
    }

    static func badSubstitutionPattern(_ pattern: String, in word: String) -> BuildError {
        BuildError(
            .badSubstitution, "cannot expand '\(word)': the pattern '\(pattern)' escapes a character that needs none",
            hint: "in a pattern only '*', '?' and '\\' are escaped")
    }

    static func requiredVariable(_ name: String, _ message: String) -> BuildError {
        BuildError(
            .requiredVariable, "the variable '\(name)' is required: \(Excerpt.of(message))",
            hint: "give it with --build-arg \(name)=VALUE, or set it with ARG or ENV")
    }
}
