internal import Synchronization
internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// Answers registries that ask who is there, and remembers the answers.
///
/// Tokens follow the distribution project's "Token Authentication Specification" and "OAuth2" documents: anonymous,
/// with a password (`GET`), or with an identity token (`POST`).
final class Authenticator: Sendable {
    private let http: HTTPClient
    private let credentials: CredentialStore
    private let time: HTTPTime

    /// What a repository of a registry was last opened with.
    fileprivate struct Key: Hashable {
        let origin: String
        let repository: String
        let scopes: [String]
    }

    private struct Entry {
        let authorization: Redacted<String>
        let expiry: ContinuousClock.Instant?
        /// What the token server gave to ask for tokens with, without the password.
        var identityToken: Redacted<String>?
    }

    private let entries = Mutex<[Key: Entry]>([:])

    /// What this program calls itself to token servers.
    private static let clientName = "whittle"
    /// A token answer is a few thousand bytes.
    private static let answerLimit = 1 << 20
    /// A token is no longer used this long before it ends, so that it does not end under way.
    private static let margin = Duration.seconds(10)

    init(http: HTTPClient, credentials: CredentialStore, time: HTTPTime) {
        self.http = http
        self.credentials = credentials
        self.time = time
    }

    /// Whom a request is for.
    struct Target: Sendable {
        let address: WebAddress
        let security: TransportSecurity
        /// The registry as names call it, for looking up credentials: `docker.io`.
        let registry: String
        let repository: String
        /// `pull` or `pull,push`; empty for no more than to be known.
        let actions: String
        /// Another repository of the registry that is to be read from in the same request.
        var otherRepository: String?
        /// Whether the token server is to give an identity token, to be kept in the place of the password.
        var wantsIdentityToken = false

        /// What a token has to allow.
        var scopes: [String] {
            if actions.isEmpty { return [] }
            return ["repository:\(repository):\(actions)"] + (otherRepository.map { ["repository:\($0):pull"] } ?? [])
        }

        fileprivate var key: Authenticator.Key {
            Authenticator.Key(
                origin: "\(address.scheme.rawValue)://\(address.authority)", repository: repository, scopes: scopes)
        }
    }

    /// The header `Authorization` that worked before, if it still should.
    func remembered(for target: Target) -> Redacted<String>? {
        let now = time.now()
        return entries.withLock { entries in
            guard let entry = entries[target.key] else { return nil }
            if let expiry = entry.expiry, expiry <= now {
                entries[target.key] = nil
                return nil
            }
            return entry.authorization
        }
    }

    /// The identity token that came with the last answer for `target`, if one did.
    func identityToken(for target: Target) -> Redacted<String>? {
        entries.withLock { $0[target.key]?.identityToken }
    }

    /// The header `Authorization` for a target that answered 401 with `challenges`.
    ///
    /// - Returns: `nil` where there is nothing to answer with: no known scheme, or no credentials for `Basic`.
    /// - Throws: ``HTTPFailure`` where the token server could not be asked; `registry-unauthorized` where it refuses.
    func answer(_ challenges: [AuthenticationChallenge], for target: Target) async throws -> Redacted<String>? {
        let entry: Entry?
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            entry = try await token(for: bearer, target)
        } else if challenges.contains(where: { $0.scheme == "basic" }) {
            let found = try await credentials.credentials(registry: target.registry, repository: target.repository)
            entry = found?.basic.map { Entry(authorization: $0, expiry: nil) }
        } else {
            entry = nil
        }
        entries.withLock { $0[target.key] = entry }
        return entry?.authorization
    }

    private func token(for challenge: AuthenticationChallenge, _ target: Target) async throws -> Entry {
        let registry = target.registry
        guard let realm = challenge.parameters["realm"].flatMap({ target.address.resolving($0) }) else {
            throw BuildError.tokenRefused(registry, "the registry names no token server")
        }
        var found = try await credentials.credentials(registry: registry, repository: target.repository)
        if case .registryToken(let token) = found {
            return Entry(authorization: Redacted("Bearer \(token.revealed)"), expiry: nil)
        }
        // Whoever can change an encrypted registry's challenge could otherwise have the password in the clear.
        if target.address.scheme == .https, realm.scheme == .http { found = nil }
        let request = tokenRequest(to: realm, challenge, target, found)
        let (response, body) = try await http.fetch(request, limit: Self.answerLimit)
        if RetryState.isPassing(status: response.status) {
            throw HTTPFailure(.unavailable, "\(realm) answered with status \(response.status)")
        }
        guard response.isSuccess else {
            throw BuildError.tokenRefused(
                registry, "\(realm) answered with status \(response.status)\(RegistryComplaint(body).sentence)",
                wasAnonymous: found == nil, status: response.status)
        }
        guard let json = try? JSONValue(parsing: body),
            let token = json["token"]?.string ?? json["access_token"]?.string, !token.isEmpty,
            token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw BuildError.tokenRefused(registry, "the answer of \(realm) holds no token")
        }
        // The specification's default, and its least value.
        let life = Duration.seconds(max(60, min(json["expires_in"]?.integer ?? 60, 86_400)))
        var entry = Entry(authorization: Redacted("Bearer \(token)"), expiry: time.now() + life - Self.margin)
        if target.wantsIdentityToken, let identity = json["refresh_token"]?.string, !identity.isEmpty {
            entry.identityToken = Redacted(identity)
        }
        return entry
    }

    private func tokenRequest(
        to realm: WebAddress, _ challenge: AuthenticationChallenge, _ target: Target, _ credentials: Credentials?
    ) -> HTTPRequest {
        var parameters: [(name: String, value: String)] = []
        if let service = challenge.parameters["service"] { parameters.append(("service", service)) }
        let scopes = Self.scopes(target, challenge)
        if case .identityToken = credentials {
            // RFC 6749, section 3.3: one member with blanks between the scopes.
            if !scopes.isEmpty { parameters.append(("scope", scopes.joined(separator: " "))) }
        } else {
            parameters += scopes.map { ("scope", $0) }
        }
        // The registry's own authorities are meant for its token server only where that is the same server.
        let security = realm.hasSameOrigin(as: target.address) ? target.security : TransportSecurity()
        var request = HTTPRequest("GET", realm, security: security, timeout: .seconds(60))
        if case .identityToken(let token) = credentials {
            parameters.append(("grant_type", "refresh_token"))
            parameters.append(("refresh_token", token.revealed))
            parameters.append(("client_id", Self.clientName))
            request.method = "POST"
            request.headers = [HTTPHeaders.Field("Content-Type", "application/x-www-form-urlencoded")]
            request.body = Array(Self.form(parameters).utf8)
        } else {
            request.authorization = credentials?.basic
            if let user = credentials?.user { parameters.append(("account", user)) }
            if target.wantsIdentityToken {
                parameters += [("client_id", Self.clientName), ("offline_token", "true")]
            }
            let separator = realm.target.contains("?") ? "&" : "?"
            request.address.target += separator + Self.form(parameters)
        }
        return request
    }

    /// What is asked for: what the target needs, and what the challenge names besides, about something else.
    private static func scopes(_ target: Target, _ challenge: AuthenticationChallenge) -> [String] {
        let own = target.scopes
        let names = own.map { $0.prefix(through: $0.lastIndex(of: ":") ?? $0.startIndex) }
        let others = (challenge.parameters["scope"] ?? "").split(separator: " ").filter { scope in
            !names.contains { scope.hasPrefix($0) }
        }
        // Nobody asks for more, and the text is a stranger's.
        return own + others.prefix(4).map(String.init)
    }

    private static func form(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\($0.name)=\(WebAddress.encode($0.value))" }.joined(separator: "&")
    }
}
