public import WhittleCore

extension RunMountFlag {
    /// Splits the value of a `--mount` into fields. What they mean is seen after expansion, in ``mount(expanding:)``.
    ///
    /// - Throws: where the value is no list of fields, and for a variable in `from`.
    init(parsing value: Token, source: SourceText) throws(BuildError) {
        let parts: [(text: String, range: Range<Int>)]
        do throws(CommaSeparated.Fault) {
            parts = try CommaSeparated.fields(value.text)
        } catch {
            throw .badFieldList("mount", error.rawValue, at: source.location(of: value.range))
        }
        var fields: [Field] = []
        for part in parts {
            let field = Field(parsing: part.text, at: Self.place(of: part.range, in: value))
            if field.key == "from", let text = field.value, let dollar = text.utf8.firstIndex(of: UInt8(ascii: "$")),
                text.utf8.index(after: dollar) != text.utf8.endIndex
            {
                throw .variableInMountFrom(at: source.location(of: field.token.range))
            }
            fields.append(field)
        }
        self.init(fields: fields, value: value)
    }

    /// Where `range` of the value's text was written; the whole value where quotes or continued lines moved it.
    private static func place(of range: Range<Int>, in value: Token) -> SourceRange {
        let start = value.range.start
        let width = value.range.end.column - start.column
        guard start.line == value.range.end.line, width == value.text.utf8.count else { return value.range }
        return SourceRange(
            SourcePosition(line: start.line, column: start.column + range.lowerBound),
            SourcePosition(line: start.line, column: start.column + range.upperBound))
    }

    /// What the mount asks for once its variables are expanded.
    ///
    /// Options may stand in any order. Names are checked here and not before: a flag of a stage that is not built
    /// hurts nobody.
    ///
    /// - Parameters:
    ///   - locate: adds the file to the place of an option that is wrong, see ``Dockerfile/location(of:)``.
    ///   - expand: expands one value; `from` and option names hold no variables.
    /// - Throws: what `expand` throws, and a ``BuildError`` for an unknown type or option, an option that the type does
    ///   not have, and a value that is none; with the place of the option where `locate` gives one.
    public func mount(
        locating locate: (SourceRange) -> SourceLocation? = { _ in nil },
        expanding expand: (String) throws(BuildError) -> String
    ) throws(BuildError) -> RunMount {
        var builder = RunMountBuilder()
        for field in fields where field.key == "type" {
            guard let value = field.value else { continue }
            do throws(BuildError) {
                try builder.setType(expand(value))
            } catch {
                throw error.located(at: locate(field.token.range))
            }
        }
        for field in fields where field.key != "type" || field.value == nil {
            do throws(BuildError) {
                if let value = field.value {
                    try builder.set(field.key, to: expand(value))
                } else {
                    try builder.set(field.key, written: field.token.text)
                }
            } catch {
                throw error.located(at: locate(field.token.range))
            }
        }
        do throws(BuildError) {
            return try builder.mount()
        } catch {
            throw error.located(at: locate(value.range))
        }
    }
}

extension RunMountFlag.Field {
    init(parsing text: String, at place: SourceRange) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            key: String(parts.first ?? "").lowercased(), value: parts.count > 1 ? String(parts[1]) : nil,
            token: Token(text, at: place))
    }
}

/// Collects the options of a mount.
private struct RunMountBuilder {
    private var type = RunMount.Kind.bind
    private var texts: [String: String] = [:]
    /// `nil` where the type decides.
    private var isReadOnly: Bool?
    private var isRequired = false
    private var sizeLimit: Int64 = 0
    private var sharing: RunMount.Sharing?
    private var numbers: [String: UInt32] = [:]

    private static let known = [
        "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid",
        "src", "dst", "destination", "ro", "rw", "readwrite", "env",
    ]

    mutating func setType(_ value: String) throws(BuildError) {
        guard let kind = RunMount.Kind(rawValue: value.lowercased()) else {
            let known = RunMount.Kind.allCases.map(\.rawValue)
            throw .badMountValue(
                value, of: "type", expected: "types are \(known.joined(separator: ", "))", known: known, at: nil)
        }
        type = kind
    }

    /// An option without a value.
    mutating func set(_ key: String, written field: String) throws(BuildError) {
        switch key {
        case "readonly", "ro": isReadOnly = true
        case "readwrite", "rw": isReadOnly = false
        case "required":
            try allow(key, for: [.secret, .ssh])
            isRequired = true
        default:
            guard Self.known.contains(key) else { throw .unknownMountOption(key, known: Self.known, at: nil) }
            throw .mountOptionWithoutValue(field, at: nil)
        }
    }

    mutating func set(_ key: String, to value: String) throws(BuildError) {
        switch key {
        case "from", "id", "env": texts[key] = value
        case "source", "src": texts["source"] = value
        case "target", "dst", "destination": texts["target"] = value
        case "readonly", "ro": isReadOnly = try bool(key, value)
        case "readwrite", "rw": isReadOnly = try !bool(key, value)
        case "required":
            try allow(key, for: [.secret, .ssh])
            isRequired = try bool(key, value)
        case "size":
            try allow(key, for: [.tmpfs])
            guard let size = GoValue.byteSize(value) else {
                throw .badMountValue(value, of: key, expected: "it is a size, for instance 64m", at: nil)
            }
            sizeLimit = size
        case "sharing": try setSharing(value)
        case "mode", "uid", "gid":
            try allow(key, for: [.secret, .ssh, .cache])
            guard let number = GoValue.unsigned(value, radix: key == "mode" ? 8 : 10) else {
                let expected = key == "mode" ? "it is an octal number, for instance 0755" : "it is a number"
                throw .badMountValue(value, of: key, expected: expected, at: nil)
            }
            numbers[key] = number
        default: throw .unknownMountOption(key, known: Self.known, at: nil)
        }
    }

    private mutating func setSharing(_ value: String) throws(BuildError) {
        guard let mode = RunMount.Sharing(rawValue: value.lowercased()) else {
            let known = RunMount.Sharing.allCases.map(\.rawValue)
            throw .badMountValue(
                value, of: "sharing", expected: "it is one of \(known.joined(separator: ", "))", known: known, at: nil)
        }
        try allow("sharing", for: [.cache])
        sharing = mode
    }

    private func bool(_ key: String, _ value: String) throws(BuildError) -> Bool {
        guard let bool = GoValue.bool(value) else {
            throw .badMountValue(value, of: key, expected: "it is 'true' or 'false'", at: nil)
        }
        return bool
    }

    private func allow(_ key: String, for types: [RunMount.Kind]) throws(BuildError) {
        guard types.contains(type) else { throw .mountOptionNotAllowed(key, for: type, at: nil) }
    }

    func mount() throws(BuildError) -> RunMount {
        let given = texts.filter { !$0.value.isEmpty }
        if type == .secret {
            if given["from"] != nil { throw .mountOptionNotAllowed("from", for: type, at: nil) }
            guard given["source"] != nil || given["target"] != nil || given["id"] != nil else {
                throw .badMount(
                    "a secret mount names no secret", hint: "write 'type=secret,id=NAME'", at: nil)
            }
            guard given["source"] == nil || given["id"] == nil else {
                throw .badMount(
                    "a secret mount has both 'source' and 'id'", hint: "keep 'id', and 'target' for the path", at: nil)
            }
        }
        if type == .ssh, given["source"] != nil { throw .mountOptionNotAllowed("source", for: type, at: nil) }
        return RunMount(
            type: type, from: given["from"], source: given["source"], target: given["target"],
            isReadOnly: isReadOnly ?? (type != .cache && type != .tmpfs), id: given["id"], sharing: sharing,
            isRequired: isRequired, sizeLimit: sizeLimit, mode: numbers["mode"], uid: numbers["uid"],
            gid: numbers["gid"], environmentVariable: texts["env"])
    }
}
