package import WhittleCore

/// One HTTP request.
package struct HTTPRequest: Sendable {
    package var method: String
    package var address: WebAddress
    /// Without `Authorization`, which has its own member.
    package var headers: [HTTPHeaders.Field]
    /// The value of the header `Authorization`. Dropped when a redirect leads to another origin.
    package var authorization: Redacted<String>?
    package var body: [UInt8]?
    /// The body in place of ``body``, where it is large or its length is not known: fills the buffer and gives the number of
    /// bytes, 0 at the end. Called on a thread that may block. Its error ends the exchange.
    package var bodyStream: ByteSource?
    /// The length of what ``bodyStream`` gives, where it is known.
    package var bodySize: Int64?
    /// The path of a socket file to connect to, in place of the address's host.
    package var unixSocket: String?
    /// How long nothing may move before the exchange counts as dead; `nil` for as long as the peer likes.
    package var silenceLimit: Duration? = .seconds(30)
    package var security: TransportSecurity
    /// The longest that the whole exchange may take; `nil` where only a stalled one is an error.
    package var timeout: Duration?

    package init(
        _ method: String = "GET", _ address: WebAddress, headers: [HTTPHeaders.Field] = [],
        authorization: Redacted<String>? = nil, body: [UInt8]? = nil, security: TransportSecurity = TransportSecurity(),
        timeout: Duration? = nil
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.authorization = authorization
        self.body = body
        self.security = security
        self.timeout = timeout
    }
}

/// Whom to trust and how to identify oneself on a TLS connection.
package struct TransportSecurity: Hashable, Sendable {
    /// PEM text of authorities trusted besides the system's; empty for none.
    package var authorities: [UInt8] = []
    /// Paths of PEM files.
    package var clientCertificate: String?
    package var clientKey: String?
    /// Any certificate is accepted.
    package var skipsVerification = false

    package init() {}
}

/// The head of an HTTP response.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders

    package init(status: Int, headers: HTTPHeaders) {
        self.status = status
        self.headers = headers
    }
}

/// Header fields in the order of the message; names in any case.
package struct HTTPHeaders: Sendable {
    package struct Field: Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private(set) var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }

    /// The value of the first field called `name`.
    package subscript(name: String) -> String? { all(name).first }

    /// The values of all fields called `name`.
    package func all(_ name: String) -> [String] {
        let name = name.lowercased()
        return fields.filter { $0.name.lowercased() == name }.map { $0.value }
    }

    mutating func append(_ field: Field) { fields.append(field) }
}

/// Takes the bytes of a body in order, on a thread that may block; while it runs, nothing more is read from the peer.
/// Its error ends the transfer.
public typealias ByteSink = @Sendable (UnsafeRawBufferPointer) throws -> Void

/// Gives the bytes of a body in order: fills the buffer and gives the number of bytes, 0 at the end. Called on a thread
/// that may block. Its error ends the transfer.
public typealias ByteSource = @Sendable (UnsafeMutableRawBufferPointer) throws -> Int

/// Makes one HTTP exchange.
package protocol HTTPTransport: Sendable {
    /// Sends `request`. Does not follow redirects, and treats every status alike.
    ///
    /// - Parameter receive: called once with the final head; gives what takes the body. It and the sink run on a thread
    ///   that may block. An ``EnoughRead`` from the sink ends the exchange as if the body had ended.
    /// - Returns: the head, after the whole body was taken.
    /// - Throws: ``HTTPFailure``; `CancellationError`; what `receive` or the sink threw.
    func perform(
        _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> HTTPResponse
}

/// Thrown by a sink that needs no more of a body.
package struct EnoughRead: Error {
    package init() {}
}

/// An exchange that did not come to its end.
package struct HTTPFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case hostUnknown, notConnected, timedOut, tlsFailed, untrusted, cut, proxyFailed, other
        /// A server that the exchange depends on says that it cannot answer now.
        case unavailable
    }

    package let kind: Kind
    /// A sentence of the transport, without a stop.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
