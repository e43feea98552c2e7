internal import WhittleCore

/// HTTP exchanges with redirects, and whole small bodies.
package struct HTTPClient: Sendable {
    package let transport: any HTTPTransport

    package init(transport: any HTTPTransport) { self.transport = transport }

    private static let redirectLimit = 8

    /// Sends `request`, following redirects of `GET` and `HEAD`.
    ///
    /// What identifies the sender stays with its origin: a redirect to another scheme, host or port is followed without
    /// `Authorization`, client certificate, extra authorities, or leave to skip verification. One from `https` to
    /// `http` is refused.
    ///
    /// - Parameter receive: sees the head of the last response only.
    /// - Throws: ``HTTPFailure``; `CancellationError`; what `receive` or its sink threw.
    package func send(
        _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> HTTPResponse {
        var request = request
        for _ in 0...Self.redirectLimit {
            let follows = request.method == "GET" || request.method == "HEAD"
            let ignored = BodyBuffer(limit: 0)
            let response = try await transport.perform(request) { response in
                if follows, response.isRedirect { return ignored.sink(for: response) }
                return try receive(response)
            }
            guard follows, response.isRedirect, let location = response.headers["Location"] else { return response }
            guard let next = request.address.resolving(location) else {
                throw HTTPFailure(.other, "\(request.address) redirects to something that is no web address")
            }
            guard request.address.scheme == .http || next.scheme == .https else {
                throw HTTPFailure(.other, "\(request.address) redirects to unencrypted HTTP")
            }
            if !next.hasSameOrigin(as: request.address) {
                request.authorization = nil
                request.security = TransportSecurity()
            }
            request.address = next
        }
        throw HTTPFailure(.other, "more than \(Self.redirectLimit) redirects")
    }

    /// Sends `request` and collects the body.
    ///
    /// - Parameter limit: a successful response that is longer fails; of any other one, this much is kept.
    package func fetch(_ request: HTTPRequest, limit: Int) async throws -> (response: HTTPResponse, body: [UInt8]) {
        let body = BodyBuffer(limit: limit)
        let response = try await send(request) { response in body.sink(for: response) }
        return (response, body.bytes)
    }
}

extension HTTPResponse {
    /// Whether it is a redirect that says where to.
    package var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) && headers["Location"] != nil }

    /// Whether the status is one of the 2xx.
    package var isSuccess: Bool { (200..<300).contains(status) }
}
