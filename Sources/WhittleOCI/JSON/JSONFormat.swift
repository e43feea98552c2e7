/// How a JSON value is written. In every format `/` stays unescaped, and equal values give equal bytes.
public struct JSONFormat: Hashable, Sendable {
    /// Blanks per level, or `nil` for everything on one line without blanks.
    public let indent: Int?
    /// Members in the byte order of their keys instead of their own order.
    public let sortsKeys: Bool

    /// One line, no blanks, sorted keys: what whittle hashes and stores.
    public static let canonical = JSONFormat(indent: nil, sortsKeys: true)
    /// One line, no blanks, members in their own order.
    public static let compact = JSONFormat(indent: nil, sortsKeys: false)
    /// For people: one member or element a line.
    public static func pretty(indent: Int = 2, sortsKeys: Bool = false) -> JSONFormat {
        JSONFormat(indent: indent, sortsKeys: sortsKeys)
    }
}

extension JSONValue {
    /// The document as UTF-8, without a line end after it.
    public func encoded(as format: JSONFormat = .canonical) -> [UInt8] {
        var writer = JSONWriter(format: format)
        writer.write(self)
        return writer.output
    }

    /// The document as text, without a line end after it.
    public func text(as format: JSONFormat = .canonical) -> String {
        String(decoding: encoded(as: format), as: UTF8.self)
    }
}

private struct JSONWriter {
    let format: JSONFormat
    var output: [UInt8] = []
    private var depth = 0

    init(format: JSONFormat) { self.format = format }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(value.text)
        case .string(let value): write(value)
        case .array(let elements):
            list(elements, "[", "]") { writer, element in writer.write(element) }
        case .object(let object):
            let members =
                format.sortsKeys
                ? object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : object.members
            list(members, "{", "}") { writer, member in
                writer.write(member.key)
                writer.append(writer.format.indent == nil ? ":" : ": ")
                writer.write(member.value)
            }
        }
    }

    private mutating func list<Item>(
        _ items: [Item], _ open: String, _ close: String, _ each: (inout JSONWriter, Item) -> Void
    ) {
        append(open)
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { append(",") }
            breakLine()
            each(&self, item)
        }
        depth -= 1
        if !items.isEmpty { breakLine() }
        append(close)
    }

    private mutating func breakLine() {
        guard let indent = format.indent else { return }
        output.append(0x0A)
        output.append(contentsOf: repeatElement(0x20, count: depth * indent))
    }

    private mutating func write(_ text: String) {
        var text = text
        output.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var start = 0
            for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                output.append(contentsOf: bytes[start..<index])
                start = index + 1
                escape(byte)
            }
            output.append(contentsOf: bytes[start...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x08: append("\\b")
        case 0x0C: append("\\f")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        default:
            append(byte < 0x10 ? "\\u000" : "\\u00")
            append(String(byte, radix: 16))
        }
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }
}
