internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// Requests to one endpoint: finds out how to talk to it, identifies itself, and tries again where that makes sense.
struct RegistryConnection: Sendable {
    let endpoint: RegistryEndpoint
    private let http: HTTPClient
    private let authenticator: Authenticator
    private let time: HTTPTime
    private let policy: RetryPolicy
    /// `https://HOST` or `http://HOST`.
    private let base: WebAddress
    private let security: TransportSecurity

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
    ///   - progress: how much of what is wanted has come; growth makes further attempts free.
    ///   - isComplete: asked after each answer that ended well; `false` counts as a cut connection.
    ///   - receive: sees the head of each attempt that is neither asked for credentials nor repeated.
    /// - Returns: the last answer, whatever its status, and the start of its body where it is no success.
    /// - Throws: `registry-unreachable` and the like; `CancellationError`; what the sink threw.
    func send(
        _ make: @Sendable () -> HTTPRequest, progress: @Sendable () -> Int64 = { 0 },
        isComplete: @Sendable (HTTPResponse) -> Bool = { _ in true },
        receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> (response: HTTPResponse, complaint: RegistryComplaint) {
        var retries = RetryState(policy)
        var hasAnswered = false
        var seen: Int64 = 0
        let target = target(actions: "pull")
        while true {
            let errorBody = BodyBuffer(limit: BodyBuffer.errorLimit)
            var request = make()
            request.authorization = authenticator.remembered(for: target)
            let event: RetryState.Event
            do {
                let response = try await http.send(request) { response in
                    response.isSuccess ? try receive(response) : errorBody.sink(for: response)
                }
                if response.status == 401, !hasAnswered {
                    let challenges = AuthenticationChallenge.parse(response.headers.all("WWW-Authenticate"))
                    let answer = try await authenticator.answer(challenges, for: target)
                    hasAnswered = true
                    if answer != nil { continue }
                }
                if response.isSuccess, !isComplete(response) {
                    event = .failed(.cut)
                } else {
                    let after = response.headers["Retry-After"].flatMap { RetryAfter.duration($0, now: time.date()) }
                    event = .answered(status: response.status, retryAfter: after)
                }
                if progress() > seen { retries.noteProgress() }
                guard case .retry(let wait) = retries.handle(event, jitter: time.jitter()) else {
                    return (response, RegistryComplaint(errorBody.bytes))
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
            if progress() > seen {
                seen = progress()
                // A download that outlived its token is asked again.
                hasAnswered = false
            }
        }
    }

    private func target(actions: String) -> Authenticator.Target {
        Authenticator.Target(
            address: base, security: security, registry: endpoint.reference.registry,
            repository: endpoint.reference.repository, actions: actions)
    }
}
