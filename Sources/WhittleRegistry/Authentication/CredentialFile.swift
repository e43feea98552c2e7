internal import WhittleCore
internal import WhittleOCI

/// The contents of docker's `config.json` or of a `containers-auth.json(5)`: the members that concern credentials.
struct CredentialFile: Sendable {
    private let entries: [String: Credentials]
    /// Registry to the end of the name of its helper program.
    private let helpers: [String: String]
    /// The helper for every registry that is in neither of the others.
    private let defaultHelper: String?

    /// What the file says about a registry.
    enum Answer: Sendable {
        case credentials(Credentials)
        /// `docker-credential-NAME` is to be asked about `server`.
        case helper(name: String, server: String)
    }

    /// The name under which docker keeps the credentials of Docker Hub.
    private static let hubServer = "https://index.docker.io/v1/"
    private static let hubHosts: Set<String> = ["docker.io", "index.docker.io", "registry-1.docker.io"]

    /// Reads the file.
    ///
    /// - Parameter path: for messages.
    /// - Throws: `malformed-credentials`, which never shows a value of the file.
    init(parsing bytes: [UInt8], path: String) throws {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw BuildError.malformedCredentials(path, "\(error)")
        }
        guard json.object != nil else { throw BuildError.malformedCredentials(path, "expected an object") }
        func members(_ key: String) throws -> [JSONObject.Member] {
            guard let value = json[key], !value.isNull else { return [] }
            guard let object = value.object else {
                throw BuildError.malformedCredentials(path, "member '\(key)': expected an object, found \(value.kind)")
            }
            return object.members
        }
        var entries: [String: Credentials] = [:]
        for member in try members("auths") {
            guard let found = try Self.credentials(member.value, member.key, path) else { continue }
            entries[Self.normalise(key: member.key)] = found
        }
        self.entries = entries
        var helpers: [String: String] = [:]
        for member in try members("credHelpers") {
            if let name = member.value.string { helpers[Self.normalise(key: member.key)] = name }
        }
        self.helpers = helpers
        defaultHelper = json["credsStore"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the file says about `repository` of `registry`: its helper first, then the entry with the longest path,
    /// then the helper for all.
    func answer(registry: String, repository: String) -> Answer? {
        let isHub = Self.hubHosts.contains(registry)
        let hosts = isHub ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [registry]
        let server = isHub ? Self.hubServer : registry
        for host in hosts {
            if let name = helpers[host] { return .helper(name: name, server: server) }
        }
        var path = repository[...]
        while !path.isEmpty {
            for host in hosts {
                if let found = entries["\(host)/\(path)"] { return .credentials(found) }
            }
            path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        }
        for host in hosts {
            if let found = entries[host] { return .credentials(found) }
        }
        return defaultHelper.map { .helper(name: $0, server: server) }
    }

    private static func credentials(_ entry: JSONValue, _ key: String, _ path: String) throws -> Credentials? {
        if let token = entry["identitytoken"]?.string, !token.isEmpty { return .identityToken(Redacted(token)) }
        if let token = entry["registrytoken"]?.string, !token.isEmpty { return .registryToken(Redacted(token)) }
        if let user = entry["username"]?.string, let password = entry["password"]?.string, !user.isEmpty {
            return .password(user: user, Redacted(password))
        }
        guard let encoded = entry["auth"]?.string, !encoded.isEmpty else { return nil }
        guard let bytes = Base64.decode(encoded), let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else {
            throw BuildError.malformedCredentials(
                path, "'auth' of '\(key.prefix(128))' is not USER:PASSWORD in base64")
        }
        // Old versions of docker padded the text with NULs.
        let password = text[text.index(after: colon)...].prefix { $0 != "\0" }
        return .password(user: String(text[..<colon]), Redacted(String(password)))
    }

    /// `https://HOST/v1/` is an old way to write `HOST`.
    private static func normalise(key: String) -> String {
        var rest = key[...]
        let scheme = ["https://", "http://"].first { key.hasPrefix($0) }
        rest = rest.dropFirst(scheme?.count ?? 0)
        while rest.hasSuffix("/") { rest.removeLast() }
        let isLegacy = scheme != nil || rest.hasSuffix("/v1") || rest.hasSuffix("/v2")
        return String(isLegacy ? rest.prefix { $0 != "/" } : rest)
    }
}
