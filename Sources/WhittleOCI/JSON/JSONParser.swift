extension JSONValue {
    /// Reads one JSON document (RFC 8259, UTF-8, a byte order mark is skipped).
    ///
    /// Stricter than the RFC demands where leniency makes two readers see two documents: an object that names a member
    /// twice is refused, and so is half of a surrogate pair.
    ///
    /// - Parameter depthLimit: how deep arrays and objects may nest; bounds the stack on hostile input.
    /// - Throws: ``JSONError`` with the offset of the first byte that is wrong.
    /// - Complexity: O(bytes).
    public init(parsing bytes: some Collection<UInt8>, depthLimit: Int = 256) throws(JSONError) {
        let result =
            bytes.withContiguousStorageIfAvailable { Self.parse($0, depthLimit) }
            ?? Array(bytes).withUnsafeBufferPointer { Self.parse($0, depthLimit) }
        self = try result.get()
    }

    /// Reads one JSON document from a text; as ``init(parsing:depthLimit:)``.
    public init(parsing text: String, depthLimit: Int = 256) throws(JSONError) {
        var text = text
        self = try text.withUTF8 { Self.parse($0, depthLimit) }.get()
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ depthLimit: Int
    ) -> Result<JSONValue, JSONError> {
        var parser = JSONParser(bytes: bytes, depthLimit: depthLimit)
        return Result { () throws(JSONError) in try parser.document() }
    }
}

/// A recursive descent parser over bytes that outlive it.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let depthLimit: Int
    var offset = 0
    var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>, depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    mutating func document() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard offset == bytes.count else { throw error(.trailingBytes) }
        return value
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in .object(try parser.object()) }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in .array(try parser.array()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case let byte: throw error(.unexpectedByte(byte, expected: "a value"))
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        guard depth < depthLimit else { throw error(.tooDeep(limit: depthLimit)) }
        depth += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        var object = JSONObject()
        offset += 1
        skipBlanks()
        if try peek() == UInt8(ascii: "}") {
            offset += 1
            return object
        }
        while true {
            skipBlanks()
            let start = offset
            guard try peek() == UInt8(ascii: "\"") else {
                throw error(.unexpectedByte(bytes[offset], expected: "a member name in double quotes"))
            }
            let key = try string()
            skipBlanks()
            guard try peek() == UInt8(ascii: ":") else {
                throw error(.unexpectedByte(bytes[offset], expected: "':' after a member name"))
            }
            offset += 1
            skipBlanks()
            let value = try value()
            guard object.appendNew(key, value) else { throw JSONError(reason: .duplicateKey(key), offset: start) }
            skipBlanks()
            switch try peek() {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "}"):
                offset += 1
                return object
            case let byte: throw error(.unexpectedByte(byte, expected: "',' or '}' after a member"))
            }
        }
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        offset += 1
        skipBlanks()
        if try peek() == UInt8(ascii: "]") {
            offset += 1
            return elements
        }
        while true {
            skipBlanks()
            elements.append(try value())
            skipBlanks()
            switch try peek() {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "]"):
                offset += 1
                return elements
            case let byte: throw error(.unexpectedByte(byte, expected: "',' or ']' after an element"))
            }
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard try peek() == text.utf8Start[index] else {
                throw error(.unexpectedByte(bytes[offset], expected: "'\(text)'"))
            }
            offset += 1
        }
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        let isNegative = bytes[offset] == UInt8(ascii: "-")
        if isNegative { offset += 1 }
        let integerStart = offset
        guard skipDigits() > 0 else { throw error(offset < bytes.count ? .malformedNumber : .unexpectedEnd) }
        if bytes[integerStart] == UInt8(ascii: "0"), offset - integerStart > 1 {
            throw JSONError(reason: .malformedNumber, offset: integerStart)
        }
        var isInteger = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            guard skipDigits() > 0 else { throw error(.malformedNumber) }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard skipDigits() > 0 else { throw error(.malformedNumber) }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        // `-0` is kept as a number, because an integer has no negative zero to write back.
        if isInteger, text != "-0", let integer = Int64(text) { return .integer(integer) }
        // A text of this grammar is always read; out of range it gives an infinity or zero.
        return .number(JSONNumber(unchecked: text, value: Double(text) ?? .nan))
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset]) { offset += 1 }
        return offset - start
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let text = try validated(bytes[start..<offset], from: start)
                offset += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw error(.controlCharacter(byte)) }
            offset += 1
        }
        throw error(.unexpectedEnd)
    }

    /// Goes on with a string that began at `start` and has its first escape at `offset`.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<offset])
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                let string = try validated(text, from: start)
                offset += 1
                return string
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case 0..<0x20: throw error(.controlCharacter(byte))
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let byte = try peek()
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try unicodeEscape()).utf8))
        default: throw JSONError(reason: .invalidEscape, offset: offset - 2)
        }
    }

    /// The character of a `\uXXXX` whose `u` has been read, or of a pair of them.
    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let start = offset - 2
        let first = try fourHexDigits(of: start)
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        // The only numbers of four hex digits that are no scalars are surrogates.
        guard first < 0xDC00, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        else { throw JSONError(reason: .loneSurrogate, offset: start) }
        offset += 2
        let second = try fourHexDigits(of: offset - 2)
        guard (0xDC00...0xDFFF).contains(second) else { throw JSONError(reason: .loneSurrogate, offset: start) }
        let combined = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(combined) else { throw JSONError(reason: .loneSurrogate, offset: start) }
        return Character(scalar)
    }

    private mutating func fourHexDigits(of escape: Int) throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard offset < bytes.count else { throw error(.unexpectedEnd) }
            guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
                throw JSONError(reason: .invalidEscape, offset: escape)
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }

    private func validated(_ text: some Sequence<UInt8>, from start: Int) throws(JSONError) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw JSONError(reason: .invalidUTF8, offset: start)
        }
        return string
    }

    // MARK: Bytes

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw error(.unexpectedEnd) }
        return bytes[offset]
    }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: offset) }
}
