/// Walks one word, see ``WordExpander``. Used for one word only.
///
/// The order of effects is that of BuildKit's lexer wherever it can be seen, so that the same words are accepted, fail,
/// and count as used.
struct WordLexer {
    private(set) var used: Set<String> = []
    private(set) var unset: Set<String> = []
    /// Whether a nested word takes what its field had before it, a fault of BuildKit that decides what is a heredoc.
    var losesFieldStart = false

    private let bytes: [UInt8]
    private var index = 0
    private let escape: UInt32
    private let keepsQuotes: Bool
    private let ignoresQuotes: Bool
    private let keepsUnset: Bool
    private var keepsEscapes: Bool
    private let value: (String) -> String?
    private var depth = 0

    /// Substitutions inside substitutions.
    static let depthLimit = 200

    typealias Result = (text: [UInt8], fields: [[UInt8]])

    /// The end of the input as a scalar that no text holds.
    private static let endOfText: UInt32 = 0xFFFF_FFFF

    init(
        _ word: String, escape: EscapeCharacter, options: WordExpander.Options, value: @escaping (String) -> String?
    ) {
        self.bytes = Array(word.utf8)
        self.escape = UInt32(escape.rawValue)
        self.keepsQuotes = options.contains(.keepsQuotes)
        self.ignoresQuotes = options.contains(.ignoresQuotes)
        self.keepsUnset = options.contains(.keepsUnset)
        self.keepsEscapes = options.contains(.keepsEscapes)
        self.value = value
        // A byte order mark at the start is dropped.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    /// - Parameter collectsFields: whether the result has fields.
    mutating func run(collectsFields: Bool = true) throws(WordError) -> Result {
        var fields = FieldSplitter(collects: collectsFields)
        return try word(until: nil, fields: &fields)
    }

    /// Reads up to `stop` (which is consumed) or the end.
    private mutating func word(until stop: UInt8?, fields: inout FieldSplitter) throws(WordError) -> Result {
        var text: [UInt8] = []
        let stopScalar = stop.map { UInt32($0) }
        while index < bytes.count {
            let scalar = peek()
            if scalar == stopScalar {
                index += 1
                return (text, fields.finish())
            }
            switch scalar {
            case 0x24:  // $
                let part = try substitution(&fields)
                text += part
                fields.addSplitting(part)
            case 0x27 where !ignoresQuotes, 0x22 where !ignoresQuotes:  // ' "
                let part = try scalar == 0x27 ? singleQuoted() : doubleQuoted(&fields)
                text += part
                fields.add(part)
            case 0x3C:  // <
                let part = heredocMark()
                text += part
                fields.add(part)
            case escape:
                index += 1
                if keepsEscapes {
                    text.append(UInt8(escape))
                    fields.add([UInt8(escape)])
                }
                guard index < bytes.count else { break }
                let escaped = next()
                UTF8Text.append(escaped, to: &text)
                fields.add(scalar: escaped)
            default:
                index += width()
                UTF8Text.append(scalar, to: &text)
                fields.addSplitting(scalar: scalar)
            }
        }
        if let stop { throw stop == UInt8(ascii: "/") ? .missingSlash : .missingBrace }
        return (text, fields.finish())
    }

    /// `<<` and the blanks after it belong together.
    private mutating func heredocMark() -> [UInt8] {
        index += 1
        guard peek() == 0x3C else { return [0x3C] }
        index += 1
        let start = index
        while [0x09, 0x0D, 0x20].contains(peek()) { index += 1 }
        return [0x3C, 0x3C] + bytes[start..<index]
    }

    private mutating func singleQuoted() throws(WordError) -> [UInt8] {
        let start = index
        index += 1
        while index < bytes.count, bytes[index] != 0x27 { index += 1 }
        guard index < bytes.count else { throw .unmatchedQuote("'") }
        index += 1
        return Array(keepsQuotes ? bytes[start..<index] : bytes[start + 1..<index - 1])
    }

    private mutating func doubleQuoted(_ fields: inout FieldSplitter) throws(WordError) -> [UInt8] {
        var text: [UInt8] = keepsQuotes ? [0x22] : []
        index += 1
        while true {
            let scalar = peek()
            switch scalar {
            case Self.endOfText: throw .unmatchedQuote("\"")
            case 0x22:
                index += 1
                return keepsQuotes ? text + [0x22] : text
            case 0x24: text += try substitution(&fields)
            case escape:
                index += 1
                if keepsEscapes { text.append(UInt8(escape)) }
                switch peek() {
                case Self.endOfText: continue
                // Only these can be escaped here; in front of others the escape character is itself.
                case 0x22, 0x24, escape: UTF8Text.append(next(), to: &text)
                default: text.append(UInt8(escape))
                }
            default:
                index += width()
                UTF8Text.append(scalar, to: &text)
            }
        }
    }
}

// MARK: - Substitutions
extension WordLexer {
    private mutating func substitution(_ fields: inout FieldSplitter) throws(WordError) -> [UInt8] {
        index += 1
        guard peek() == UInt32(UInt8(ascii: "{")) else {
            let name = name()
            if name.isEmpty { return [0x24] }
            if let value = lookUp(name) { return Array(value.utf8) }
            return keepsUnset ? Array("$\(name)".utf8) : []
        }
        index += 1
        switch peek() {
        case Self.endOfText: throw .missingBrace
        case 0x7B, 0x7D, 0x3A: throw .badSubstitution  // { } :
        default: break
        }
        let name = name()
        let modifier = next()
        switch modifier {
        case 0x7D:
            if let value = lookUp(name) { return Array(value.utf8) }
            return keepsUnset ? Array("${\(name)}".utf8) : []
        case 0x3A: return try modified(name, ":", next(), &fields)
        case 0x2B, 0x2D, 0x3F, 0x23, 0x25: return try modified(name, "", modifier, &fields)  // + - ? # %
        case 0x2F: return try replaced(name, &fields)
        default: throw .unsupportedModifier(Self.text(modifier))
        }
    }

    /// `${NAME:-WORD}` and its relatives.
    private mutating func modified(
        _ name: String, _ colon: String, _ modifier: UInt32, _ fields: inout FieldSplitter
    ) throws(WordError) -> [UInt8] {
        let isPattern = modifier == 0x23 || modifier == 0x25
        let written = colon + Self.text(modifier)
        if isPattern, !colon.isEmpty { throw .unsupportedModifier(written) }
        let word = try nested(until: UInt8(ascii: "}"), keepsEscapes: isPattern, missing: .missingBrace, &fields)
        let value = lookUp(name).map { Array($0.utf8) }
        if keepsUnset, value == nil { return Array("${\(name)\(written)".utf8) + word + [0x7D] }
        let isMissing = value == nil || (!colon.isEmpty && value == [])
        switch modifier {
        case 0x2D: return isMissing ? word : value ?? []
        case 0x2B: return isMissing ? [] : word
        case 0x3F:
            if !isMissing { return value ?? [] }
            let said = UTF8Text.string(word, 0..<word.count)
            throw .refused(name: name, message: said.isEmpty ? (value == nil ? "is not set" : "is empty") : said)
        case 0x23, 0x25: return try trimmed(value ?? [], by: word, modifier: UInt8(modifier))
        default: throw .unsupportedModifier(written)
        }
    }

    private func trimmed(_ value: [UInt8], by word: [UInt8], modifier: UInt8) throws(WordError) -> [UInt8] {
        let isGreedy = word.first == modifier
        let pattern = isGreedy ? Array(word.dropFirst()) : word
        if modifier == 0x23 { return try ShellPattern(pattern, isGreedy: isGreedy).removingPrefix(from: value) }
        // The shortest match at the end is the shortest one at the start of everything reversed.
        let backwards = try ShellPattern(ShellPattern.reversed(pattern), isGreedy: isGreedy)
            .removingPrefix(from: Self.reversed(value))
        return Self.reversed(backwards)
    }

    private static func reversed(_ text: [UInt8]) -> [UInt8] {
        if text.allSatisfy({ $0 < 0x80 }) { return text.reversed() }
        return Array(
            String(
                String.UnicodeScalarView(
                    UTF8Text.string(text, 0..<text.count).unicodeScalars.reversed())
            ).utf8)
    }

    /// `${NAME/PATTERN/REPLACEMENT}`, and all of them with `//`.
    private mutating func replaced(_ name: String, _ fields: inout FieldSplitter) throws(WordError) -> [UInt8] {
        let replacesAll = peek() == 0x2F
        if replacesAll { index += 1 }
        let pattern = try nested(until: UInt8(ascii: "/"), keepsEscapes: true, missing: .missingSlash, &fields)
        let replacement = try nested(until: UInt8(ascii: "}"), keepsEscapes: true, missing: .missingBrace, &fields)
        let value = lookUp(name).map { Array($0.utf8) }
        if keepsUnset, value == nil {
            return Array("${\(name)/".utf8) + pattern + [0x2F] + replacement + [0x7D]
        }
        let matcher = try ShellPattern(pattern, isGreedy: true)
        return replacesAll
            ? try matcher.replacingAll(in: value ?? [], with: replacement)
            : try matcher.replacingFirst(in: value ?? [], with: replacement)
    }

    /// The word of a substitution. Any failure that reached the end of the text is a missing end.
    private mutating func nested(
        until stop: UInt8, keepsEscapes nestedKeepsEscapes: Bool, missing: WordError, _ fields: inout FieldSplitter
    ) throws(WordError) -> [UInt8] {
        guard depth < Self.depthLimit else { throw .tooDeep }
        depth += 1
        let outer = keepsEscapes
        keepsEscapes = nestedKeepsEscapes
        defer {
            keepsEscapes = outer
            depth -= 1
        }
        if losesFieldStart { fields.dropField() }
        var inner = FieldSplitter(collects: false)
        do throws(WordError) {
            return try word(until: stop, fields: &inner).text
        } catch {
            throw index >= bytes.count && error != .tooDeep ? missing : error
        }
    }

    private mutating func lookUp(_ name: String) -> String? {
        let found = value(name)
        if found == nil { unset.insert(name) } else { used.insert(name) }
        return found
    }
}

// MARK: - Reading
extension WordLexer {
    /// A variable's name, all digits, or one special parameter; empty where none stands here.
    private mutating func name() -> String {
        let start = index
        let first = peek()
        if VariableName.isDigit(first) {
            while VariableName.isDigit(peek()) { index += width() }
        } else if VariableName.isSpecial(first) {
            index += 1
        } else {
            while VariableName.isLetter(peek()) || VariableName.isDigit(peek()) || peek() == 0x5F { index += width() }
        }
        return UTF8Text.string(bytes, start..<index)
    }

    private func peek() -> UInt32 {
        guard index < bytes.count else { return Self.endOfText }
        return UTF8Text.scalar(in: bytes, at: index, before: bytes.count).value
    }

    private func width() -> Int {
        index < bytes.count ? UTF8Text.scalar(in: bytes, at: index, before: bytes.count).length : 0
    }

    private mutating func next() -> UInt32 {
        let scalar = peek()
        index += width()
        return scalar
    }

    private static func text(_ scalar: UInt32) -> String {
        scalar == endOfText ? "" : String(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    }
}
