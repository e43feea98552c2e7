public import WhittleCore

/// A Dockerfile as values, each with its place in the file: what a frontend builds from, a linter judges and a rewriter
/// changes.
///
/// Words are unexpanded: variables are the frontend's business, through ``WordExpander``.
public struct Dockerfile: Sendable {
    /// The text this was read from.
    public let source: SourceText
    /// Parser directives in their order.
    public let directives: [Directive]
    public let escape: EscapeCharacter
    /// Comments in their order, those inside continued instructions included.
    public let comments: [Comment]
    /// Every instruction in its order: the global arguments and all stages.
    public let instructions: [Instruction]
    /// The ARG instructions above the first FROM.
    public let globalArguments: [Instruction]
    /// The stages in their order. Empty where the file has nothing but ARG instructions.
    public let stages: [Stage]
    /// What BuildKit warns about while it reads: lines where an empty line continues an instruction.
    public let emptyContinuations: [SourceRange]

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
