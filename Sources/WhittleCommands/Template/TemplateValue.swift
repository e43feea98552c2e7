internal import WhittleOCI

/// A value that a template works on, with the kinds that Go's `text/template` tells apart.
indirect enum TemplateValue: Hashable, Sendable {
    /// Go's `nil`.
    case none
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    /// `nil` prints as an empty list, and is `null` in JSON.
    case list([TemplateValue]?)
    /// A key that is not there gives an empty text. `nil` prints as an empty map, and is `null` in JSON.
    case map([String: TemplateValue]?)
    /// A field that is not there is an error.
    case record(TemplateRecord)
}

/// A value with fields that are known beforehand, in order.
struct TemplateRecord: Hashable, Sendable {
    struct Field: Hashable, Sendable {
        let name: String
        let value: TemplateValue
        /// Whether JSON leaves the field out where it is empty.
        let isOptional: Bool
    }

    private(set) var fields: [Field] = []

    init() {}

    /// A record of texts, in the order of `fields`.
    init(texts fields: [(String, String)]) {
        for (name, text) in fields { add(name, .text(text)) }
    }

    /// Appends a field. One that is `optional` is left out of JSON where it is empty.
    mutating func add(_ name: String, _ value: TemplateValue, optional: Bool = false) {
        fields.append(Field(name: name, value: value, isOptional: optional))
    }

    /// Go's structs call `ID` what their JSON calls `Id`; docker takes both.
    subscript(name: String) -> TemplateValue? {
        fields.first { $0.name == name }?.value
            ?? (name == "ID" ? fields.first { $0.name == "Id" }?.value : nil)
    }
}

extension TemplateValue {
    /// Whether `if` takes the value for false: Go's empty values.
    var isEmpty: Bool {
        switch self {
        case .none: true
        case .bool(let value): !value
        case .integer(let value): value == 0
        case .number(let value): value == 0
        case .text(let text): text.isEmpty
        case .list(let elements): elements?.isEmpty ?? true
        case .map(let members): members?.isEmpty ?? true
        case .record: false
        }
    }

    /// What kind of value this is, with an article, for messages.
    var kind: String {
        switch self {
        case .none: "nothing"
        case .bool: "a truth value"
        case .integer, .number: "a number"
        case .text: "a text"
        case .list: "a list"
        case .map: "a map"
        case .record: "a record"
        }
    }

    /// The text that Go prints for the value: `[a b]` for a list, `map[k:v]` for a map, `{a b}` for a record.
    var printed: String {
        switch self {
        case .none: "<no value>"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): Self.shortest(value)
        case .text(let text): text
        case .list(let elements): "[" + (elements ?? []).map { $0.nested }.joined(separator: " ") + "]"
        case .map(let members):
            "map[" + Self.sorted(members ?? [:]).map { "\($0.key):\($0.value.nested)" }.joined(separator: " ") + "]"
        case .record(let record): "{" + record.fields.map { $0.value.nested }.joined(separator: " ") + "}"
        }
    }

    private var nested: String { self == .none ? "<nil>" : printed }

    /// The value as JSON: records keep the order of their fields, maps are sorted by key.
    var json: JSONValue {
        switch self {
        case .none: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return JSONNumber(value).map { .number($0) } ?? .null
        case .text(let text): return .string(text)
        case .list(let elements): return elements.map { .array($0.map { $0.json }) } ?? .null
        case .map(let members):
            guard let members else { return .null }
            var object = JSONObject()
            for (key, value) in Self.sorted(members) { object[key] = value.json }
            return .object(object)
        case .record(let record):
            var object = JSONObject()
            for field in record.fields where !(field.isOptional && field.value.isEmpty) {
                object[field.name] = field.value.json
            }
            return .object(object)
        }
    }

    static func texts(_ texts: [String]?) -> TemplateValue { .list(texts.map { $0.map { .text($0) } }) }

    static func sorted(_ members: [String: TemplateValue]) -> [(key: String, value: TemplateValue)] {
        members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private static func shortest(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
