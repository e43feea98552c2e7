/// A word of an action, that is of what stands between `{{` and `}}`.
struct TemplateToken: Hashable {
    enum Kind: Hashable {
        /// `.Name`, without the dot.
        case field(String)
        case dot
        /// `$name` with the dollar sign, or `$` alone.
        case variable(String)
        /// A function or a word of the language.
        case word(String)
        case literal(TemplateValue)
        case leftParenthesis, rightParenthesis, pipe, comma, declare, assign
        case end
    }

    let kind: Kind
    /// Counted from 1 in the whole template.
    let column: Int
    /// Whether blanks stand in front: `.A .B` are two values, `.A.B` is one.
    let isSeparate: Bool
}

/// A piece of a template: text, or the words of one action.
enum TemplatePiece: Hashable {
    case text(String)
    case action([TemplateToken], column: Int)
}

/// Cuts a template into text and actions, and actions into words (Go's `text/template/parse` lexer).
struct TemplateLexer {
    private let scalars: [Unicode.Scalar]
    /// Whether `\t` and `\n` in the text stand for a tab and a line end, as in docker's listings.
    private let hasEscapes: Bool
    private var position = 0

    init(_ source: String, hasEscapes: Bool) {
        scalars = Array(source.unicodeScalars)
        self.hasEscapes = hasEscapes
    }

    mutating func pieces() throws(TemplateProblem) -> [TemplatePiece] {
        var pieces: [TemplatePiece] = []
        var trimsNext = false
        while position < scalars.count {
            var text = takeText()
            if trimsNext { text = Self.trimmed(text, atStart: true) }
            trimsNext = false
            let opening = position
            guard starts("{{") else {
                append(text, to: &pieces)
                break
            }
            position += 2
            if starts("-"), position + 1 < scalars.count, Self.isBlank(scalars[position + 1]) {
                position += 1
                text = Self.trimmed(text, atStart: false)
            }
            append(text, to: &pieces)
            if try skipComment(&trimsNext, opening) { continue }
            pieces.append(.action(try words(&trimsNext, opening), column: opening + 1))
        }
        return pieces
    }

    // MARK: Text

    private func append(_ text: [Unicode.Scalar], to pieces: inout [TemplatePiece]) {
        guard !text.isEmpty else { return }
        var result = String.UnicodeScalarView()
        var index = 0
        while index < text.count {
            let next = index + 1 < text.count ? text[index + 1] : nil
            if hasEscapes, text[index] == "\\", next == "t" || next == "n" {
                result.append(next == "t" ? "\t" : "\n")
                index += 2
            } else {
                result.append(text[index])
                index += 1
            }
        }
        pieces.append(.text(String(result)))
    }

    private mutating func takeText() -> [Unicode.Scalar] {
        let start = position
        while position < scalars.count, !starts("{{") { position += 1 }
        return Array(scalars[start..<position])
    }

    private static func trimmed(_ text: [Unicode.Scalar], atStart: Bool) -> [Unicode.Scalar] {
        if atStart { return Array(text.drop { isBlank($0) }) }
        return Array(text.prefix((text.lastIndex { !isBlank($0) } ?? -1) + 1))
    }

    private mutating func skipComment(_ trimsNext: inout Bool, _ opening: Int) throws(TemplateProblem) -> Bool {
        var start = position
        while start < scalars.count, Self.isBlank(scalars[start]) { start += 1 }
        guard starts("/*", at: start) else { return false }
        position = start + 2
        while position < scalars.count, !starts("*/") { position += 1 }
        position += 2
        skipBlanks()
        guard try close(&trimsNext) else {
            throw TemplateProblem("the comment is not closed", at: opening + 1, hint: "end it with '*/}}'")
        }
        return true
    }

    /// Takes `}}` or `-}}`.
    private mutating func close(_ trimsNext: inout Bool) throws(TemplateProblem) -> Bool {
        if starts("}}") {
            position += 2
            return true
        }
        guard starts("-}}") else { return false }
        position += 3
        trimsNext = true
        return true
    }

    // MARK: Actions

    private mutating func words(_ trimsNext: inout Bool, _ opening: Int) throws(TemplateProblem) -> [TemplateToken] {
        var tokens: [TemplateToken] = []
        while true {
            let before = position
            skipBlanks()
            guard position < scalars.count, !starts("{{") else {
                throw TemplateProblem("the action is not closed", at: opening + 1, hint: "end it with '}}'")
            }
            let start = position
            if try close(&trimsNext) {
                tokens.append(TemplateToken(kind: .end, column: start + 1, isSeparate: true))
                return tokens
            }
            let kind = try word()
            tokens.append(TemplateToken(kind: kind, column: start + 1, isSeparate: start > before))
        }
    }

    private mutating func word() throws(TemplateProblem) -> TemplateToken.Kind {
        let start = position
        let scalar = scalars[position]
        let next = position + 1 < scalars.count ? scalars[position + 1] : nil
        switch scalar {
        case "(", ")", "|", ",":
            position += 1
            return scalar == "(" ? .leftParenthesis : scalar == ")" ? .rightParenthesis : scalar == "|" ? .pipe : .comma
        case "=":
            position += 1
            return .assign
        case ":" where next == "=":
            position += 2
            return .declare
        case "\"", "'": return try quoted(by: scalar)
        case "`":
            position += 1
            guard let end = scalars[position...].firstIndex(of: "`") else {
                throw TemplateProblem("the text in back quotes is not closed", at: start + 1)
            }
            defer { position = end + 1 }
            return .literal(.text(Self.string(scalars[position..<end])))
        case "$":
            position += 1
            return .variable("$" + takeName())
        case "." where next.map { Self.isNameStart($0) } ?? false:
            position += 1
            return .field(takeName())
        case "." where !(next.map { Self.isDigit($0) } ?? false):
            position += 1
            return .dot
        case "0"..."9", "+", "-", ".": return try number()
        default:
            let name = takeName()
            guard !name.isEmpty else { throw TemplateProblem("unexpected '\(scalar)'", at: start + 1) }
            switch name {
            case "true", "false": return .literal(.bool(name == "true"))
            case "nil": return .literal(.none)
            default: return .word(name)
            }
        }
    }

    private mutating func number() throws(TemplateProblem) -> TemplateToken.Kind {
        let start = position
        while position < scalars.count,
            Self.isNamePart(scalars[position]) || "+-.".unicodeScalars.contains(scalars[position])
        {
            position += 1
        }
        let text = Self.string(scalars[start..<position])
        let digits = text.filter { $0 != "_" }
        let hex = digits.lowercased().hasPrefix("0x") ? Int64(digits.dropFirst(2), radix: 16) : nil
        if let integer = Int64(digits) ?? hex { return .literal(.integer(integer)) }
        guard let value = Double(digits), value.isFinite else {
            throw TemplateProblem("'\(text)' is no number", at: start + 1)
        }
        return .literal(.number(value))
    }

    /// A text in double quotes, or a character in single ones, which is its number.
    private mutating func quoted(by quote: Unicode.Scalar) throws(TemplateProblem) -> TemplateToken.Kind {
        let start = position
        let open = TemplateProblem(
            "the text in quotes is not closed", at: start + 1, hint: "end it with \(quote) before the end of the line")
        position += 1
        var text = String.UnicodeScalarView()
        while true {
            guard position < scalars.count, scalars[position] != "\n" else { throw open }
            let scalar = scalars[position]
            position += 1
            if scalar == quote { break }
            if scalar == "\\" {
                text.append(try escape())
            } else {
                text.append(scalar)
            }
        }
        guard quote == "'" else { return .literal(.text(String(text))) }
        guard text.count == 1, let only = text.first else {
            throw TemplateProblem(
                "single quotes hold one character", at: start + 1, hint: "write a text in double quotes")
        }
        return .literal(.integer(Int64(only.value)))
    }

    private mutating func escape() throws(TemplateProblem) -> Unicode.Scalar {
        let column = position
        guard position < scalars.count else { throw TemplateProblem("the text in quotes is not closed", at: column) }
        let scalar = scalars[position]
        position += 1
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "\"": "\"", "'": "'", "a": "\u{7}", "b": "\u{8}",
            "f": "\u{C}", "v": "\u{B}",
        ]
        if let found = simple[scalar] { return found }
        let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
        if let length = lengths[scalar], position + length <= scalars.count,
            let value = UInt32(Self.string(scalars[position..<position + length]), radix: 16),
            let found = Unicode.Scalar(value)
        {
            position += length
            return found
        }
        throw TemplateProblem("'\\\(scalar)' is no escape sequence", at: column, hint: "write '\\\\' for a backslash")
    }

    private mutating func takeName() -> String {
        let start = position
        while position < scalars.count, Self.isNamePart(scalars[position]) { position += 1 }
        return Self.string(scalars[start..<position])
    }

    private mutating func skipBlanks() {
        while position < scalars.count, Self.isBlank(scalars[position]) { position += 1 }
    }

    private func starts(_ text: String, at start: Int? = nil) -> Bool {
        scalars[min(start ?? position, scalars.count)...].starts(with: text.unicodeScalars)
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { " \t\r\n".unicodeScalars.contains(scalar) }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic
    }
    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool { isNameStart(scalar) || isDigit(scalar) }
}
