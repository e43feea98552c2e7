public import WhittleCore

/// An instruction as its words.
///
/// Cheap to copy: a reference to values that do not change.
public struct RawInstruction: Sendable {
    private let storage: Storage

    private final class Storage: Sendable {
        let parts: Parts
        init(_ parts: Parts) { self.parts = parts }
    }

    /// What an instruction is made of.
    struct Parts: Sendable {
        var keyword: Token
        var known: Instruction.Keyword?
        var flags: [Flag]
        var arguments: RawArguments
        var heredocs: [Heredoc] = []
        var text: String
        var comments: [String]
        var range: SourceRange
        var lines: ClosedRange<Int>
    }

    init(_ parts: Parts) { self.storage = Storage(parts) }

    /// As written.
    public var keyword: Token { storage.parts.keyword }
    /// `nil` where the keyword is unknown.
    public var known: Instruction.Keyword? { storage.parts.known }
    public var flags: [Flag] { storage.parts.flags }
    /// In their order and unexpanded. ENV and LABEL alternate names and values; a command in shell form is one word; an
    /// unknown instruction has one empty word.
    public var arguments: [Token] { storage.parts.arguments.tokens }
    /// Whether the arguments were a JSON array.
    public var isJSON: Bool { storage.parts.arguments.isJSON }
    /// Of ENV and LABEL: whether the old form without `=` was used.
    public var isLegacyAssignment: Bool { storage.parts.arguments.isLegacyAssignment }
    public var heredocs: [Heredoc] { storage.parts.heredocs }
    /// The instruction as one line, continuations joined, without heredocs.
    public var text: String { storage.parts.text }
    /// Comments directly above, oldest first.
    public var comments: [String] { storage.parts.comments }
    /// From the keyword to the last byte, heredoc terminators included.
    public var range: SourceRange { storage.parts.range }
    /// First and last line; comments and empty lines that follow a last continued line count.
    public var lines: ClosedRange<Int> { storage.parts.lines }
    /// What ONBUILD wraps.
    public var wrapped: RawInstruction? { storage.parts.arguments.wrapped }
}

/// What follows an instruction's keyword and flags.
struct RawArguments: Sendable {
    var tokens: [Token] = []
    var isJSON = false
    var isLegacyAssignment = false
    var wrapped: RawInstruction?
}
