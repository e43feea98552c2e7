internal import WhittleCore
internal import WhittleOCI

/// The contents of docker's `config.json` or of a `containers-auth.json(5)`.
///
/// What does not concern credentials is kept as it was read.
struct CredentialFile: Sendable {
    /// The whole document, an object.
    private(set) var document: JSONValue
    private let path: String
    private var entries: [String: Credentials] = [:]
    /// Registry to the end of the name of its helper program.
    private var helpers: [String: String] = [:]
    /// The helper for every registry that is in neither of the others.
    private var defaultHelper: String?

    /// What the file says about a registry.
    enum Answer: Sendable {
        case credentials(Credentials)
        /// `docker-credential-NAME` is to be asked about `server`.
        case helper(name: String, server: String)
    }

    /// Reads the file.
    ///
    /// - Parameter path: for messages.
    /// - Throws: `malformed-credentials`, which never shows a value of the file.
    init(parsing bytes: [UInt8], path: String) throws {
        self.path = path
        // What a program leaves that made the file and was stopped, and what `touch` makes.
        let isBlank = bytes.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        do {
            document = try isBlank ? [:] : JSONValue(parsing: bytes)
        } catch {
            throw BuildError.malformedCredentials(path, "\(error)")
        }
        guard document.object != nil else { throw BuildError.malformedCredentials(path, "expected an object") }
        for member in try members("auths") {
            guard let found = try Self.credentials(member.value, member.key, path) else { continue }
            entries[CredentialKey.normalise(member.key)] = found
        }
        for member in try members("credHelpers") {
            if let name = member.value.string { helpers[CredentialKey.normalise(member.key)] = name }
        }
        defaultHelper = document["credsStore"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func members(_ key: String) throws -> [JSONObject.Member] {
        guard let value = document[key], !value.isNull else { return [] }
        guard let object = value.object else {
            throw BuildError.malformedCredentials(path, "member '\(key)': expected an object, found \(value.kind)")
        }
        return object.members
    }

    /// What the file says about `repository` of `registry`: its helper first, then the entry with the longest path,
    /// then the helper for all.
    func answer(registry: String, repository: String) -> Answer? {
        let key = CredentialKey(registry: registry)
        if let name = ownHelper(of: key) { return .helper(name: name, server: key.server) }
        var path = repository[...]
        while !path.isEmpty {
            for host in key.hosts {
                if let found = entries["\(host)/\(path)"] { return .credentials(found) }
            }
            path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        }
        for host in key.hosts {
            if let found = entries[host] { return .credentials(found) }
        }
        return defaultHelper.map { .helper(name: $0, server: key.server) }
    }

    private func ownHelper(of key: CredentialKey) -> String? {
        key.hosts.lazy.compactMap { helpers[$0] }.first
    }

    /// The helper that keeps the credentials of a registry, if one does.
    func helper(for key: CredentialKey) -> String? { ownHelper(of: key) ?? defaultHelper }

    /// What the file has credentials for, in its order, without what helpers keep.
    var keys: [CredentialKey] {
        var seen: Set<CredentialKey> = []
        return (document["auths"]?.object?.keys ?? []).compactMap { member in
            let name = CredentialKey.normalise(member)
            let host = name.prefix { $0 != "/" }
            let key = CredentialKey(registry: String(host), path: String(name.dropFirst(host.count + 1)))
            return seen.insert(key).inserted ? key : nil
        }
    }

    // MARK: Changes

    /// The document with an entry for `key`, in the place of those that it has for it.
    ///
    /// - Parameters:
    ///   - credentials: `nil` for an entry that only says that a helper has them.
    ///   - user: who an identity token was given to.
    func setting(_ credentials: Credentials?, user: String? = nil, for key: CredentialKey) -> JSONValue {
        let member = key.member(inDockerFile: Self.isDockerFile(path))
        var changed = removing(key) ?? document
        let old = (document["auths"]?.object?.members ?? []).first { $0.key == member }?.value
        var entry = old?.object.map { JSONValue.object($0) } ?? [:]
        for name in ["auth", "username", "password", "identitytoken", "registrytoken"] { entry[name] = nil }
        for (name, value) in credentials?.members(user: user) ?? [] { entry[name] = .string(value) }
        if changed["auths"]?.object == nil { changed["auths"] = [:] }
        changed["auths"]?[member] = entry
        return changed
    }

    /// The document without the entries for `key`; `nil` where it has none.
    func removing(_ key: CredentialKey) -> JSONValue? {
        let unwanted = (document["auths"]?.object?.keys ?? []).filter { key.isMeant(by: $0) }
        guard !unwanted.isEmpty else { return nil }
        var changed = document
        for member in unwanted { changed["auths"]?[member] = nil }
        return changed
    }

    /// The document without any credentials.
    func removingAll() -> JSONValue {
        var changed = document
        if changed["auths"] != nil { changed["auths"] = [:] }
        return changed
    }

    /// Whether docker reads the file, which has its own name for Docker Hub and knows no paths.
    static func isDockerFile(_ path: String) -> Bool { path.hasSuffix("/config.json") || path == "config.json" }

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
}

extension Credentials {
    /// The members of an entry of `auths`, as docker writes them. Beside a token skopeo and podman want a user as well.
    fileprivate func members(user: String?) -> [(String, String)] {
        func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8)) }
        switch self {
        case .password(let user, let password): return [("auth", encoded("\(user):\(password.revealed)"))]
        case .identityToken(let token):
            return [("auth", encoded("\(user ?? ""):")), ("identitytoken", token.revealed)]
        case .registryToken(let token): return [("registrytoken", token.revealed)]
        }
    }
}
