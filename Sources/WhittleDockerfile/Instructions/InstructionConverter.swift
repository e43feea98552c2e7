internal import WhittleCore

/// Turns an instruction's words into what they say, or into the error that says why they say nothing.
///
/// The same instructions pass as in BuildKit's `instructions.Parse`. What it leaves unchecked is left so here: flags of
/// ARG, STOPSIGNAL and HEALTHCHECK NONE, and everything about an ONBUILD trigger but its keyword.
struct InstructionConverter {
    let source: SourceText
    let escape: EscapeCharacter

    /// - Parameter previous: the instruction above, to explain a line that belongs to it.
    func convert(_ raw: RawInstruction, after previous: RawInstruction?) throws(BuildError) -> Instruction {
        guard let known = raw.known else { throw unknownInstruction(raw, after: previous) }
        return Instruction(raw: raw, kind: try kind(known, raw))
    }

    private func kind(_ keyword: Instruction.Keyword, _ raw: RawInstruction) throws(BuildError) -> Instruction.Kind {
        switch keyword {
        case .from: return .from(try from(raw))
        case .run: return .run(try run(raw))
        case .copy: return .copy(try copy(raw))
        case .add: return .add(try add(raw))
        case .env: return .env(try assignments(raw))
        case .label: return .label(try assignments(raw))
        case .arg: return .arg(try argumentDeclarations(raw))
        case .workdir: return .workdir(try oneArgument(raw, "a path"))
        case .user: return .user(try oneArgument(raw, "a user"))
        case .maintainer: return .maintainer(try oneArgument(raw, "a name"))
        case .stopsignal: return .stopsignal(try oneArgument(raw, "a signal", checksFlags: false))
        case .expose:
            let ports = try someArguments(raw, "a port")
            _ = try FlagReader(raw, source: source)
            return .expose(ports)
        case .volume: return .volume(try volumes(raw))
        case .cmd:
            _ = try FlagReader(raw, source: source)
            return .cmd(commandLine(raw, raw.arguments))
        case .entrypoint:
            _ = try FlagReader(raw, source: source)
            return .entrypoint(commandLine(raw, raw.arguments))
        case .healthcheck: return .healthcheck(try healthcheck(raw))
        case .shell: return .shell(try shell(raw))
        case .onbuild: return .onbuild(try onbuild(raw))
        }
    }

    func location(_ range: SourceRange) -> SourceLocation { source.location(of: range) }

    /// The keyword, as the place of a fault that no argument has.
    func place(_ raw: RawInstruction) -> SourceLocation { location(raw.keyword.range) }

    func name(_ raw: RawInstruction) -> String { raw.keyword.text.uppercased() }

    /// The command of a shell form, or the words of the JSON form.
    func commandLine(_ raw: RawInstruction, _ arguments: [Token]) -> Instruction.CommandLine {
        if raw.isJSON { return .exec(arguments) }
        let end = SourceRange(raw.keyword.range.end, raw.keyword.range.end)
        return .shell(arguments.first ?? Token("", at: end))
    }

    func someArguments(_ raw: RawInstruction, _ what: String) throws(BuildError) -> [Token] {
        guard !raw.arguments.isEmpty else {
            throw .wrongArgumentCount(
                name(raw), found: "no argument", hint: "write \(what) after \(name(raw))", at: place(raw))
        }
        return raw.arguments
    }

    private func oneArgument(
        _ raw: RawInstruction, _ what: String, checksFlags: Bool = true
    ) throws(BuildError) -> Token {
        let arguments = try someArguments(raw, what)
        if checksFlags { _ = try FlagReader(raw, source: source) }
        return arguments[0]
    }

    private func assignments(_ raw: RawInstruction) throws(BuildError) -> [Instruction.Assignment] {
        _ = try FlagReader(raw, source: source)
        let words = try someArguments(raw, "NAME=VALUE")
        var assignments: [Instruction.Assignment] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard !words[index].text.isEmpty else { throw .blankName(name(raw), at: location(words[index].range)) }
            assignments.append(
                Instruction.Assignment(name: words[index], value: words[index + 1], isLegacy: raw.isLegacyAssignment))
        }
        return assignments
    }

    private func argumentDeclarations(_ raw: RawInstruction) throws(BuildError) -> [Instruction.ArgumentDeclaration] {
        var declarations: [Instruction.ArgumentDeclaration] = []
        for word in try someArguments(raw, "a name") {
            guard let equals = word.text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                declarations.append(Instruction.ArgumentDeclaration(name: word, value: nil))
                continue
            }
            let (name, value) = split(word, at: equals)
            guard !name.text.isEmpty else { throw .blankName("ARG", at: location(word.range)) }
            declarations.append(Instruction.ArgumentDeclaration(name: name, value: value))
        }
        return declarations
    }

    /// `NAME=VALUE` as two tokens. The value's start is exact where the name stands on one line.
    private func split(_ word: Token, at equals: String.Index) -> (Token, Token) {
        let name = String(word.text[..<equals])
        let start = word.range.start
        let end = SourcePosition(line: start.line, column: start.column + name.utf8.count)
        let valueStart = SourcePosition(line: end.line, column: end.column + 1)
        return (
            Token(name, at: SourceRange(start, end)),
            Token(
                String(word.text[word.text.utf8.index(after: equals)...]),
                at: SourceRange(min(valueStart, word.range.end), word.range.end))
        )
    }

    private func volumes(_ raw: RawInstruction) throws(BuildError) -> [Token] {
        let words = try someArguments(raw, "a path")
        _ = try FlagReader(raw, source: source)
        var volumes: [Token] = []
        for word in words {
            let bytes = Array(word.text.utf8)
            let text = UTF8Text.string(bytes, Blank.trim(bytes, 0..<bytes.count))
            guard !text.isEmpty else { throw .blankVolume(at: location(word.range)) }
            volumes.append(Token(text, at: word.range))
        }
        return volumes
    }

    private func shell(_ raw: RawInstruction) throws(BuildError) -> [Token] {
        _ = try FlagReader(raw, source: source)
        let words = try someArguments(raw, "a JSON array of a shell and its arguments")
        guard raw.isJSON else { throw .shellNotJSON(at: location(words[0].range)) }
        return words
    }

    private func onbuild(_ raw: RawInstruction) throws(BuildError) -> Instruction.Onbuild {
        guard let trigger = raw.wrapped else {
            throw .wrongArgumentCount("ONBUILD", found: "no instruction", hint: "write one after it", at: place(raw))
        }
        _ = try FlagReader(raw, source: source)
        switch trigger.known {
        case .onbuild, .maintainer, .from: throw .badOnbuildTrigger(name(trigger), at: place(trigger))
        default: break
        }
        var expression = trigger.text
        for heredoc in raw.heredocs { expression += "\n\(heredoc.content)\(heredoc.name)" }
        return Instruction.Onbuild(
            expression: expression, keyword: trigger.keyword,
            problem: trigger.known == nil ? unknownInstruction(trigger, after: nil) : nil)
    }
}
