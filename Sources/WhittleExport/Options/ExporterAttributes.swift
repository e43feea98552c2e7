internal import WhittleCore

/// The `KEY=VALUE` fields of one `--output` value, handed out one by one; what nobody asked for is an unknown key.
struct ExporterAttributes {
    /// The value as given, for messages.
    let output: String
    private var values: [String: [String]] = [:]
    /// Keys in the order given.
    private var keys: [String] = []
    private(set) var asked: Set<String> = []

    /// Reads `fields`. A key is trimmed and, up to its first dot, lower-cased; buildx lower-cases all of it, which
    /// destroys the keys of annotations.
    init(output: String, fields: [String]) throws(BuildError) {
        self.output = output
        for field in fields {
            guard let equals = field.firstIndex(of: "=") else {
                throw BuildError.invalidOutput(
                    output, "'\(field)' is no KEY=VALUE",
                    hint: Self.isBoolean(field) ? "did you mean '\(field)=true'?" : nil)
            }
            let key = Self.normalised(field[..<equals])
            let value = String(field[field.index(after: equals)...])
            if values[key] == nil { keys.append(key) }
            values[key, default: []].append(value)
        }
    }

    private static func normalised(_ key: Substring) -> String {
        let text = String(key.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard let dot = text.firstIndex(of: ".") else { return text.lowercased() }
        return text[..<dot].lowercased() + text[dot...]
    }

    private static func isBoolean(_ field: String) -> Bool {
        ["push", "force-compression", "tar", "oci-mediatypes", "unpack", "store"].contains(field.lowercased())
    }

    /// The value of `key`, or `nil` where it was not given.
    ///
    /// - Throws: `invalid-output` where it was given twice with different values; buildx lets the last one win.
    mutating func text(_ key: String) throws(BuildError) -> String? {
        let all = texts(key)
        guard let first = all.first else { return nil }
        if let other = all.first(where: { $0 != first }) {
            throw BuildError.invalidOutput(output, "'\(key)' is given twice: '\(first)' and '\(other)'")
        }
        return first
    }

    /// All values of `key`, in order.
    mutating func texts(_ key: String) -> [String] {
        asked.insert(key)
        return values[key] ?? []
    }

    /// The value of a key that is yes or no, in any spelling that Go's `strconv.ParseBool` takes; without a value it
    /// means yes.
    mutating func flag(_ key: String, default standard: Bool) throws(BuildError) -> Bool {
        guard let text = try text(key) else { return standard }
        switch text {
        case "", "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw BuildError.invalidOutput(output, "'\(key)' must be true or false, found '\(text)'")
        }
    }

    /// The keys that begin with `annotation`, each with its value.
    mutating func annotations() throws(BuildError) -> [(key: String, value: String)] {
        var found: [(key: String, value: String)] = []
        for key in keys where key.hasPrefix("annotation") && key.contains(".") {
            if let value = try text(key) { found.append((key, value)) }
        }
        return found
    }

    /// The keys that nobody asked for, in the order given.
    var unknown: [String] { keys.filter { !asked.contains($0) } }
}
