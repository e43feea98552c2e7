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
