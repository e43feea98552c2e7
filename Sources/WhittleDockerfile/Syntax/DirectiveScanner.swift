internal import WhittleCore

/// Reads parser directives, `# NAME=VALUE`, from the comment lines at the top of a file.
///
/// The first line that is no directive ends them. A name may stand once; an unknown name is an ordinary comment.
struct DirectiveScanner {
    private(set) var directives: [Directive] = []
    private(set) var escape = EscapeCharacter.backslash
    /// Whether directives are over.
    private(set) var isDone = false

    private static let names = ["syntax", "escape", "check"]

    /// Looks at a line without its end and without blanks in front; `true` where it is a directive.
    mutating func scan(_ source: SourceText, _ range: Range<Int>, line: Int) throws(BuildError) -> Bool {
        guard let (name, value) = Self.parts(source.bytes, range), Self.names.contains(name) else {
            isDone = true
            return false
        }
        let place = source.place(range, line: line)
        guard !directives.contains(where: { $0.name == name }) else {
            throw .repeatedDirective(name, at: source.location(of: place))
        }
        let token = Token(UTF8Text.string(source.bytes, value), at: source.place(value, line: line))
        if name == "escape" {
            switch token.text {
            case "\\": escape = .backslash
            case "`": escape = .backtick
            default: throw .badEscapeDirective(token.text, at: source.location(of: token.range))
            }
        }
        directives.append(Directive(name: name, value: token, at: place))
        return true
    }

    /// Ends the directives: a line that is no comment was read.
    mutating func finish() { isDone = true }

    /// The lower-case name and the place of the value in `# NAME = VALUE`.
    private static func parts(_ bytes: [UInt8], _ range: Range<Int>) -> (name: String, value: Range<Int>)? {
        guard range.lowerBound < range.upperBound, bytes[range.lowerBound] == UInt8(ascii: "#") else { return nil }
        let start = Blank.skip(bytes, range.lowerBound + 1..<range.upperBound)
        var index = start
        while index < range.upperBound, isNameByte(bytes[index], isFirst: index == start) { index += 1 }
        guard index > start else { return nil }
        let name = UTF8Text.string(bytes, start..<index).lowercased()
        while index < range.upperBound, isBlank(bytes[index]) { index += 1 }
        guard index < range.upperBound, bytes[index] == UInt8(ascii: "=") else { return nil }
        index += 1
        let afterEquals = index
        while index < range.upperBound, isBlank(bytes[index]) { index += 1 }
        var end = range.upperBound
        while end > index, isBlank(bytes[end - 1]) { end -= 1 }
        // A value of blanks alone is the last of them.
        if index == end { return end > afterEquals ? (name, end - 1..<end) : nil }
        return (name, index..<end)
    }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
        default: false
        }
    }

    /// Blanks of a regular expression's `\s`, which leaves out the vertical tab.
    private static func isBlank(_ byte: UInt8) -> Bool { Blank.isASCII(byte) && byte != 0x0B }
}
