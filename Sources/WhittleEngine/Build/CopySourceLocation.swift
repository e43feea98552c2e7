internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem

/// Points an error about a missing source of COPY or ADD at the word of the instruction that names it.
enum CopySourceLocation {
    static func narrowed(_ error: any Error, _ dockerfile: Dockerfile) -> any Error {
        guard let error = error as? BuildError, let location = error.location,
            let missing = error.cause as? MissingSource,
            let instruction = dockerfile.instructions.first(where: { $0.range.start == location.range.start }),
            let token = word(for: missing.source, among: words(of: instruction))
        else { return error }
        return BuildError(
            error.code, error.message, hint: error.hint, at: dockerfile.location(of: token.range), cause: error.cause)
    }

    private static func words(of instruction: Instruction) -> [Token] {
        let sources: [Instruction.FileSource] =
            switch instruction.kind {
            case .copy(let copy): copy.sources
            case .add(let add): add.sources
            default: []
            }
        return sources.compactMap { if case .path(let token) = $0 { token } else { nil } }
    }

    /// The only word, or the one that says the same path but for variables and the slash in front.
    private static func word(for source: String, among words: [Token]) -> Token? {
        if words.count == 1 { return words[0] }
        func plain(_ text: String) -> Substring { text.drop { $0 == "/" || $0 == "." } }
        return words.first { plain($0.text) == plain(source) }
    }
}
