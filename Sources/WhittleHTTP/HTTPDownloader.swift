internal import WhittleCore

/// Asks for what a URL names, again where that makes sense.
package struct HTTPDownloader: Sendable {
    private let client: HTTPClient
    private let time: HTTPTime
    private let policy: RetryPolicy

    /// - Parameter transport: `nil` for libcurl.
    package init(
        transport: (any HTTPTransport)? = nil, time: HTTPTime = .system, policy: RetryPolicy = .download
    ) {
        client = HTTPClient(transport: transport ?? CurlTransport(userAgent: "whittle"))
        self.time = time
        self.policy = policy
    }

    /// Sends `request`, following redirects as ``HTTPClient`` does.
    ///
    /// - Parameter receive: called for each attempt that is answered with success; takes the body from its beginning, so
    ///   what an earlier attempt brought is to be dropped.
    /// - Returns: the last answer, whatever its status.
    /// - Throws: ``HTTPFailure`` of the last attempt; `CancellationError`; what `receive` or its sink threw.
    package func send(
        _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> HTTPResponse {
        var retries = RetryState(policy)
        while true {
            let wait: Duration
            do {
                let ignored = BodyBuffer(limit: BodyBuffer.errorLimit)
                let response = try await client.send(request) { response in
                    response.isSuccess ? try receive(response) : ignored.sink(for: response)
                }
                let after = response.headers["Retry-After"].flatMap { RetryAfter.duration($0, now: time.date()) }
                let event = RetryState.Event.answered(status: response.status, retryAfter: after)
                guard case .retry(let next) = retries.handle(event, jitter: time.jitter()) else { return response }
                wait = next
            } catch let failure as HTTPFailure {
                try Task.checkCancellation()
                guard case .retry(let next) = retries.handle(.failed(failure.kind), jitter: time.jitter()) else {
                    throw failure
                }
                wait = next
            }
            try await time.sleep(wait)
        }
    }
}
