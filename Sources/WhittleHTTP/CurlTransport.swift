internal import CWhittleCurl
internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// HTTP through libcurl, which is loaded with the first exchange.
///
/// An exchange holds a thread of a pool of its own, so a sink may block: then libcurl stops reading, and TCP slows the
/// peer down. Connections are kept and used again.
package final class CurlTransport: HTTPTransport {
    /// What this program calls itself to servers.
    private let userAgent: String
    private let pool = BlockingPool(limit: 24)
    private let idle = Mutex<[IdleHandle]>([])

    private struct IdleHandle {
        let handle: CurlHandle
        let authority: String
    }

    /// More idle handles than this are closed, the longest idle first.
    private static let idleLimit = 8

    package init(userAgent: String) { self.userAgent = userAgent }

    package func perform(
        _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) async throws -> HTTPResponse {
        try Task.checkCancellation()
        let authority = "\(request.unixSocket ?? "") \(request.address.scheme)://\(request.address.authority)"
        let handle = try take(authority)
        let transfer = CurlTransfer(request: request, userAgent: userAgent, receive: receive)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                pool.submit {
                    let result = Result { try handle.perform(transfer) }
                    self.give(back: handle, authority)
                    continuation.resume(with: result)
                }
            }
        } onCancel: {
            transfer.cancellation.cancel()
            handle.wake()
        }
    }

    /// An idle handle that last talked to `authority`, or else a new one.
    private func take(_ authority: String) throws -> CurlHandle {
        let found = idle.withLock { idle in
            idle.lastIndex { $0.authority == authority }.map { idle.remove(at: $0).handle }
        }
        return try found ?? CurlHandle()
    }

    private func give(back handle: CurlHandle, _ authority: String) {
        // Closing connections takes time: not while the lock is held.
        let surplus = idle.withLock { idle in
            idle.append(IdleHandle(handle: handle, authority: authority))
            return idle.count > Self.idleLimit ? idle.removeFirst() : nil
        }
        withExtendedLifetime(surplus) {}
    }
}

/// A libcurl handle with its connections.
// SAFETY: libcurl allows one thread at a time; a handle belongs to one exchange, and between exchanges to nobody. Only
// `wake` may be called from elsewhere, which libcurl allows, and whoever calls it holds a reference.
private final class CurlHandle: @unchecked Sendable {
    private let handle: OpaquePointer

    init() throws {
        if let reason = whittle_curl_load() { throw BuildError.curlMissing(String(cString: reason)) }
        guard let handle = whittle_curl_create() else { throw BuildError.curlMissing("out of memory") }
        self.handle = handle
    }

    deinit { whittle_curl_destroy(handle) }

    func wake() { whittle_curl_wake(handle) }

    func perform(_ transfer: CurlTransfer) throws -> HTTPResponse {
        var result = whittle_curl_result()
        transfer.withRequest { whittle_curl_perform(handle, &$0, &result) }
        switch result.outcome {
        case WHITTLE_CURL_DONE, WHITTLE_CURL_STOPPED: return try transfer.finish()
        case let outcome:
            let message = withUnsafeBytes(of: result.message) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw HTTPFailure(HTTPFailure.Kind(outcome), message)
        }
    }
}

extension HTTPFailure.Kind {
    fileprivate init(_ outcome: whittle_curl_outcome) {
        switch outcome {
        case WHITTLE_CURL_HOST_UNKNOWN: self = .hostUnknown
        case WHITTLE_CURL_NOT_CONNECTED: self = .notConnected
        case WHITTLE_CURL_TIMED_OUT: self = .timedOut
        case WHITTLE_CURL_TLS_FAILED: self = .tlsFailed
        case WHITTLE_CURL_UNTRUSTED: self = .untrusted
        case WHITTLE_CURL_CUT: self = .cut
        case WHITTLE_CURL_PROXY_FAILED: self = .proxyFailed
        default: self = .other
        }
    }
}

/// One exchange: what is sent, and the state of what comes back.
// SAFETY: everything but `cancellation` is touched only on the thread that runs `CurlHandle.perform`, by libcurl's
// callbacks and after them.
private final class CurlTransfer: @unchecked Sendable {
    let cancellation = Cancellation()
    private let request: HTTPRequest
    private let userAgent: String
    private let receive: @Sendable (HTTPResponse) throws -> ByteSink

    private var status = 0
    private var headers = HTTPHeaders()
    private var headSize = 0
    private var sink: ByteSink?
    private var failure: (any Error)?
    private var bodyOffset = 0

    /// A longer head is refused.
    private static let headLimit = 256 << 10

    init(
        request: HTTPRequest, userAgent: String, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
    ) {
        self.request = request
        self.userAgent = userAgent
        self.receive = receive
    }

    /// The head of the whole response, or the error that ended the exchange.
    func finish() throws -> HTTPResponse {
        if let failure, !(failure is EnoughRead) { throw failure }
        if failure == nil { try cancellation.check() }
        // A response without a body has not been shown yet.
        if sink == nil { sink = try receive(HTTPResponse(status: status, headers: headers)) }
        return HTTPResponse(status: status, headers: headers)
    }

    private func take(header bytes: UnsafeBufferPointer<CChar>) {
        let line = String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        headSize += bytes.count
        guard headSize <= Self.headLimit else {
            failure = HTTPFailure(.other, "the head of the response is longer than \(Self.headLimit) bytes")
            return
        }
        if line.hasPrefix("HTTP/") {
            // An interim response (100, 103) has a head of its own before the final one.
            headers = HTTPHeaders()
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        } else if let colon = line.firstIndex(of: ":") {
            headers.append(
                HTTPHeaders.Field(
                    String(line[..<colon]), trimmingBlanks(line[line.index(after: colon)...])))
        }
    }

    private func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard failure == nil else { return false }
        do {
            try cancellation.check()
            // Not with `??`, which takes the closure apart and wraps it anew: stored again with each piece, it would
            // grow until its call overflows the stack.
            if sink == nil { sink = try receive(HTTPResponse(status: status, headers: headers)) }
            try sink?(bytes)
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        if let stream = request.bodyStream {
            do {
                try cancellation.check()
                return try stream(buffer)
            } catch {
                failure = error
                return -1
            }
        }
        guard let body = request.body else { return 0 }
        let count = min(buffer.count, body.count - bodyOffset)
        buffer.copyBytes(from: body[bodyOffset..<bodyOffset + count])
        bodyOffset += count
        return count
    }

    private var shouldStop: Bool { failure != nil || cancellation.isCancelled }

    // SAFETY: the context is the transfer of `setCallbacks`; it lives until `perform` returns, and no callback comes later.
    private static func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Calls `body` with the request as the C side reads it; its pointers are valid only there.
    func withRequest(_ body: (inout whittle_curl_request) -> Void) {
        var lines = request.headers.map { "\($0.name): \($0.value)" }
        if let authorization = request.authorization { lines.append("Authorization: \(authorization.revealed)") }
        if request.bodyStream != nil, request.bodySize == nil { lines.append("Transfer-Encoding: chunked") }
        // Waiting for "100 Continue" costs a second where a server does not send it.
        lines.append("Expect:")
        var texts = lines.map { text -> UnsafePointer<CChar>? in UnsafePointer<CChar>(strdup(text)) }
        let owned = [
            request.method, request.address.url, userAgent, request.security.clientCertificate,
            request.security.clientKey, request.unixSocket,
        ].map { text -> UnsafePointer<CChar>? in text.map { UnsafePointer<CChar>(strdup($0)) } }
        defer { for text in texts + owned { free(UnsafeMutableRawPointer(mutating: text)) } }
        texts.withUnsafeMutableBufferPointer { headers in
            request.security.authorities.withUnsafeBytes { authorities in
                var raw = whittle_curl_request()
                raw.method = owned[0]
                raw.url = owned[1]
                raw.user_agent = owned[2]
                raw.client_certificate_file = owned[3]
                raw.client_key_file = owned[4]
                raw.unix_socket = owned[5]
                raw.headers = UnsafePointer(headers.baseAddress)
                raw.header_count = headers.count
                if !authorities.isEmpty {
                    raw.authorities = authorities.assumingMemoryBound(to: CChar.self).baseAddress
                    raw.authorities_length = authorities.count
                }
                setOptions(&raw)
                setCallbacks(&raw)
                withExtendedLifetime(self) { body(&raw) }
            }
        }
    }

    private func setOptions(_ raw: inout whittle_curl_request) {
        raw.skips_verification = request.security.skipsVerification
        raw.bypasses_proxy = request.address.isLoopback
        raw.allows_http2 = request.address.scheme == .https
        raw.connect_timeout_milliseconds = 15_000
        raw.total_timeout_milliseconds = request.timeout.map { CLong($0 / .milliseconds(1)) } ?? 0
        raw.low_speed_bytes = request.silenceLimit == nil ? 0 : 1
        raw.low_speed_seconds = request.silenceLimit.map { max(1, CLong($0 / .seconds(1))) } ?? 0
    }

    private func setCallbacks(_ raw: inout whittle_curl_request) {
        // SAFETY: `withExtendedLifetime` keeps the transfer for as long as curl has its address.
        raw.context = Unmanaged.passUnretained(self).toOpaque()
        raw.on_header = { context, bytes, count in
            CurlTransfer.transfer(context)?.take(header: UnsafeBufferPointer(start: bytes, count: count))
        }
        raw.on_body = { context, bytes, count in
            CurlTransfer.transfer(context)?.take(body: UnsafeRawBufferPointer(start: bytes, count: count)) ?? false
        }
        raw.should_stop = { CurlTransfer.transfer($0)?.shouldStop ?? true }
        guard request.body != nil || request.bodyStream != nil else { return }
        raw.body_size = request.bodyStream == nil ? Int64(request.body?.count ?? 0) : request.bodySize ?? -1
        raw.read_body = { context, buffer, capacity in
            CurlTransfer.transfer(context)?.fill(UnsafeMutableRawBufferPointer(start: buffer, count: capacity)) ?? -1
        }
        guard request.bodyStream == nil else { return }
        raw.rewind_body = { context in
            CurlTransfer.transfer(context)?.bodyOffset = 0
            return true
        }
    }
}

/// `text` without blanks and line ends around it.
private func trimmingBlanks(_ text: Substring) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    let head = text.drop(while: isBlank)
    return String(head[..<(head.lastIndex { !isBlank($0) }.map { head.index(after: $0) } ?? head.startIndex)])
}
