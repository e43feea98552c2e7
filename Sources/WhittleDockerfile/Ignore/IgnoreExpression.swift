/// Turns an ignore pattern into a program, the way moby/patternmatcher turns it into a regular expression: by writing one
/// and reading it, so that brackets that swallow a wildcard, and letters after a backslash, mean here what they mean
/// there.
struct IgnoreExpression {
    private(set) var kind: Kind
    /// The regular expression.
    private var text: [UInt32] = [UInt32(UInt8(ascii: "^"))]

    enum Kind {
        /// No wildcard.
        case exact
        /// Only `**` at the end.
        case prefix
        /// Only `**` at the start.
        case suffix
        case expression
    }

    private static let star = UInt32(UInt8(ascii: "*"))
    private static let slash = UInt32(UInt8(ascii: "/"))
    /// Braces and `|` are not among them: moby/patternmatcher means to escape them and does not.
    private static let escaped = Set(".+()$".utf8.map { UInt32($0) })

    init(_ pattern: [UInt8]) {
        kind = .exact
        var scalars: [UInt32] = []
        var index = 0
        while index < pattern.count {
            let (scalar, length) = UTF8Text.scalar(in: pattern, at: index, before: pattern.count)
            scalars.append(scalar)
            index += length
        }
        var position = 0
        while position < scalars.count { translate(scalars, &position) }
        append("$")
    }

    private mutating func translate(_ scalars: [UInt32], _ position: inout Int) {
        let isFirst = position == 0
        let scalar = scalars[position]
        position += 1
        switch scalar {
        case Self.star where position < scalars.count && scalars[position] == Self.star:
            position += 1
            if position < scalars.count, scalars[position] == Self.slash { position += 1 }
            if position == scalars.count {
                if case .exact = kind {
                    kind = .prefix
                } else {
                    append(".*")
                    kind = .expression
                }
            } else {
                append("(.*/)?")
                kind = .expression
            }
            if isFirst { kind = .suffix }
        case Self.star:
            append("[^/]*")
            kind = .expression
        case UInt32(UInt8(ascii: "?")):
            append("[^/]")
            kind = .expression
        case UInt32(UInt8(ascii: "\\")):
            text.append(scalar)
            if position < scalars.count {
                text.append(scalars[position])
                position += 1
                kind = .expression
            }
        case UInt32(UInt8(ascii: "[")), UInt32(UInt8(ascii: "]")):
            text.append(scalar)
            kind = .expression
        default:
            if Self.escaped.contains(scalar) { append("\\") }
            text.append(scalar)
        }
    }

    private mutating func append(_ ascii: String) { text += ascii.unicodeScalars.map(\.value) }

    /// The alternatives of the expression, `nil` where it is none.
    func programs() -> [PatternProgram]? {
        var reader = ExpressionReader(text)
        return reader.programs()
    }
}
