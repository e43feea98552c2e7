internal import WhittleCore
internal import WhittleOCI

/// A value of a JSON or YAML file, with its place where the reader of the format knows it.
struct BakeValue: Hashable {
    var kind: Kind
    var place: SourceRange?

    indirect enum Kind: Hashable {
        case null
        case bool(Bool)
        /// As it is written.
        case number(String)
        case text(String)
        case list([BakeValue])
        case map([Member])
    }

    struct Member: Hashable {
        let key: String
        var value: BakeValue
    }

    init(_ kind: Kind, at place: SourceRange? = nil) {
        self.kind = kind
        self.place = place
    }

    init(_ json: JSONValue) {
        place = nil
        kind =
            switch json {
            case .null: .null
            case .bool(let value): .bool(value)
            case .integer(let value): .number("\(value)")
            case .number(let value): .number(value.text)
            case .string(let value): .text(value)
            case .array(let elements): .list(elements.map { BakeValue($0) })
            case .object(let object): .map(object.members.map { Member(key: $0.key, value: BakeValue($0.value)) })
            }
    }

    var isNull: Bool { kind == .null }

    /// The text of a scalar; `nil` for null, lists and maps.
    var scalar: String? {
        switch kind {
        case .bool(let value): "\(value)"
        case .number(let text), .text(let text): text
        case .null, .list, .map: nil
        }
    }

    /// With an article, for messages.
    var shownKind: String {
        switch kind {
        case .null: "nothing"
        case .bool: "a boolean"
        case .number: "a number"
        case .text: "a text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The value of a member of a map.
    subscript(key: String) -> BakeValue? {
        get {
            guard case .map(let members) = kind else { return nil }
            return members.first { $0.key == key }?.value
        }
        set {
            guard case .map(var members) = kind else { return }
            members.removeAll { $0.key == key }
            if let newValue { members.append(Member(key: key, value: newValue)) }
            kind = .map(members)
        }
    }

    /// The same with every text replaced, in keys not.
    func mapTexts<Failure>(
        _ path: String = "", _ change: (String, _ value: BakeValue, _ path: String) throws(Failure) -> BakeValue
    ) throws(Failure) -> BakeValue {
        func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch kind {
        case .text(let text): return try change(text, self, path)
        case .list(let elements):
            var result: [BakeValue] = []
            for (index, element) in elements.enumerated() {
                result.append(try element.mapTexts("\(path)[\(index)]", change))
            }
            return BakeValue(.list(result), at: place)
        case .map(let members):
            var result: [Member] = []
            for member in members {
                result.append(Member(key: member.key, value: try member.value.mapTexts(below(member.key), change)))
            }
            return BakeValue(.map(result), at: place)
        case .null, .bool, .number: return self
        }
    }
}
