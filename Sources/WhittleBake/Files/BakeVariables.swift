internal import WhittleCore

/// The variables of bake files: their defaults, and what takes the place of these.
struct BakeVariables {
    struct Declaration {
        let name: String
        /// `nil` where there is none, which is the empty text.
        let standard: ValueReader?
        let description: String?
        let type: String?
        /// `"variable": {…}`, and not a value beside the targets, which the environment does not change.
        var source: BakeSource
        let path: String
    }

    private(set) var declarations: [Declaration] = []
    private let environment: [String: String]
    /// `--var`.
    private let given: [String: String]

    /// Variables that are there without a declaration.
    private let builtIn: [String: String]

    init(environment: [String: String], given: [String: String], platform: Platform) {
        self.environment = environment
        self.given = given
        builtIn = ["BAKE_LOCAL_PLATFORM": "\(platform)", "BAKE_CMD_CONTEXT": "cwd://"]
    }

    var names: [String] { declarations.map(\.name) + builtIn.keys.sorted() }

    /// A later declaration of a name takes the place of an earlier one.
    mutating func declare(_ declaration: Declaration) {
        if let position = declarations.firstIndex(where: { $0.name == declaration.name }) {
            declarations[position] = declaration
        } else {
            declarations.append(declaration)
        }
    }

    /// - Throws: `bake-missing-variable`, `bake-cycle`, `bake-unsupported`.
    func value(_ declaration: Declaration) throws(BuildError) -> BakeValue {
        try value(of: declaration.name, for: declaration.path, in: declaration.source, at: nil, [])
    }

    private func value(
        of name: String, for path: String, in source: BakeSource, at location: SourceLocation?, _ open: [String]
    ) throws(BuildError) -> BakeValue {
        guard !open.contains(name) else { throw .bakeCycle(open + [name], "defaults of variables") }
        guard let declaration = declarations.first(where: { $0.name == name }) else {
            if let value = given[name] ?? builtIn[name] { return BakeValue(.text(value)) }
            throw .unknownBakeVariable(name, in: source.name, path, known: names, at: location)
        }
        if let value = given[name] ?? environment[name] { return BakeValue(.text(value)) }
        guard let standard = declaration.standard else { return BakeValue(.text("")) }
        return try expanding(standard, open + [name])
    }

    /// The value with every `${NAME}` replaced; a text that is nothing else becomes the variable's value as it is.
    ///
    /// - Throws: `bake-missing-variable`, `bake-cycle`; `bake-unsupported` for other expressions.
    func expanding(_ reader: ValueReader) throws(BuildError) -> ValueReader {
        ValueReader(value: try expanding(reader, []), path: reader.path, source: reader.source)
    }

    private func expanding(_ reader: ValueReader, _ open: [String]) throws(BuildError) -> BakeValue {
        try reader.value.mapTexts(reader.path) { text, value, path throws(BuildError) in
            guard text.contains("${") || text.contains("%{") else { return value }
            let place = ValueReader(value: value, path: path, source: reader.source)
            let parts = try Self.parts(text, place)
            if parts.count == 1, case .variable(let name) = parts[0] {
                return try self.value(of: name, for: path, in: place.source, at: place.location, open)
            }
            var result = ""
            for part in parts {
                switch part {
                case .text(let text): result += text
                case .variable(let name):
                    let value = try self.value(of: name, for: path, in: place.source, at: place.location, open)
                    guard let text = value.scalar else {
                        throw place.unsupported("'${\(name)}', which is \(value.shownKind), inside a text")
                    }
                    result += text
                }
            }
            return BakeValue(.text(result), at: value.place)
        }
    }

    private enum Part {
        case text(String)
        case variable(String)
    }

    private static func parts(_ text: String, _ place: ValueReader) throws(BuildError) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text[...]
        while let first = rest.first {
            if rest.hasPrefix("$${") || rest.hasPrefix("%%{") {
                plain += rest.dropFirst().prefix(2)
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("%{") {
                throw place.unsupported("the directive '\(rest.prefix(40))'")
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw .invalidBake(
                        place.source.name, place.path, "'${' has no '}' in '\(text.prefix(80))'", at: place.location)
                }
                let written = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
                let name = String(written.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                guard isName(name) else { throw place.unsupported("the expression '${\(written.prefix(60))}'") }
                if !plain.isEmpty { parts.append(.text(plain)) }
                plain = ""
                parts.append(.variable(name))
                rest = rest[rest.index(after: end)...]
            } else {
                plain.append(first)
                rest = rest.dropFirst()
            }
        }
        if !plain.isEmpty || parts.isEmpty { parts.append(.text(plain)) }
        return parts
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == 0x5F || isLetter(first) else { return false }
        return text.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2D || isLetter($0) || (0x30...0x39).contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80 }
}
