internal import WhittleCore

/// Reads one value of a file as what is expected there; errors name its path and, where it is known, its place.
struct ValueReader {
    let value: BakeValue
    /// `target.app.args`.
    let path: String
    let source: BakeSource

    private func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func wrong(_ expected: String) -> BuildError {
        .invalidBake(source.name, path, "expected \(expected), found \(value.shownKind)", at: location)
    }

    func unsupported(_ what: String, hint: String? = nil) -> BuildError {
        .unsupportedBake(source.name, path, what, hint: hint, at: location)
    }

    var location: SourceLocation? { value.place.map { source.location($0) } }

    /// The members of a map, in order; none for null.
    func members() throws(BuildError) -> [(key: String, reader: ValueReader)] {
        switch value.kind {
        case .null: return []
        case .map(let members):
            return members.map { ($0.key, ValueReader(value: $0.value, path: below($0.key), source: source)) }
        default: throw wrong("a map")
        }
    }

    /// A member that is there and not null.
    subscript(key: String) -> ValueReader? {
        guard let member = value[key], !member.isNull else { return nil }
        return ValueReader(value: member, path: below(key), source: source)
    }

    /// The elements of a list; none for null.
    func elements() throws(BuildError) -> [ValueReader] {
        switch value.kind {
        case .null: return []
        case .list(let elements):
            return elements.enumerated().map { index, element in
                ValueReader(value: element, path: "\(path)[\(index)]", source: source)
            }
        default: throw wrong("a list")
        }
    }

    func text() throws(BuildError) -> String {
        guard let text = value.scalar else { throw wrong("a text") }
        return text
    }

    func flag() throws(BuildError) -> Bool {
        if case .bool(let flag) = value.kind { return flag }
        switch value.scalar?.lowercased() {
        case "true", "1": return true
        case "false", "0", "": return false
        default: throw wrong("true or false")
        }
    }

    /// A list of texts; where `allowsOne`, also a text alone.
    func texts(orOne allowsOne: Bool = false) throws(BuildError) -> [String] {
        if allowsOne, let text = value.scalar { return [text] }
        return try elements().map { reader throws(BuildError) in try reader.text() }
    }

    /// A map of texts; null stands for no value.
    func table() throws(BuildError) -> [String: String?] {
        var table: [String: String?] = [:]
        for (key, reader) in try members() {
            table.updateValue(reader.value.isNull ? nil : try reader.text(), forKey: key)
        }
        return table
    }

    /// A map of texts, or a list of `KEY=VALUE`, as compose has it; a key without a value has none.
    func tableOrPairs(separators: Set<Character> = ["="]) throws(BuildError) -> [String: String?] {
        guard case .list = value.kind else { return try table() }
        var table: [String: String?] = [:]
        for text in try texts() {
            let mark = text.firstIndex { separators.contains($0) }
            table.updateValue(
                mark.map { String(text[text.index(after: $0)...]) }, forKey: mark.map { String(text[..<$0]) } ?? text)
        }
        return table
    }

    /// `type=registry,ref=app`, or the same as a map, one after the other. A text without `=` is the value of `key`.
    func entries(
        _ lone: [(key: String, value: String)], valueOf key: String
    ) throws(BuildError) -> [BakeEntry] {
        var result: [BakeEntry] = []
        for reader in try elements() {
            if let text = reader.value.scalar {
                guard !text.isEmpty else { continue }
                guard let entry = BakeEntry(parsing: text, lone: lone, valueOf: key) else {
                    throw .invalidBake(
                        source.name, reader.path, "'\(text)' is no list of KEY=VALUE", at: reader.location)
                }
                result.append(entry)
            } else {
                var entry = BakeEntry()
                for (key, member) in try reader.members() {
                    if case .list = member.value.kind {
                        entry[key] = try member.texts().joined(separator: ",")
                    } else {
                        entry[key] = try member.text()
                    }
                }
                result.append(entry)
            }
        }
        return result
    }
}

/// A list of `KEY=VALUE` fields: an output, a cache, a secret.
package struct BakeEntry: Hashable, Sendable {
    /// In order.
    package private(set) var fields: [Field] = []

    package struct Field: Hashable, Sendable {
        package let key: String
        package let value: String
    }

    init() {}

    /// - Parameters:
    ///   - lone: fields that go in front where the text is a value alone.
    ///   - key: what that value is the value of.
    init?(parsing text: String, lone: [(key: String, value: String)] = [], valueOf key: String) {
        // What breaks a rule of the format is none of it.
        guard let parts = try? CommaSeparated.fields(text) else { return nil }
        if parts.count == 1, !parts[0].text.contains("=") {
            for (key, value) in lone { self[key] = value }
            self[key] = parts[0].text
            return
        }
        for part in parts {
            guard let mark = part.text.firstIndex(of: "=") else { return nil }
            self[String(part.text[..<mark]).lowercased()] = String(part.text[part.text.index(after: mark)...])
        }
    }

    package subscript(key: String) -> String? {
        get { fields.first { $0.key == key }?.value }
        set {
            let position = fields.firstIndex { $0.key == key }
            switch (position, newValue) {
            case (let position?, let value?): fields[position] = Field(key: key, value: value)
            case (let position?, nil): fields.remove(at: position)
            case (nil, let value?): fields.append(Field(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// `KEY=VALUE,KEY=VALUE`, quoted where a value has commas or quotes.
    package var text: String {
        fields.map { field in
            let text = "\(field.key)=\(field.value)"
            guard text.contains(where: { $0 == "," || $0 == "\"" }) else { return text }
            return "\"" + String(text.flatMap { $0 == "\"" ? ["\"", "\""] : [$0] }) + "\""
        }.joined(separator: ",")
    }
}
