internal import WhittleDockerfile

/// What the heredocs of a RUN make of its command.
enum RunScript: Equatable {
    /// There are none.
    case none
    /// The command is one heredoc that begins with `#!`: it becomes a program of its own.
    case file(name: String, contents: String, summary: String)
    /// For the shell: the text of the only heredoc, or the command with its heredocs behind it.
    case shell(String, summary: String?)

    /// Where script files are seen inside the container.
    static let directory = "/dev/pipes"

    init(_ run: Instruction.Run) {
        guard case .shell(let command) = run.command, let first = run.heredocs.first else {
            self = .none
            return
        }
        guard Self.isOnlyHeredoc(command.text, first) else {
            let documents = run.heredocs.map { "\n\($0.content)\($0.name)" }
            self = .shell(command.text + documents.joined(), summary: nil)
            return
        }
        let text = first.text
        let summary = Self.summary(of: first.content)
        if text.hasPrefix("#!") {
            self = .file(name: first.name, contents: text, summary: summary)
        } else {
            self = .shell(text, summary: summary)
        }
    }

    /// Whether a command is `<<NAME` and nothing else.
    private static func isOnlyHeredoc(_ command: String, _ heredoc: Heredoc) -> Bool {
        var rest = command.drop { $0.isNumber }
        guard rest.hasPrefix("<<") else { return false }
        rest = rest.dropFirst(2)
        if rest.hasPrefix("-") { rest = rest.dropFirst() }
        // The name stands bare or in quotes; anything more is a word for the shell.
        return [heredoc.name, "\"\(heredoc.name)\"", "'\(heredoc.name)'"].contains(String(rest))
    }

    /// The first line, with dots where there are more.
    private static func summary(of text: String) -> String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        let trimmed = text.drop(while: isBlank)
        let end = trimmed.lastIndex { !$0.isWhitespace }
        let lines = trimmed[..<(end.map { trimmed.index(after: $0) } ?? trimmed.startIndex)]
            .split(omittingEmptySubsequences: false) { $0.isNewline }
        guard let first = lines.first else { return "" }
        return lines.count > 1 ? "\(first)..." : String(first)
    }
}
