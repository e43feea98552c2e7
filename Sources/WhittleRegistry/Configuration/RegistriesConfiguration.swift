internal import WhittleCore
public import WhittleOCI

/// Where images come from: `containers-registries.conf(5)`, version 2.
public struct RegistriesConfiguration: Hashable, Sendable {
    /// Where names without a registry are looked for, in order; empty for Docker Hub alone.
    public var searchRegistries: [String] = []
    /// Full names, without tags, by short name.
    public var aliases: [String: String] = [:]
    /// No two have the same prefix.
    public var registries: [Registry] = []
    /// With several search registries a name without a registry is an error (`short-name-mode = "enforcing"`).
    public var refusesAmbiguousNames = false
    /// `credential-helpers`, see ``CredentialStore/helpers``; empty where no file says.
    public var credentialHelpers: [String] = []

    public init() {}

    /// What holds for the names that begin with a prefix.
    public struct Registry: Hashable, Sendable {
        /// `HOST[:PORT][/PATH…][:TAG|@DIGEST]` or `*.HOST`.
        public var prefix: String
        /// What takes the place of the prefix; `nil` where names stay as they are.
        public var location: String?
        /// Whether untrusted certificates and plain HTTP are allowed; `nil` where the file does not say.
        public var isInsecure: Bool?
        public var isBlocked = false
        /// Tried in order before the location.
        public var mirrors: [Mirror] = []

        public init(prefix: String) { self.prefix = prefix }
    }

    /// Another place for the names of a ``Registry``.
    public struct Mirror: Hashable, Sendable {
        public var location: String
        public var isInsecure: Bool?
        public var pull: Pull

        public init(location: String, isInsecure: Bool? = nil, pull: Pull = .all) {
            self.location = location
            self.isInsecure = isInsecure
            self.pull = pull
        }

        /// Which names the mirror is asked for.
        public enum Pull: String, Hashable, Sendable, CaseIterable {
            case all
            case digestOnly = "digest-only"
            case tagOnly = "tag-only"
        }
    }

    /// The registry with the longest prefix that `reference` begins with.
    public func registry(for reference: ImageReference) -> Registry? {
        registries.filter { $0.matches(reference) }.max { $0.prefix.utf8.count < $1.prefix.utf8.count }
    }

    /// The full names that `reference` may mean, in order: itself unless it was written without a registry.
    ///
    /// - Throws: `ambiguous-image-name`, `malformed-registries-conf`.
    public func candidates(for reference: ImageReference) throws -> [ImageReference] {
        guard let short = reference.shortName else { return [reference] }
        if let alias = aliases[short] { return [try relocate(reference, to: alias, member: "aliases.\(short)")] }
        guard !searchRegistries.isEmpty else { return [reference] }
        if refusesAmbiguousNames, searchRegistries.count > 1 {
            throw BuildError.ambiguousImageName(short, registries: searchRegistries)
        }
        return try searchRegistries.map {
            try relocate(reference, to: "\($0)/\(short)", member: "unqualified-search-registries")
        }
    }

    /// The places to ask for `reference`, in order: the mirrors, then the registry itself.
    ///
    /// - Throws: `registry-blocked`, `malformed-registries-conf`.
    public func endpoints(for reference: ImageReference) throws -> [RegistryEndpoint] {
        guard let registry = registry(for: reference) else {
            return [RegistryEndpoint(reference: reference, isInsecure: nil, isMirror: false)]
        }
        guard !registry.isBlocked else {
            throw BuildError.registryBlocked(reference, prefix: registry.prefix)
        }
        var endpoints: [RegistryEndpoint] = []
        for mirror in registry.mirrors where mirror.pull.covers(reference) {
            let place = try rewrite(reference, registry, to: mirror.location)
            endpoints.append(RegistryEndpoint(reference: place, isInsecure: mirror.isInsecure, isMirror: true))
        }
        let place = try registry.location.map { try rewrite(reference, registry, to: $0) } ?? reference
        endpoints.append(RegistryEndpoint(reference: place, isInsecure: registry.isInsecure, isMirror: false))
        return endpoints
    }

    private func rewrite(
        _ reference: ImageReference, _ registry: Registry, to location: String
    ) throws -> ImageReference {
        let length = registry.matchedLength(of: reference)
        let rest = String(reference.name.utf8.dropFirst(length)) ?? ""
        return try relocate(reference, to: location + rest, member: "location")
    }

    private func relocate(_ reference: ImageReference, to name: String, member: String) throws -> ImageReference {
        let slash = name.firstIndex(of: "/") ?? name.endIndex
        do {
            return try reference.relocated(
                registry: String(name[..<slash]), repository: String(name[slash...].dropFirst()))
        } catch {
            throw BuildError.malformedRegistriesConfiguration(
                nil, "'\(member)' makes '\(name)' of '\(reference.name)', which is no image name: \(error)")
        }
    }
}

extension RegistriesConfiguration.Registry {
    fileprivate func matches(_ reference: ImageReference) -> Bool {
        if prefix.hasPrefix("*.") { return reference.registry.hasSuffix(prefix.dropFirst(1)) }
        let name = reference.name
        if name == prefix { return true }
        guard prefix.contains("/") else { return reference.registry == prefix }
        if name.hasPrefix(prefix) { return name.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/") }
        // A prefix may name one tag or digest.
        return reference.tag.map { "\(name):\($0)" == prefix } ?? false
            || reference.digest.map { "\(name)@\($0)" == prefix } ?? false
    }

    /// How much of the name of `reference`, which matches, the location takes the place of.
    fileprivate func matchedLength(of reference: ImageReference) -> Int {
        prefix.hasPrefix("*.")
            ? reference.registry.utf8.count : min(prefix.utf8.count, reference.name.utf8.count)
    }
}

extension RegistriesConfiguration.Mirror.Pull {
    fileprivate func covers(_ reference: ImageReference) -> Bool {
        switch self {
        case .all: true
        case .digestOnly: reference.digest != nil
        case .tagOnly: reference.digest == nil
        }
    }
}
