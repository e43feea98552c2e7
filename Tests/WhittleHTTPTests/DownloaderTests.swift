import Synchronization
import Testing
import WhittleCore

@testable import WhittleHTTP

@Suite("HTTPDownloader")
struct DownloaderTests {
    /// Answers one request after the other with what it was given.
    final class Script: HTTPTransport {
        enum Answer: Sendable {
            case status(Int, [HTTPHeaders.Field] = [], body: String = "")
            case failure(HTTPFailure.Kind)
        }

        private let answers: Mutex<[Answer]>
        private let asked = Mutex<[HTTPRequest]>([])
        var requests: [HTTPRequest] { asked.withLock { $0 } }

        init(_ answers: [Answer]) { self.answers = Mutex(answers) }

        func perform(
            _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
        ) async throws -> HTTPResponse {
            asked.withLock { $0.append(request) }
            switch answers.withLock({ $0.isEmpty ? .failure(.other) : $0.removeFirst() }) {
            case .failure(let kind): throw HTTPFailure(kind, "x")
            case .status(let status, let headers, let body):
                let response = HTTPResponse(status: status, headers: HTTPHeaders(headers))
                let sink = try receive(response)
                if !body.isEmpty { try Array(body.utf8).withUnsafeBytes { try sink($0) } }
                return response
            }
        }
    }

    private static let time = HTTPTime(
        now: { .now }, date: { Timestamp(seconds: 0) }, sleep: { _ in }, jitter: { 0 })

    private func ask(_ answers: [Script.Answer]) async throws -> (status: Int, body: String, requests: [HTTPRequest]) {
        let script = Script(answers)
        let body = Body()
        let address = try #require(WebAddress(parsing: "https://a/x"))
        let response = try await HTTPDownloader(transport: script, time: Self.time).send(
            HTTPRequest("GET", address, authorization: Redacted("Bearer t"))
        ) { _ in
            body.text.withLock { $0 = "" }
            return { bytes in body.text.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
        }
        return (response.status, body.text.withLock { $0 }, script.requests)
    }

    private final class Body: Sendable {
        let text = Mutex("")
    }

    @Test("tries again after what may pass, and each attempt begins anew")
    func retries() async throws {
        let answer = try await ask([.status(503), .failure(.cut), .status(200, body: "all")])
        #expect(answer.status == 200 && answer.body == "all" && answer.requests.count == 3)
    }

    @Test("gives up after three attempts, with the last answer")
    func bounded() async throws {
        let answer = try await ask(Array(repeating: .status(503), count: 9))
        #expect(answer.status == 503 && answer.requests.count == 3)
        await #expect(throws: HTTPFailure.self) { try await ask(Array(repeating: .failure(.cut), count: 9)) }
    }

    @Test("an answer that will not change is final", arguments: [304, 401, 404, 501])
    func final(_ status: Int) async throws {
        let answer = try await ask([.status(status, body: "no"), .status(200)])
        #expect(answer.status == status && answer.requests.count == 1 && answer.body.isEmpty)
    }

    @Test("a redirect to another origin leaves the authorization behind")
    func redirect() async throws {
        let here = [HTTPHeaders.Field("Location", "/y")]
        let there = [HTTPHeaders.Field("Location", "https://b/z")]
        let answer = try await ask([.status(302, here), .status(302, there), .status(200)])
        #expect(answer.requests.map { $0.authorization != nil } == [true, true, false])
    }

    @Test(
        "a redirect that leaves encryption or HTTP is refused",
        arguments: ["http://a/x", "file:///etc/passwd", "ftp://a/"])
    func downgrade(_ location: String) async throws {
        await #expect(throws: HTTPFailure.self) {
            try await ask([.status(302, [HTTPHeaders.Field("Location", location)]), .status(200)])
        }
    }

    @Test(
        "user and password of a URL become a header and leave the address",
        arguments: [
            ("https://u:p@a/x?y", "https://a/x?…", "u:p"), ("https://u@a:1/", "https://a:1/", "u:"),
            ("http://u%40b:p%3A%2f@a", "http://a/", "u@b:p:/"), ("https://u:p:q@a/@", "https://a/@", "u:p:q"),
        ])
    func user(_ text: String, _ shown: String, _ pair: String) throws {
        let parsed = try #require(WebAddress.parsing(withUser: text))
        #expect(parsed.address.description == shown)
        #expect(parsed.authorization?.revealed == "Basic " + Base64.encode(Array(pair.utf8)))
    }

    @Test(
        "an address without a user has no header, and what is no address is refused",
        arguments: ["https://%zz@a/", "ftp://u@a/", "u@a", "https://u@/"])
    func noUser(_ text: String) throws {
        #expect(WebAddress.parsing(withUser: text) == nil)
        #expect(try #require(WebAddress.parsing(withUser: "https://a/@x")).authorization == nil)
    }

    @Test("reads dates of HTTP")
    func date() {
        #expect(HTTPDate.parse("Wed, 21 Oct 2015 07:28:00 GMT") == Timestamp(seconds: 1_445_412_480))
        #expect(HTTPDate.parse("2015-10-21") == nil)
    }
}
