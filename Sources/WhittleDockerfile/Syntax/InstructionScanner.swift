internal import WhittleCore

/// Reads one instruction from its logical line: keyword, flags, and arguments in the form that the keyword has.
struct InstructionScanner {
    private let line: LogicalLine
    private let source: SourceText
    private let escape: EscapeCharacter
    private let comments: [String]

    /// ONBUILD inside ONBUILD is refused by the next level; here it may not exhaust the stack.
    private static let depthLimit = 50

    init(_ line: LogicalLine, source: SourceText, escape: EscapeCharacter, comments: [String]) {
        self.line = line
        self.source = source
        self.escape = escape
        self.comments = comments
    }

    /// The instruction without its heredocs.
    func scan(lines: ClosedRange<Int>) throws(BuildError) -> RawInstruction.Parts {
        try scan(line.range, lines: lines, depth: 0)
    }

    private func scan(
        _ range: Range<Int>, lines: ClosedRange<Int>, depth: Int
    ) throws(BuildError) -> RawInstruction.Parts {
        let content = Blank.trim(line.bytes, range)
        var end = content.lowerBound
        while end < content.upperBound, !Blank.separates(line.bytes[end]) { end += 1 }
        let keyword = line.token(content.lowerBound..<end)
        let known = Instruction.Keyword(matching: line.bytes[content.lowerBound..<end])
        while end < content.upperBound, Blank.separates(line.bytes[end]) { end += 1 }
        let flags = FlagScanner(line, end..<content.upperBound, escape: escape)
        let rest = Blank.trim(line.bytes, flags.rest..<content.upperBound)
        let arguments: RawArguments
        if known == .onbuild {
            arguments = try wrapped(rest, lines: lines, depth: depth)
        } else {
            arguments = try self.arguments(of: known, keyword, rest)
        }
        return RawInstruction.Parts(
            keyword: keyword, known: known, flags: flags.flags, arguments: arguments, text: line.text(content),
            comments: comments, range: line.place(of: content), lines: lines)
    }

    private func wrapped(_ rest: Range<Int>, lines: ClosedRange<Int>, depth: Int) throws(BuildError) -> RawArguments {
        guard !rest.isEmpty else { return RawArguments() }
        guard depth < Self.depthLimit else { throw .nestedOnbuild(at: source.location(of: line.place(of: rest))) }
        return RawArguments(wrapped: RawInstruction(try scan(rest, lines: lines, depth: depth + 1)))
    }

    private func arguments(
        of keyword: Instruction.Keyword?, _ written: Token, _ rest: Range<Int>
    ) throws(BuildError) -> RawArguments {
        switch keyword {
        case .add, .copy, .volume: return try jsonForm(rest) ?? separated(rest)
        case .cmd, .entrypoint, .run, .shell: return try jsonForm(rest) ?? whole(rest)
        case .arg:
            let words = WordScanner.words(line.bytes, rest, escape: escape)
            return RawArguments(tokens: words.map { line.token($0) })
        case .env, .label: return try assignments(rest, written)
        case .expose, .from: return separated(rest)
        case .healthcheck: return try healthcheck(rest)
        case .maintainer, .stopsignal, .user, .workdir: return whole(rest)
        case .onbuild: return RawArguments()
        case nil: return RawArguments(tokens: [line.token(rest.upperBound..<rest.upperBound)])
        }
    }

    /// All of `rest` as one argument.
    private func whole(_ rest: Range<Int>) -> RawArguments {
        RawArguments(tokens: rest.isEmpty ? [] : [line.token(rest)])
    }

    /// Words between blanks; quotes have no meaning.
    private func separated(_ rest: Range<Int>) -> RawArguments {
        guard !rest.isEmpty else { return RawArguments() }
        return RawArguments(tokens: WordScanner.split(line.bytes, rest).map { line.token($0) })
    }

    /// `nil` where `rest` is not in JSON form.
    private func jsonForm(_ rest: Range<Int>) throws(BuildError) -> RawArguments? {
        switch JSONForm(line.bytes, rest) {
        case .none: return nil
        case .otherElement(let element):
            throw .jsonNotStrings(at: source.location(of: line.place(of: element)))
        case .strings(let strings):
            return RawArguments(tokens: strings.map { line.token($0.text, at: $0.range) }, isJSON: true)
        }
    }

    /// `HEALTHCHECK TYPE COMMAND`.
    private func healthcheck(_ rest: Range<Int>) throws(BuildError) -> RawArguments {
        guard !rest.isEmpty else { return RawArguments() }
        var end = rest.lowerBound
        while end < rest.upperBound, !Blank.isASCII(line.bytes[end]) { end += 1 }
        let type = line.token(rest.lowerBound..<end)
        while end < rest.upperBound, Blank.isASCII(line.bytes[end]) { end += 1 }
        var command = try jsonForm(end..<rest.upperBound) ?? whole(end..<rest.upperBound)
        command.tokens.insert(type, at: 0)
        return command
    }

    /// `NAME=VALUE …`, or the old `NAME VALUE` where the value is the rest of the line.
    private func assignments(_ rest: Range<Int>, _ keyword: Token) throws(BuildError) -> RawArguments {
        let words = WordScanner.words(line.bytes, rest, escape: escape)
        guard let first = words.first else { return RawArguments() }
        guard line.bytes[first].contains(UInt8(ascii: "=")) else {
            let parts = legacyParts(rest)
            guard let value = parts.value else {
                throw .assignmentWithoutValue(
                    keyword.text.uppercased(), line.text(parts.name), at: source.location(of: line.place(of: rest)))
            }
            return RawArguments(tokens: [line.token(parts.name), line.token(value)], isLegacyAssignment: true)
        }
        var tokens: [Token] = []
        tokens.reserveCapacity(words.count * 2)
        for word in words {
            guard let equals = line.bytes[word].firstIndex(of: UInt8(ascii: "=")) else {
                throw .assignmentWithoutEquals(
                    line.text(word), keyword.text.uppercased(), at: source.location(of: line.place(of: word)))
            }
            tokens.append(line.token(word.lowerBound..<equals))
            tokens.append(line.token(equals + 1..<word.upperBound))
        }
        return RawArguments(tokens: tokens)
    }

    private func legacyParts(_ rest: Range<Int>) -> (name: Range<Int>, value: Range<Int>?) {
        guard let end = line.bytes[rest].firstIndex(where: { Blank.separates($0) }) else { return (rest, nil) }
        var start = end
        while start < rest.upperBound, Blank.separates(line.bytes[start]) { start += 1 }
        return (rest.lowerBound..<end, start..<rest.upperBound)
    }
}

extension Instruction.Keyword {
    /// The keyword written as `text` in any casing.
    init?(matching text: ArraySlice<UInt8>) {
        guard let first = text.first else { return nil }
        if text.contains(where: { $0 >= 0x80 }) {
            self.init(lowercased: GoCase.lowercased(UTF8Text.string(Array(text), 0..<text.count)))
            return
        }
        let matches = Self.spellings.first { spelling in
            spelling.text.count == text.count && spelling.text[0] == first | 0x20
                && zip(spelling.text, text).allSatisfy { $0 == $1 | 0x20 }
        }
        guard let matches else { return nil }
        self = matches.keyword
    }

    private init?(lowercased text: String) {
        guard let match = Self.allCases.first(where: { $0.rawValue.lowercased() == text }) else { return nil }
        self = match
    }

    private static let spellings: [(text: [UInt8], keyword: Self)] = allCases.map { keyword in
        (keyword.rawValue.utf8.map { $0 | 0x20 }, keyword)
    }
}
