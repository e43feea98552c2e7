internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// Requests to one endpoint: finds out how to talk to it, identifies itself, and tries again where that makes sense.
struct RegistryConnection: Sendable {
    let endpoint: RegistryEndpoint
    private let http: HTTPClient
    private let authenticator: Authenticator
    let time: HTTPTime
    let policy: RetryPolicy
    /// `https://HOST` or `http://HOST`.
    private let base: WebAddress
    let security: TransportSecurity

    init(
        endpoint: RegistryEndpoint, base: WebAddress, security: TransportSecurity, http: HTTPClient,
        authenticator: Authenticator, time: HTTPTime, policy: RetryPolicy
    ) {
        self.endpoint = endpoint
        self.base = base
        self.security = security
        self.http = http
        self.authenticator = authenticator
        self.time = time
        self.policy = policy
    }

    /// A request below the repository: `manifests/latest`, `blobs/sha256:…`.
    func request(_ method: String = "GET", _ path: String, headers: [HTTPHeaders.Field] = []) -> HTTPRequest {
        var address = base
        address.target = "/v2/\(endpoint.reference.repository)/\(path)"
        return HTTPRequest(method, address, headers: headers, security: security)
    }

    /// Makes an exchange, again and again while that makes sense.
    ///
    /// - Parameters:
    ///   - make: called for each attempt; later ones may ask for less.
    ///   - actions: what is to be done in the repository: `pull` or `pull,push`.
    ///   - progress: how much of what is wanted has come; growth makes further attempts free.
    ///   - isComplete: asked after each answer that ended well; `false` counts as a cut connection.
    ///   - receive: sees the head of each attempt that is neither asked for credentials nor repeated.
    /// - Returns: the last answer, whatever its status, and the start of its body where it is no success.
    /// - Throws: `registry-unreachable` and the like; `CancellationError`; what the sink threw.
    func send(
        _ make: @Sendable () -> HTTPRequest, actions: String = "pull", progress: @Sendable () -> Int64 = { 0 },
        isComplete: @Sendable (HTTPResponse) -> Bool = { _ in true },
        receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> (response: HTTPResponse, complaint: RegistryComplaint) {
        var retries = RetryState(policy)
        var seen: Int64 = 0
        while true {
            let event: RetryState.Event
            do {
                let (response, complaint) = try await attempt(make, actions: actions, receive: receive)
                if response.isSuccess, !isComplete(response) {
                    event = .failed(.cut)
                } else {
                    event = .answered(status: response.status, retryAfter: retryAfter(of: response))
                }
                if progress() > seen { retries.noteProgress() }
                guard case .retry(let wait) = retries.handle(event, jitter: time.jitter()) else {
                    return (response, complaint)
                }
                try await time.sleep(wait)
            } catch let failure as HTTPFailure {
                try Task.checkCancellation()
                if progress() > seen { retries.noteProgress() }
                guard case .retry(let wait) = retries.handle(.failed(failure.kind), jitter: time.jitter()) else {
                    throw BuildError.registry("\(endpoint)", authority: endpoint.authority, failure)
                }
                try await time.sleep(wait)
            }
            seen = max(seen, progress())
        }
    }

    /// Makes one exchange, and a second one where the first was answered with a question for credentials.
    ///
    /// An upload that is redirected is followed; what identifies the sender stays with the registry.
    ///
    /// - Parameters:
    ///   - make: called for each exchange, so a body can begin anew.
    ///   - otherRepository: of this registry, to be read from in the same request.
    ///   - receive: sees the head of a successful answer.
    /// - Returns: the answer, whatever its status, and the start of its body where it is no success.
    /// - Throws: ``HTTPFailure``; what asking for a token throws; `CancellationError`; what `make` or the sink threw.
    func attempt(
        _ make: () async throws -> HTTPRequest, actions: String, otherRepository: String? = nil,
        receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> (response: HTTPResponse, complaint: RegistryComplaint) {
        let target = target(actions: actions, otherRepository)
        var hasIdentified = false
        var redirect: WebAddress?
        var redirects = 0
        while true {
            let errorBody = BodyBuffer(limit: BodyBuffer.errorLimit)
            var request = try await make()
            if let redirect { request.address = redirect }
            let isOwn = request.address.hasSameOrigin(as: base)
            request.authorization = isOwn ? authenticator.remembered(for: target) : nil
            if !isOwn { request.security = TransportSecurity() }
            let response = try await http.send(request) { response in
                response.isSuccess ? try receive(response) : errorBody.sink(for: response)
            }
            if response.status == 401, isOwn, !hasIdentified {
                let challenges = AuthenticationChallenge.parse(response.headers.all("WWW-Authenticate"))
                hasIdentified = true
                if try await authenticator.answer(challenges, for: target) != nil { continue }
            }
            if [307, 308].contains(response.status), redirects < Self.redirectLimit,
                let next = response.headers["Location"].flatMap({ place($0, from: request.address) })
            {
                redirect = next
                redirects += 1
                continue
            }
            return (response, RegistryComplaint(errorBody.bytes))
        }
    }

    /// Of requests that HTTP's client does not follow itself.
    private static let redirectLimit = 4

    /// Where an answer from `address` sends the next request; `nil` where that is nothing to send to.
    func place(_ location: String, from address: WebAddress) -> WebAddress? {
        guard var next = address.resolving(location) else { return nil }
        guard address.scheme == .https, next.scheme == .http else { return next }
        // A registry behind a proxy that ends the encryption often does not know how it was reached. Never in the clear.
        guard next.host == address.host, next.port == nil || next.port == address.port else { return nil }
        next.scheme = .https
        next.port = address.port
        return next
    }

    /// What an answer asks to wait.
    func retryAfter(of response: HTTPResponse) -> Duration? {
        response.headers["Retry-After"].flatMap { RetryAfter.duration($0, now: time.date()) }
    }

    private func target(actions: String, _ otherRepository: String?) -> Authenticator.Target {
        Authenticator.Target(
            address: base, security: security, registry: endpoint.reference.registry,
            repository: endpoint.reference.repository, actions: actions, otherRepository: otherRepository)
    }
}
