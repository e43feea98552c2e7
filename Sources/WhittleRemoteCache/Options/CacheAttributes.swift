internal import WhittleCore

/// The `KEY=VALUE` fields of one cache option, handed out one by one; what nobody asked for is an unknown key.
struct CacheAttributes {
    /// The value as given, for messages; secrets in it are hidden.
    let option: String
    private let values: [String: String]
    /// Keys in the order given.
    private let keys: [String]
    private var asked: Set<String> = []

    /// Keys whose values are not shown.
    private static let secrets: Set<String> = ["token", "ghtoken", "secret_access_key", "session_token"]

    /// The key whose value may go on over several fields: `mounts=ID,ID`.
    private static let list = "mounts"

    init(option: String, fields: [String]) throws(BuildError) {
        var values: [String: String] = [:]
        var keys: [String] = []
        var pairs: [(key: String, value: String?)] = []
        for field in fields {
            if let equals = field.firstIndex(of: "=") {
                pairs.append(
                    (Self.trimmed(field[..<equals]).lowercased(), String(field[field.index(after: equals)...])))
            } else if let last = pairs.last, last.key == Self.list, let value = last.value {
                pairs[pairs.count - 1].value = value + "," + field
            } else {
                pairs.append((field, nil))
            }
        }
        let shown = pairs.map { pair in
            pair.value.map { "\(pair.key)=" + (Self.secrets.contains(pair.key) ? "…" : $0) } ?? pair.key
        }.joined(separator: ",")
        self.option = shown
        for (key, value) in pairs {
            guard let value else { throw BuildError.invalidCacheOption(shown, "'\(key)' is no KEY=VALUE") }
            if let earlier = values[key], earlier != value {
                throw BuildError.invalidCacheOption(shown, "'\(key)' is given twice")
            }
            if values.updateValue(value, forKey: key) == nil { keys.append(key) }
        }
        self.values = values
        self.keys = keys
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// The value of `key`; `nil` where it was not given, or is empty.
    mutating func text(_ key: String) -> String? {
        asked.insert(key)
        return values[key].flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func required(_ key: String, _ example: String) throws(BuildError) -> String {
        guard let value = text(key) else {
            throw BuildError.invalidCacheOption(option, "it has no '\(key)'", hint: "add '\(key)=\(example)'")
        }
        return value
    }

    /// In any spelling that Go's `strconv.ParseBool` takes; without a value it means yes.
    mutating func flag(_ key: String, default standard: Bool) throws(BuildError) -> Bool {
        asked.insert(key)
        switch values[key] {
        case nil: return standard
        case "", "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        case let text?:
            throw BuildError.invalidCacheOption(option, "'\(key)' must be true or false, found '\(text)'")
        }
    }

    /// A number in `range`.
    mutating func number(_ key: String, in range: ClosedRange<Int>) throws(BuildError) -> Int? {
        guard let text = text(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw BuildError.invalidCacheOption(
                option,
                "'\(key)' must be a number from \(range.lowerBound) to \(range.upperBound), found '\(text)'")
        }
        return number
    }

    /// A time as Go writes it: `90s`, `1h30m`, `500ms`.
    mutating func duration(_ key: String) throws(BuildError) -> Duration? {
        guard let text = text(key) else { return nil }
        guard let duration = Self.duration(text) else {
            throw BuildError.invalidCacheOption(
                option, "'\(key)' must be a time, found '\(text)'", hint: "write it like '\(key)=90s' or '\(key)=5m'")
        }
        return duration
    }

    static func duration(_ text: String) -> Duration? {
        let units: [String: Int64] = ["h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1]
        var rest = text[...]
        var milliseconds: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            // Ten digits of hours are beyond any sense and within 64 bits.
            guard digits.count <= 10, let number = Int64(digits), let factor = units[String(unit)] else { return nil }
            milliseconds += number * factor
        }
        return milliseconds > 0 ? .milliseconds(milliseconds) : nil
    }

    /// - Throws: `invalid-cache-option` for the first key that nobody asked for.
    func refuseUnknown(type: String) throws(BuildError) {
        guard let key = keys.first(where: { !asked.contains($0) }) else { return }
        throw BuildError.invalidCacheOption(
            option, "the \(type) cache has no option '\(key)'",
            hint: NearestName.of(key, among: asked).map { "did you mean '\($0)'?" }
                ?? "its options are \(asked.sorted().joined(separator: ", "))")
    }
}
