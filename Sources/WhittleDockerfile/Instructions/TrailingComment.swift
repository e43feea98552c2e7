public import WhittleCore

/// A `# comment` at the end of an instruction, which Dockerfile syntax takes for arguments.
///
/// `COPY a b # first` copies `a`, `b` and `#` to `first`. That is what the syntax says, so it parses; whoever sees the
/// instruction fail can say why.
public struct TrailingComment: Hashable, Sendable {
    /// Which argument begins with the `#`, counted from 0.
    public let index: Int
    /// From the `#` to the end of the instruction's line.
    public let range: SourceRange
    /// The comment as far as it became arguments, with single blanks.
    public let text: String
}

/// The trailing comment in the arguments of COPY, ADD, EXPOSE, VOLUME and their like, or `nil` where there is none: where
/// no argument after the first begins with `#`, in JSON form, and for instructions that take the rest of their line as
/// one text.
public func trailingComment(in instruction: Instruction) -> TrailingComment? {
    switch instruction.kind {
    case .copy, .add, .expose, .volume, .from: break
    default: return nil
    }
    let arguments = instruction.raw.arguments
    guard !instruction.raw.isJSON, let last = arguments.last,
        let index = arguments.indices.dropFirst().first(where: { arguments[$0].text.hasPrefix("#") })
    else { return nil }
    return TrailingComment(
        index: index, range: SourceRange(arguments[index].range.start, last.range.end),
        text: arguments[index...].map(\.text).joined(separator: " "))
}
