/// One JSON value (RFC 8259).
///
/// Objects keep the order of their members as read, and numbers that are no `Int64` keep their text, so that reading and
/// writing a document loses nothing that a digest could depend on, except insignificant blanks.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// A JSON number with a fraction, an exponent, or more digits than 64 bits hold.
public struct JSONNumber: Hashable, Sendable {
    /// As written in the document; always a number by the grammar of RFC 8259.
    public let text: String
    /// The nearest double. Infinite where the text is beyond its range.
    public let value: Double

    init(unchecked text: String, value: Double) {
        self.text = text
        self.value = value
    }

    /// A number that may have 64 bits without a sign.
    public init(_ value: UInt64) { self.init(unchecked: "\(value)", value: Double(value)) }

    /// A number to write, or `nil` for NaN and infinities, which JSON does not have.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.init(unchecked: value.description, value: value)
    }
}

extension JSONValue {
    /// The text of a string, or `nil` for any other value.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The value of an integer, or `nil` for any other value.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The value of either kind of number, or `nil` for any other value.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value.value
        default: nil
        }
    }
    /// The value of a boolean, or `nil` for any other value.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The elements of an array, or `nil` for any other value.
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The members of an object, or `nil` for any other value.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }

    /// The member `key` of an object. Reading gives `nil` where this is no object or has no such member.
    ///
    /// Writing to something that is no object first makes it an empty one; writing `nil` removes the member.
    public subscript(key: String) -> JSONValue? {
        get { object?[key] }
        set {
            var object = object ?? JSONObject()
            object[key] = newValue
            self = .object(object)
        }
    }

    /// The element at `index`, or `nil` where this is no array or is too short.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// What kind of value this is, with an article, for messages: `a string`, `an object`.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(nilLiteral: ()) { self = .null }
    /// Keeps the order of the literal; of equal keys the last value wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
