public import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

extension RegistryClient {
    /// What a registry says to credentials.
    public enum LoginAnswer: Sendable {
        /// They are right.
        case accepted
        /// They are right, and this is to be kept in the place of the password.
        case identityToken(Redacted<String>)
        /// Nobody was asked for any.
        case notAsked
    }

    /// Shows a registry the credentials that the settings have for it.
    ///
    /// Of `registries.conf` it counts whether the registry is insecure; mirrors and other locations do not.
    ///
    /// - Throws: `registry-unauthorized` where it refuses them; `registry-unreachable` and the like.
    public func login(to key: CredentialKey) async throws -> LoginAnswer {
        let repository = key.path.isEmpty ? "login" : key.path
        let reference = try ImageReference(parsing: "localhost/login")
            .relocated(registry: key.registry, repository: repository)
        let isInsecure = settings.registries.registry(for: reference)?.isInsecure
        let endpoint = RegistryEndpoint(reference: reference, isInsecure: isInsecure, isMirror: false)
        do {
            return try await login(key, endpoint)
        } catch let failure as HTTPFailure {
            try Task.checkCancellation()
            throw BuildError.registry(key.registry, authority: endpoint.authority, failure)
        }
    }

    private func login(_ key: CredentialKey, _ endpoint: RegistryEndpoint) async throws -> LoginAnswer {
        let place = try await place(of: endpoint)
        var request = HTTPRequest(
            "GET", WebAddress(scheme: place.scheme, authority: endpoint.authority, target: "/v2/"),
            security: place.security, timeout: .seconds(60))
        let (response, body) = try await http.fetch(request, limit: BodyBuffer.errorLimit)
        if response.isSuccess { return .notAsked }
        guard response.status == 401 else {
            throw BuildError.registry(
                key.registry, what: "the address '/v2/'", status: response.status, RegistryComplaint(body))
        }
        // Where the path of a key has a password of its own, a token that allows nothing tells nothing of it.
        let target = Authenticator.Target(
            address: request.address, security: place.security, registry: key.registry,
            repository: endpoint.reference.repository, actions: key.path.isEmpty ? "" : "pull", wantsIdentityToken: true
        )
        let challenges = AuthenticationChallenge.parse(response.headers.all("WWW-Authenticate"))
        let user = settings.credentials.given?.user
        do {
            request.authorization = try await authenticator.answer(challenges, for: target)
        } catch let error as BuildError where error.code == .registryUnauthorized {
            throw BuildError.loginRefused(key.registry, user: user, RegistryComplaint([]), cause: error)
        }
        guard request.authorization != nil else {
            throw BuildError.loginRefused(key.registry, user: user, RegistryComplaint(body))
        }
        let (second, complaint) = try await http.fetch(request, limit: BodyBuffer.errorLimit)
        guard second.isSuccess else {
            if second.status == 401 || second.status == 403 {
                throw BuildError.loginRefused(key.registry, user: user, RegistryComplaint(complaint))
            }
            throw BuildError.registry(
                key.registry, what: "the address '/v2/'", status: second.status, RegistryComplaint(complaint))
        }
        return authenticator.identityToken(for: target).map { .identityToken($0) } ?? .accepted
    }
}
