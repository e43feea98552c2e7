internal import WhittleCore
internal import WhittleOCI

/// What credentials are kept for: a registry, or the repositories of one that begin with a path.
public struct CredentialKey: Hashable, Sendable {
    /// `HOST[:PORT]`; `docker.io` for Docker Hub, whatever it was called.
    public let registry: String
    /// `NAMESPACE[/REPOSITORY]`, empty for the whole registry.
    public let path: String

    /// Docker Hub.
    public static let hub = CredentialKey(registry: ImageReference.defaultRegistry)

    /// The name under which docker keeps the credentials of Docker Hub.
    private static let hubServer = "https://index.docker.io/v1/"
    private static let hubHosts = [ImageReference.defaultRegistry, "index.docker.io", "registry-1.docker.io"]

    init(registry: String, path: String = "") {
        self.registry = Self.hubHosts.contains(registry) ? ImageReference.defaultRegistry : registry
        self.path = path
    }

    /// Reads what a person gives to `login`: `HOST[:PORT][/PATH]`, also as the URL that docker takes.
    ///
    /// - Throws: `invalid-registry-name`.
    public init(parsing text: String) throws {
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        var rest = text.dropFirst(scheme?.count ?? 0)
        while rest.hasSuffix("/") { rest.removeLast() }
        let host = rest.prefix { $0 != "/" }
        // The path of a URL is that of an API, `/v1/`, and no part of a name.
        let path =
            scheme == nil && !["/v1", "/v2"].contains(rest.dropFirst(host.count)) ? rest.dropFirst(host.count + 1) : ""
        do {
            let reference = try ImageReference(parsing: "localhost/x")
                .relocated(registry: String(host), repository: path.isEmpty ? "x" : String(path))
            self.init(registry: reference.registry, path: path.isEmpty ? "" : reference.repository)
        } catch {
            throw BuildError.invalidRegistryName(text, "\(error)")
        }
    }

    /// All names of the registry in files.
    var hosts: [String] { isHub ? Self.hubHosts : [registry] }

    /// What a credential helper knows the registry by.
    var server: String { isHub ? Self.hubServer : registry }

    private var isHub: Bool { registry == ImageReference.defaultRegistry }

    /// The member of `auths` that tools write: docker's `config.json` and `containers-auth.json(5)` differ for Docker Hub.
    func member(inDockerFile isDockerFile: Bool) -> String {
        isDockerFile && path.isEmpty ? server : "\(self)"
    }

    /// `https://HOST/v1/` is an old way to write `HOST`.
    static func normalise(_ member: String) -> String {
        var rest = member[...]
        let scheme = ["https://", "http://"].first { member.hasPrefix($0) }
        rest = rest.dropFirst(scheme?.count ?? 0)
        while rest.hasSuffix("/") { rest.removeLast() }
        let isLegacy = scheme != nil || rest.hasSuffix("/v1") || rest.hasSuffix("/v2")
        return String(isLegacy ? rest.prefix { $0 != "/" } : rest)
    }

    /// Whether a member of `auths` is for exactly this.
    func isMeant(by member: String) -> Bool {
        let name = Self.normalise(member)
        return hosts.contains { name == (path.isEmpty ? $0 : "\($0)/\(path)") }
    }
}

extension CredentialKey: CustomStringConvertible {
    /// `REGISTRY[/PATH]`.
    public var description: String { path.isEmpty ? registry : "\(registry)/\(path)" }
}
