internal import WhittleCore
internal import WhittleOCI

/// Reads one file in the format of `containers-registries.conf(5)`, version 2. Members that are not known are ignored.
struct RegistriesConfigurationParser {
    private let path: String
    private let document: JSONValue

    /// - Throws: `malformed-registries-conf` with line and column.
    init(_ bytes: [UInt8], path: String) throws {
        self.path = path
        do {
            document = try TOMLDocument.parse(bytes)
        } catch {
            let place = error.line > 0 ? "\(path):\(error.line):\(error.column)" : path
            throw BuildError.malformedRegistriesConfiguration(place, "not TOML: \(error.message)")
        }
    }

    /// Adds what the file says to `configuration`; members that both have are the file's.
    func apply(to configuration: inout RegistriesConfiguration) throws {
        if document["registries"] != nil {
            throw problem("registries", "the format of version 1 is not supported; use [[registry]] tables")
        }
        if let search = document["unqualified-search-registries"] {
            configuration.searchRegistries = try strings(search, "unqualified-search-registries")
        }
        if let helpers = document["credential-helpers"] {
            configuration.credentialHelpers = try strings(helpers, "credential-helpers")
        }
        if let mode = document["short-name-mode"] {
            let name = try string(mode, "short-name-mode")
            guard ["enforcing", "permissive", "disabled", ""].contains(name) else {
                throw problem("short-name-mode", "expected enforcing, permissive or disabled, found '\(name)'")
            }
            configuration.refusesAmbiguousNames = name == "enforcing"
        }
        for member in try table(document["aliases"], "aliases") {
            let name = try string(member.value, "aliases.\(member.key)")
            configuration.aliases[member.key] = name.isEmpty ? nil : name
        }
        for (index, table) in try tables(document["registry"], "registry").enumerated() {
            let registry = try registry(table, "registry[\(index)]")
            configuration.registries.removeAll { $0.prefix == registry.prefix }
            configuration.registries.append(registry)
        }
    }

    private func registry(_ table: JSONValue, _ place: String) throws -> RegistriesConfiguration.Registry {
        let location = try optionalString(table["location"], "\(place).location")
        let prefix = try optionalString(table["prefix"], "\(place).prefix")
        guard let matched = prefix ?? location else { throw problem(place, "neither 'prefix' nor 'location' is given") }
        if matched.hasPrefix("*.") {
            guard !matched.dropFirst(2).contains(where: { "/:@*".contains($0) }) else {
                throw problem("\(place).prefix", "'\(matched)' has a wildcard, so it must be '*.' and a host alone")
            }
        } else if location == nil {
            throw problem(place, "'location' is missing; only a prefix '*.HOST' goes without one")
        }
        var registry = RegistriesConfiguration.Registry(prefix: matched)
        registry.location = prefix == nil ? nil : location
        registry.isInsecure = try bool(table["insecure"], "\(place).insecure")
        registry.isBlocked = try bool(table["blocked"], "\(place).blocked") ?? false
        let byDigestOnly = try bool(table["mirror-by-digest-only"], "\(place).mirror-by-digest-only") ?? false
        registry.mirrors = try tables(table["mirror"], "\(place).mirror").enumerated().map { index, mirror in
            try self.mirror(mirror, "\(place).mirror[\(index)]", byDigestOnly: byDigestOnly)
        }
        return registry
    }

    private func mirror(
        _ table: JSONValue, _ place: String, byDigestOnly: Bool
    ) throws -> RegistriesConfiguration.Mirror {
        guard let location = try optionalString(table["location"], "\(place).location") else {
            throw problem(place, "'location' is missing")
        }
        var mirror = RegistriesConfiguration.Mirror(
            location: location, isInsecure: try bool(table["insecure"], "\(place).insecure"),
            pull: byDigestOnly ? .digestOnly : .all)
        if let text = try optionalString(table["pull-from-mirror"], "\(place).pull-from-mirror") {
            guard !byDigestOnly else {
                throw problem("\(place).pull-from-mirror", "it contradicts 'mirror-by-digest-only' of the registry")
            }
            guard let pull = RegistriesConfiguration.Mirror.Pull(rawValue: text) else {
                let known = RegistriesConfiguration.Mirror.Pull.allCases.map { $0.rawValue }
                throw problem(
                    "\(place).pull-from-mirror", "expected \(known.joined(separator: ", ")), found '\(text)'")
            }
            mirror.pull = pull
        }
        return mirror
    }

    // MARK: Members

    /// `nil` for a missing and for an empty string; slashes at the end do not count.
    private func optionalString(_ value: JSONValue?, _ name: String) throws -> String? {
        guard let value else { return nil }
        var text = try string(value, name)
        while text.hasSuffix("/") { text.removeLast() }
        return text.isEmpty ? nil : text
    }

    private func string(_ value: JSONValue, _ name: String) throws -> String {
        guard let text = value.string else { throw wrongKind(name, "a string", value) }
        return text
    }

    private func strings(_ value: JSONValue, _ name: String) throws -> [String] {
        guard let elements = value.array else { throw wrongKind(name, "an array", value) }
        return try elements.map { try string($0, name) }
    }

    private func bool(_ value: JSONValue?, _ name: String) throws -> Bool? {
        guard let value else { return nil }
        guard let flag = value.bool else { throw wrongKind(name, "true or false", value) }
        return flag
    }

    private func table(_ value: JSONValue?, _ name: String) throws -> [JSONObject.Member] {
        guard let value else { return [] }
        guard let object = value.object else { throw wrongKind(name, "a table", value) }
        return object.members
    }

    private func tables(_ value: JSONValue?, _ name: String) throws -> [JSONValue] {
        guard let value else { return [] }
        guard let elements = value.array, elements.allSatisfy({ $0.object != nil }) else {
            throw wrongKind(name, "an array of tables", value)
        }
        return elements
    }

    private func wrongKind(_ name: String, _ expected: String, _ found: JSONValue) -> BuildError {
        problem(name, "expected \(expected), found \(found.kind)")
    }

    private func problem(_ name: String, _ text: String) -> BuildError {
        .malformedRegistriesConfiguration(path, "member '\(name)': \(text)")
    }
}
