public import WhittleCore

/// A Dockerfile as values, each with its place in the file: what a frontend builds from, a linter judges and a rewriter
/// changes.
///
/// Words are unexpanded: variables are the frontend's business, through ``WordExpander``.
public struct Dockerfile: Sendable {
    /// The file as its words.
    public let raw: RawDockerfile
    /// Every instruction in its order: the global arguments and all stages.
    public let instructions: [Instruction]
    /// The ARG instructions above the first FROM.
    public let globalArguments: [Instruction]
    /// The stages in their order. Empty where the file has nothing but ARG instructions.
    public let stages: [Stage]

    /// The text this was read from.
    public var source: SourceText { raw.source }
    /// Parser directives in their order.
    public var directives: [Directive] { raw.directives }
    public var escape: EscapeCharacter { raw.escape }
    /// Comments in their order, those inside continued instructions included.
    public var comments: [Comment] { raw.comments }
    /// Empty lines inside continued instructions, which BuildKit warns about.
    public var emptyContinuations: [SourceRange] { raw.emptyContinuations }

    /// Reads a Dockerfile.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8, with or without a byte order mark; bytes that are none become U+FFFD in words.
    ///   - file: the file as the user named it, for errors.
    /// - Throws: ``BuildError`` with its place, for the first fault.
    /// - Complexity: O(bytes).
    public init(parsing bytes: [UInt8], file: String) throws(BuildError) {
        try self.init(RawDockerfile(parsing: SourceText(bytes, file: file)))
    }

    /// Reads a Dockerfile from a text.
    public init(parsing text: String, file: String = "Dockerfile") throws(BuildError) {
        try self.init(parsing: Array(text.utf8), file: file)
    }

    /// Finds out what the instructions of `raw` say.
    ///
    /// - Throws: ``BuildError`` with its place, for the first instruction that says nothing.
    public init(_ raw: RawDockerfile) throws(BuildError) {
        let converter = InstructionConverter(source: raw.source, escape: raw.escape)
        var instructions: [Instruction] = []
        instructions.reserveCapacity(raw.instructions.count)
        for (index, item) in raw.instructions.enumerated() {
            let previous = index > 0 ? raw.instructions[index - 1] : nil
            instructions.append(try converter.convert(item, after: previous))
        }
        let firstStage = instructions.firstIndex { $0.kind.keyword == .from } ?? instructions.count
        for instruction in instructions[..<firstStage] where instruction.kind.keyword != .arg {
            throw .noStage(instruction.name, at: raw.source.location(of: instruction.keyword.range))
        }
        self.raw = raw
        self.instructions = instructions
        self.globalArguments = Array(instructions[..<firstStage])
        self.stages = Self.stages(instructions[firstStage...])
    }

    private static func stages(_ instructions: ArraySlice<Instruction>) -> [Stage] {
        var stages: [Stage] = []
        var index = instructions.startIndex
        while index < instructions.endIndex {
            let start = index
            index = instructions[(start + 1)...].firstIndex { $0.kind.keyword == .from } ?? instructions.endIndex
            guard case .from(let from) = instructions[start].kind else { continue }
            stages.append(
                Stage(
                    index: stages.count, from: from, instruction: instructions[start],
                    instructions: Array(instructions[(start + 1)..<index])))
        }
        return stages
    }

    /// `range` with the file's name and lines, ready for a ``BuildError``.
    public func location(of range: SourceRange) -> SourceLocation { source.location(of: range) }
}

/// A FROM with the instructions up to the next one.
public struct Stage: Sendable {
    /// Counted from 0.
    public let index: Int
    /// What the stage begins with.
    public let from: Instruction.From
    /// The FROM itself.
    public let instruction: Instruction
    /// The instructions after the FROM.
    public let instructions: [Instruction]

    /// The name after `AS` in lower case, or `nil`.
    public var name: String? { from.stageName }

    public init(index: Int, from: Instruction.From, instruction: Instruction, instructions: [Instruction]) {
        self.index = index
        self.from = from
        self.instruction = instruction
        self.instructions = instructions
    }
}

extension Instruction {
    /// Reads a trigger of an image's configuration: the instruction that ONBUILD wrapped.
    ///
    /// - Parameter image: the image that has the trigger, for errors.
    /// - Throws: ``BuildError`` where the text is not exactly one instruction, or a FROM.
    public init(parsingTrigger text: String, of image: String) throws(BuildError) {
        let source = SourceText(Array(text.utf8), file: "ONBUILD of \(image)")
        let raw = try RawDockerfile(parsing: source)
        guard raw.instructions.count == 1, raw.instructions[0].known != .from else {
            throw .badTriggerText(of: image, at: source.location(of: raw.instructions[0].range))
        }
        self = try InstructionConverter(source: source, escape: raw.escape).convert(raw.instructions[0], after: nil)
    }
}
