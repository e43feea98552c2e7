public import WhittleCore

/// A piece of a Dockerfile with the place it was read from.
///
/// The text is what the instruction means by it, unexpanded: quotes of a flag and escapes of a JSON string are resolved,
/// a command over several lines is joined. The range is what was written, quotes included.
public struct Token: Hashable, Sendable {
    public let text: String
    public let range: SourceRange

    public init(_ text: String, at range: SourceRange) {
        self.text = text
        self.range = range
    }
}

/// A flag of an instruction, `--NAME` or `--NAME=VALUE`.
public struct Flag: Hashable, Sendable {
    /// Without the dashes.
    public let name: Token
    /// What stands after the first `=`, unquoted and unexpanded; `nil` where there is no `=`.
    public let value: Token?

    public init(name: Token, value: Token?) {
        self.name = name
        self.value = value
    }

    /// `--NAME[=VALUE]`, as BuildKit writes it after removing quotes.
    public var text: String {
        if let value { "--\(name.text)=\(value.text)" } else { "--\(name.text)" }
    }

    /// From the first dash to the end of the value.
    public var range: SourceRange {
        let start = SourcePosition(line: name.range.start.line, column: max(1, name.range.start.column - 2))
        return SourceRange(start, value?.range.end ?? name.range.end)
    }
}

/// A comment on a line of its own. Comments of parser directives and lines of heredocs are not among them.
public struct Comment: Hashable, Sendable {
    /// Without the `#`, without blanks around it.
    public let text: String
    /// From the `#` to the end of the line.
    public let range: SourceRange

    public init(_ text: String, at range: SourceRange) {
        self.text = text
        self.range = range
    }
}

/// A parser directive, `# NAME=VALUE`, at the top of a file.
public struct Directive: Hashable, Sendable {
    /// Lower case: `syntax`, `escape` or `check`.
    public let name: String
    public let value: Token
    /// The whole line, from the `#`.
    public let range: SourceRange

    public init(name: String, value: Token, at range: SourceRange) {
        self.name = name
        self.value = value
        self.range = range
    }
}

/// The character that escapes another one, and that continues an instruction on the next line.
public enum EscapeCharacter: UInt8, Hashable, Sendable {
    case backslash = 0x5C
    case backtick = 0x60

    /// The character as text.
    public var text: String { self == .backslash ? "\\" : "`" }
}

/// A heredoc of RUN, COPY or ADD.
public struct Heredoc: Hashable, Sendable {
    /// The terminator, unquoted. For COPY and ADD it is the name of the file too.
    public let name: String
    /// The lines up to the terminator as written, line ends included; leading tabs are still there (see ``text``).
    public let content: String
    /// Whether variables in the content are expanded: the name was not quoted.
    public let expands: Bool
    /// Whether leading tabs are removed: `<<-`.
    public let chomps: Bool
    /// The number before `<<`, 0 where there is none.
    public let fileDescriptor: UInt
    /// `<<NAME` in the instruction.
    public let marker: SourceRange
    /// From the first line of the content to the start of the terminator's line.
    public let body: SourceRange

    public init(
        name: String, content: String, expands: Bool, chomps: Bool, fileDescriptor: UInt, marker: SourceRange,
        body: SourceRange
    ) {
        self.name = name
        self.content = content
        self.expands = expands
        self.chomps = chomps
        self.fileDescriptor = fileDescriptor
        self.marker = marker
        self.body = body
    }

    /// The content with leading tabs removed where the heredoc asks for it.
    public var text: String { chomps ? Self.withoutLeadingTabs(content) : content }

    /// `text` without the tabs at the start of each line.
    static func withoutLeadingTabs(_ text: String) -> String {
        var result: [UInt8] = []
        var isAtLineStart = true
        for byte in text.utf8 {
            if isAtLineStart, byte == UInt8(ascii: "\t") { continue }
            result.append(byte)
            isAtLineStart = byte == UInt8(ascii: "\n")
        }
        return String(decoding: result, as: UTF8.self)
    }
}
