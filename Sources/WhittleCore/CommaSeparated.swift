/// One line of comma-separated values, as `--mount`, `--device`, `--output` and `--secret` have them: a field with a comma
/// stands in double quotes, a quote inside is doubled.
///
/// Format: RFC 4180 as Go's encoding/csv reads one line. Blanks count, nothing is trimmed.
package enum CommaSeparated {
    /// The rule that a text breaks, in words.
    package enum Fault: String, Error {
        case empty = "it is empty"
        case bareQuote = "a double quote stands inside a field that does not begin with one"
        case openQuote = "a double quote does not end its field"
    }

    /// The fields of `text`, with the place of each in its UTF-8.
    package static func fields(_ text: String) throws(Fault) -> [(text: String, range: Range<Int>)] {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw .empty }
        var fields: [(text: String, range: Range<Int>)] = []
        var index = 0
        while true {
            let start = index
            var field: [UInt8] = []
            if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                index += 1
                try quoted(bytes, &index, into: &field)
            } else {
                while index < bytes.count, bytes[index] != UInt8(ascii: ",") {
                    guard bytes[index] != UInt8(ascii: "\"") else { throw .bareQuote }
                    field.append(bytes[index])
                    index += 1
                }
            }
            fields.append((String(decoding: field, as: UTF8.self), start..<index))
            guard index < bytes.count else { return fields }
            index += 1
        }
    }

    /// Reads up to the closing quote, which a comma or the end follows.
    private static func quoted(_ bytes: [UInt8], _ index: inout Int, into field: inout [UInt8]) throws(Fault) {
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\"") else {
                field.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            guard index < bytes.count, bytes[index] != UInt8(ascii: ",") else { return }
            guard bytes[index] == UInt8(ascii: "\"") else { throw .openQuote }
            field.append(bytes[index])
            index += 1
        }
        throw .openQuote
    }
}
