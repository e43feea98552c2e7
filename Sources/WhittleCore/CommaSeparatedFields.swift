/// Splits option values that are one record of comma-separated fields: `type=oci,"name=a:1,b:2"`.
///
/// Format: RFC 4180 as Go's encoding/csv reads one line, which docker and buildx use for `--output`, `--secret` and
/// `--mount`. A field that begins with `"` ends at the next single `"`, may hold commas, and writes `"` as `""`;
/// anywhere else a `"` is an error. Blanks count, nothing is trimmed.
public enum CommaSeparatedFields {
    /// The rule that a text broke. Columns count UTF-8 bytes from 1.
    public enum Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        /// There is nothing to split.
        case empty
        /// A `"` in a field that does not begin with one.
        case bareQuote(column: Int)
        /// Something other than a comma or the end after a closing `"`.
        case textAfterQuote(column: Int)
        /// The text ends before the `"` that closes a field.
        case unclosedQuote(column: Int)

        /// The rule in words.
        public var description: String {
            switch self {
            case .empty: "it is empty"
            case .bareQuote(let column):
                "the '\"' in column \(column) is inside a field; quotes must enclose the whole 'KEY=VALUE'"
            case .textAfterQuote(let column): "expected ',' after the closing '\"' in column \(column)"
            case .unclosedQuote(let column): "the '\"' in column \(column) is never closed"
            }
        }
    }

    /// The fields of `text`, in order; at least one.
    ///
    /// - Throws: ``Invalid`` with the rule that was broken.
    public static func fields(of text: some StringProtocol) throws(Invalid) -> [String] {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw .empty }
        var fields: [String] = []
        var position = 0
        while true {
            let field: [UInt8]
            if position < bytes.count, bytes[position] == quote {
                (field, position) = try quotedField(of: bytes, from: position)
            } else {
                let end = bytes[position...].firstIndex(of: comma) ?? bytes.count
                if let bare = bytes[position..<end].firstIndex(of: quote) { throw .bareQuote(column: bare + 1) }
                (field, position) = (Array(bytes[position..<end]), end)
            }
            fields.append(String(decoding: field, as: UTF8.self))
            if position == bytes.count { return fields }
            position += 1
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    /// The field whose opening quote is at `start`, and the position of the comma or end behind it.
    private static func quotedField(of bytes: [UInt8], from start: Int) throws(Invalid) -> (field: [UInt8], end: Int) {
        var field: [UInt8] = []
        var position = start + 1
        while position < bytes.count {
            guard bytes[position] == quote else {
                field.append(bytes[position])
                position += 1
                continue
            }
            position += 1
            if position == bytes.count || bytes[position] == comma { return (field, position) }
            guard bytes[position] == quote else { throw .textAfterQuote(column: position) }
            field.append(quote)
            position += 1
        }
        throw .unclosedQuote(column: start + 1)
    }
}
