internal import WhittleCore

/// Puts variables in their places in a compose file: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
/// `${NAME:?message}`, `${NAME?message}`, `${NAME:+other}`, `${NAME+other}`, and `$$` for a dollar.
struct ComposeInterpolation {
    let environment: [String: String]
    /// Variables that are not set and have no default, in the order in which they were met.
    private(set) var missing: [String] = []

    init(environment: [String: String]) { self.environment = environment }

    /// - Throws: `bake-missing-variable`, `bake-invalid`.
    mutating func expanding(_ reader: ValueReader) throws(BuildError) -> ValueReader {
        var interpolation = self
        let value = try reader.value.mapTexts(reader.path) { text, value, path throws(BuildError) in
            guard text.contains("$") else { return value }
            let place = ValueReader(value: value, path: path, source: reader.source)
            var rest = Array(text)[...]
            let result = try interpolation.text(&rest, place, isInBraces: false)
            return BakeValue(.text(result), at: value.place)
        }
        self = interpolation
        return ValueReader(value: value, path: reader.path, source: reader.source)
    }

    /// Up to the end, or up to the brace that ends a default, which stays.
    private mutating func text(
        _ rest: inout ArraySlice<Character>, _ place: ValueReader, isInBraces: Bool
    ) throws(BuildError) -> String {
        var result = ""
        while let first = rest.first {
            if isInBraces, first == "}" { break }
            rest.removeFirst()
            guard first == "$" else {
                result.append(first)
                continue
            }
            switch rest.first {
            case "$":
                rest.removeFirst()
                result.append("$")
            case "{":
                rest.removeFirst()
                result += try braces(&rest, place)
            case let next? where Self.isNameStart(next):
                result += value(of: Self.name(&rest))
            default:
                throw .invalidBake(
                    place.source.name, place.path, "a '$' that begins no variable", hint: "write '$$' for a dollar",
                    at: place.location)
            }
        }
        return result
    }

    private mutating func value(of name: String) -> String {
        if let value = environment[name] { return value }
        if !missing.contains(name) { missing.append(name) }
        return ""
    }

    private mutating func braces(
        _ rest: inout ArraySlice<Character>, _ place: ValueReader
    ) throws(BuildError) -> String {
        func invalid(_ problem: String) -> BuildError {
            .invalidBake(place.source.name, place.path, problem, at: place.location)
        }
        let name = Self.name(&rest)
        guard !name.isEmpty else { throw invalid("'${' without the name of a variable") }
        var operation = ""
        while let next = rest.first,
            operation.isEmpty ? ":-?+".contains(next) : operation == ":" && "-?+".contains(next)
        {
            operation.append(rest.removeFirst())
        }
        guard !operation.isEmpty else {
            guard rest.popFirst() == "}" else { throw invalid("'${\(name)' has no '}'") }
            return value(of: name)
        }
        guard operation != ":" else { throw invalid("'${\(name):' is not followed by '-', '?' or '+'") }
        // Variables of a default that is not taken are not missing.
        var inner = self
        let word = try inner.text(&rest, place, isInBraces: true)
        guard rest.popFirst() == "}" else { throw invalid("'${\(name)' has no '}'") }
        let own = environment[name]
        let isSet = operation.hasPrefix(":") ? own.map { !$0.isEmpty } ?? false : own != nil
        switch operation.last {
        case "-":
            guard !isSet else { return own ?? "" }
            self = inner
            return word
        case "+":
            guard isSet else { return "" }
            self = inner
            return word
        default:
            guard isSet else {
                throw .requiredVariable(name, word, in: place.source.name, place.path, at: place.location)
            }
            return own ?? ""
        }
    }

    private static func isNameStart(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character == "_")
    }

    private static func name(_ rest: inout ArraySlice<Character>) -> String {
        var name = ""
        while let next = rest.first, isNameStart(next) || !name.isEmpty && next.isASCII && next.isNumber {
            name.append(rest.removeFirst())
        }
        return name
    }
}

/// `.env`: lines `NAME=VALUE`, as compose reads them.
enum DotEnv {
    /// - Parameter environment: what values may name before the file's own.
    /// - Throws: `bake-syntax`, `bake-invalid`, `bake-missing-variable`.
    static func variables(
        _ source: BakeSource, _ environment: [String: String]
    ) throws(BuildError) -> [String: String] {
        var variables: [String: String] = [:]
        let lines = source.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            var line = String(decoding: bytes, as: UTF8.self)[...]
            line = line.drop { $0 == " " || $0 == "\t" || $0 == "\u{FEFF}" }
            while let last = line.last, last.isWhitespace { line.removeLast() }
            if line.hasPrefix("export ") { line = line.dropFirst("export ".count).drop { $0 == " " } }
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let position = SourcePosition(line: index + 1, column: 1)
            let place = SourceRange(position, SourcePosition(line: index + 1, column: bytes.count + 1))
            let mark = line.firstIndex { $0 == "=" || $0 == ":" }
            let name = String(mark.map { line[..<$0] } ?? line).filter { $0 != " " }
            guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.-[]".contains($0)) })
            else {
                throw .bakeSyntax(source.name, "expected NAME=VALUE", at: source.location(place))
            }
            guard let mark else { continue }
            let written = line[line.index(after: mark)...].drop { $0 == " " || $0 == "\t" }
            let (text, isLiteral) = try value(written) { () -> BuildError in
                .bakeSyntax(source.name, "a quote that does not end on its line", at: source.location(place))
            }
            guard !isLiteral else {
                variables[name] = text
                continue
            }
            var interpolation = ComposeInterpolation(environment: variables.merging(environment) { $1 })
            let reader = ValueReader(value: BakeValue(.text(text), at: place), path: name, source: source)
            variables[name] = try interpolation.expanding(reader).text()
        }
        return variables
    }

    /// The text of a value, and whether `$` means nothing in it.
    private static func value(
        _ written: Substring, _ open: () -> BuildError
    ) throws(BuildError) -> (text: String, isLiteral: Bool) {
        guard let quote = written.first, quote == "\"" || quote == "'" else {
            // A comment stands behind a blank.
            var text = ""
            for character in written {
                if character == "#", text.last?.isWhitespace ?? false { break }
                text.append(character)
            }
            while let last = text.last, last.isWhitespace { text.removeLast() }
            return (text, false)
        }
        var text = ""
        var rest = written.dropFirst()
        while let next = rest.popFirst() {
            if next == quote { return (text, quote == "'") }
            if next == "\\", quote == "\"", let escaped = rest.popFirst() {
                switch escaped {
                case "n": text.append("\n")
                case "r": text.append("\r")
                case "t": text.append("\t")
                // Stays one dollar, whatever follows.
                case "$": text.append("$$")
                default: text.append(escaped)
                }
            } else {
                text.append(next)
            }
        }
        throw open()
    }
}
