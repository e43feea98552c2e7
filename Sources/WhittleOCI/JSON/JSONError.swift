/// Why bytes are no JSON document, and where.
public struct JSONError: Error, Hashable, Sendable {
    public let reason: Reason
    /// The byte at which reading stopped, from 0; the length of the input where it ended too early.
    public let offset: Int

    public init(reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The rule of RFC 8259 that was broken, or the limit that was met.
    public enum Reason: Hashable, Sendable {
        case unexpectedEnd
        /// Another byte was expected here; `expected` says which, in words.
        case unexpectedByte(UInt8, expected: String)
        case malformedNumber
        case invalidEscape
        /// A `\uD800`…`\uDFFF` that is not one of a pair.
        case loneSurrogate
        /// A control character below U+0020 inside a string, which must be written as an escape.
        case controlCharacter(UInt8)
        case invalidUTF8
        case duplicateKey(String)
        case tooDeep(limit: Int)
        case trailingBytes
    }
}

extension JSONError: CustomStringConvertible {
    /// The reason in words, with the offset: `unexpected end of the document at byte 12`.
    public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONError.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unexpectedEnd: "unexpected end of the document"
        case .unexpectedByte(let byte, let expected):
            "expected \(expected), found \(Self.show(byte))"
        case .malformedNumber: "malformed number"
        case .invalidEscape: "invalid escape sequence in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .controlCharacter(let byte): "unescaped control character \(Self.show(byte)) in a string"
        case .invalidUTF8: "invalid UTF-8"
        case .duplicateKey(let key): "member '\(key.prefix(64))' given twice in one object"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .trailingBytes: "more bytes after the end of the document"
        }
    }

    private static func show(_ byte: UInt8) -> String {
        if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
    }
}
