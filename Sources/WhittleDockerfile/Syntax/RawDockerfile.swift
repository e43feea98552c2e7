public import WhittleCore

/// A Dockerfile split into instructions, with no regard to what they mean: unknown keywords and flags are still here.
///
/// This is the level of BuildKit's `parser.Parse`, and accepts the same files but for one point: lines over 65,535
/// bytes, which BuildKit refuses. ``Dockerfile`` is the level above.
public struct RawDockerfile: Sendable {
    public let source: SourceText
    public let directives: [Directive]
    public let escape: EscapeCharacter
    /// Comments in their order, those inside continued instructions included.
    public let comments: [Comment]
    /// At least one.
    public let instructions: [RawInstruction]
    /// Empty lines inside continued instructions.
    public let emptyContinuations: [SourceRange]

    /// Splits `source` into instructions.
    ///
    /// - Throws: ``BuildError`` at the first place where the text is no Dockerfile: a heredoc without an end, an ENV
    ///   without a value, a JSON array of other things than strings, a wrong directive, no instruction at all.
    /// - Complexity: O(bytes).
    public init(parsing source: SourceText) throws(BuildError) {
        var parser = RawParser(source)
        self = try parser.parse()
    }

    init(
        source: SourceText, directives: DirectiveScanner, comments: [Comment], instructions: [RawInstruction],
        emptyContinuations: [SourceRange]
    ) {
        self.source = source
        self.directives = directives.directives
        self.escape = directives.escape
        self.comments = comments
        self.instructions = instructions
        self.emptyContinuations = emptyContinuations
    }
}

/// An instruction as its words.
public struct RawInstruction: Sendable {
    /// As written.
    public let keyword: Token
    /// `nil` where the keyword is unknown.
    public let known: Instruction.Keyword?
    public let flags: [Flag]
    /// In their order and unexpanded. ENV and LABEL alternate names and values; a command in shell form is one word; an
    /// unknown instruction has one empty word.
    public let arguments: [Token]
    /// Whether the arguments were a JSON array.
    public let isJSON: Bool
    /// Of ENV and LABEL: whether the old form without `=` was used.
    public let isLegacyAssignment: Bool
    public internal(set) var heredocs: [Heredoc]
    /// The instruction as one line, continuations joined, without heredocs.
    public let text: String
    /// Comments directly above, oldest first.
    public let comments: [String]
    /// From the keyword to the last byte, heredoc terminators included.
    public internal(set) var range: SourceRange
    /// First and last line; comments and empty lines that follow a last continued line count.
    public internal(set) var lines: ClosedRange<Int>

    /// What ONBUILD wraps. An array of at most one, because a struct cannot hold itself.
    private let wrappedStorage: [RawInstruction]

    /// What ONBUILD wraps.
    public var wrapped: RawInstruction? { wrappedStorage.first }

    init(
        keyword: Token, known: Instruction.Keyword?, flags: [Flag], arguments: RawArguments, text: String,
        comments: [String], range: SourceRange, lines: ClosedRange<Int>
    ) {
        self.keyword = keyword
        self.known = known
        self.flags = flags
        self.arguments = arguments.tokens
        self.isJSON = arguments.isJSON
        self.isLegacyAssignment = arguments.isLegacyAssignment
        self.heredocs = []
        self.text = text
        self.comments = comments
        self.range = range
        self.lines = lines
        self.wrappedStorage = arguments.wrapped
    }
}

/// What follows an instruction's keyword and flags.
struct RawArguments {
    var tokens: [Token] = []
    var isJSON = false
    var isLegacyAssignment = false
    var wrapped: [RawInstruction] = []
}
