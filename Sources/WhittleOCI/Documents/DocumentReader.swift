package import WhittleCore

/// Reads the members of one JSON object of a document, and says in each error which member of which document is wrong.
///
/// `null` counts as absent, as in the Go programs that write most of these documents.
package struct DocumentReader {
    /// What the document is, for messages: `image manifest`.
    let document: String
    /// Where the object stands in it: `layers[2]`; empty for the document itself.
    let path: String
    package let object: JSONObject

    /// Parses `bytes`, which must hold one object.
    ///
    /// - Throws: `malformed-document`.
    package init(_ document: String, parsing bytes: some Collection<UInt8>) throws {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw BuildError.malformedDocument(document, "not JSON: \(error)")
        }
        guard let object = value.object else {
            throw BuildError.malformedDocument(document, "expected an object, found \(value.kind)")
        }
        self.init(document: document, path: "", object: object)
    }

    private init(document: String, path: String, object: JSONObject) {
        self.document = document
        self.path = path
        self.object = object
    }

    // MARK: Members

    package func string(_ key: String) throws -> String? { try read(key, "a string") { $0.string } }
    package func bool(_ key: String) throws -> Bool? { try read(key, "a boolean") { $0.bool } }
    package func integer(_ key: String) throws -> Int64? { try read(key, "a whole number") { $0.integer } }

    package func requiredString(_ key: String) throws -> String {
        guard let value = try string(key) else { throw missing(key) }
        return value
    }

    package func strings(_ key: String) throws -> [String]? {
        try array(key)?.enumerated().map { index, element in
            guard let text = element.string else {
                throw wrongKind("\(key)[\(index)]", expected: "a string", found: element)
            }
            return text
        }
    }

    /// The members of an object whose values are strings; `null` values give empty strings.
    package func stringMap(_ key: String) throws -> [String: String]? {
        guard let map = try read(key, "an object", { $0.object }) else { return nil }
        var result: [String: String] = [:]
        for member in map.members {
            guard let text = member.value.isNull ? "" : member.value.string else {
                throw wrongKind("\(key).\(member.key.prefix(64))", expected: "a string", found: member.value)
            }
            result[member.key] = text
        }
        return result
    }

    /// The keys of an object that stands for a set (`{"80/tcp": {}}`).
    package func keySet(_ key: String) throws -> Set<String>? {
        try read(key, "an object") { $0.object }.map { Set($0.keys) }
    }

    package func digest(_ key: String) throws -> Digest {
        try digest(key, try requiredString(key))
    }

    package func digests(_ key: String) throws -> [Digest]? {
        try strings(key)?.enumerated().map { try digest("\(key)[\($0)]", $1) }
    }

    package func timestamp(_ key: String) throws -> Timestamp? {
        guard let text = try string(key) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw problem(key, "expected a time as RFC 3339 writes it, found '\(text.prefix(64))'")
        }
        return time
    }

    package func child(_ key: String) throws -> DocumentReader? {
        try read(key, "an object") { $0.object }
            .map { DocumentReader(document: document, path: name(key), object: $0) }
    }

    package func children(_ key: String) throws -> [DocumentReader]? {
        try array(key)?.enumerated().map { index, element in
            let place = "\(key)[\(index)]"
            guard let object = element.object else { throw wrongKind(place, expected: "an object", found: element) }
            return DocumentReader(document: document, path: name(place), object: object)
        }
    }

    /// The members that are none of `known`, in order.
    package func others(than known: Set<String>) -> JSONObject {
        var rest = JSONObject()
        for member in object.members where !known.contains(member.key) { rest[member.key] = member.value }
        return rest
    }

    // MARK: Errors

    package func missing(_ key: String) -> BuildError { problem(key, "missing") }

    /// The error that member `key` is wrong, and how.
    package func problem(_ key: String, _ text: String) -> BuildError {
        .malformedDocument(document, "member '\(name(key))': \(text)")
    }

    private func wrongKind(_ key: String, expected: String, found: JSONValue) -> BuildError {
        problem(key, "expected \(expected), found \(found.kind)")
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func array(_ key: String) throws -> [JSONValue]? { try read(key, "an array") { $0.array } }

    private func read<Value>(_ key: String, _ expected: String, _ convert: (JSONValue) -> Value?) throws -> Value? {
        guard let value = object[key], !value.isNull else { return nil }
        guard let converted = convert(value) else { throw wrongKind(key, expected: expected, found: value) }
        return converted
    }

    private func digest(_ key: String, _ text: String) throws -> Digest {
        do {
            return try Digest(parsing: text)
        } catch {
            throw problem(key, "'\(text.prefix(80))' is no digest: \(error.sentence)")
        }
    }
}

extension Digest.Invalid {
    /// The broken rule in words.
    var sentence: String {
        switch self {
        case .noSeparator: "no ':' after the algorithm"
        case .unsupportedAlgorithm(let name): "algorithm '\(name.prefix(32))' is not supported, only sha256 is"
        case .wrongLength(let count): "expected 64 hex digits, found \(count)"
        case .notLowercaseHex: "expected lower-case hex digits"
        }
    }
}
