import Synchronization
import Testing
import WhittleCore
import WhittleGraph
import WhittleHTTP
import WhittleRegistry
import WhittleStore
import WhittleTestKit

@testable import WhittleEngine

@Suite("Downloads", .timeLimit(.minutes(1)))
struct DownloadsTests {
    /// A server in a function: answers each request with what `answer` gives, in two pieces.
    final class Server: HTTPTransport {
        typealias Answer = (status: Int, headers: [HTTPHeaders.Field], body: String)
        private let answer: @Sendable (HTTPRequest) throws -> Answer
        private let asked = Mutex<[HTTPRequest]>([])
        var requests: [HTTPRequest] { asked.withLock { $0 } }

        init(_ answer: @escaping @Sendable (HTTPRequest) throws -> Answer) { self.answer = answer }

        func perform(
            _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
        ) async throws -> HTTPResponse {
            asked.withLock { $0.append(request) }
            let (status, headers, body) = try answer(request)
            let response = HTTPResponse(status: status, headers: HTTPHeaders(headers))
            let sink = try receive(response)
            let bytes = Array(body.utf8)
            do {
                for piece in [bytes.prefix(bytes.count / 2), bytes.dropFirst(bytes.count / 2)] where !piece.isEmpty {
                    try Array(piece).withUnsafeBytes { try sink($0) }
                }
            } catch is EnoughRead {}
            return response
        }
    }

    /// A store, and what it takes to download into it.
    final class Fixture {
        let directory: TemporaryDirectory
        let store: BuildStore

        init() throws {
            directory = try TemporaryDirectory("downloads")
            store = try BuildStore(openingAt: directory("store"))
        }

        deinit {
            // The directory goes with everything in it.
            try? store.close()
        }

        func file(
            _ url: String, from server: Server, checksum: Digest? = nil, limit: ByteCount? = nil,
            secrets: [String: String] = [:]
        ) async throws -> Downloads.File {
            let time = HTTPTime(now: { .now }, date: { Timestamp(seconds: 0) }, sleep: { _ in }, jitter: { 0 })
            let downloads = Downloads(
                store: store, settings: { RegistrySettings() },
                secrets: secrets.mapValues { Redacted(Array($0.utf8)) }, limit: limit,
                downloader: HTTPDownloader(transport: server, time: time), report: { _ in })
            let source = HTTPSource(url: Redacted(url), fileName: "f", checksum: checksum)
            return try await downloads.file(source, for: Step(internal: "download"))
        }

        func has(_ text: String) throws -> Bool { try store.blobs.size(of: Digest(hashing: text)) != nil }
    }

    @Test("what was downloaded is stored, with the time that the server says")
    func stores() async throws {
        let fixture = try Fixture()
        let server = Server { _ in (200, [HTTPHeaders.Field("Last-Modified", "Thu, 01 Jan 1970 00:01:00 GMT")], "bytes")
        }
        let file = try await fixture.file("http://h/f", from: server)
        #expect(file == Downloads.File(digest: Digest(hashing: "bytes"), modified: Timestamp(seconds: 60)))
        #expect(try fixture.has("bytes"))
    }

    @Test("an empty answer is an empty file")
    func empty() async throws {
        let file = try await Fixture().file("http://h/f", from: Server { _ in (200, [], "") })
        #expect(file.digest == Digest(hashing: ""))
    }

    @Test("the server is asked whether a known file changed, and believed; without the file it is asked for all of it")
    func conditions() async throws {
        let fixture = try Fixture()
        let server = Server { request in
            let isKnown = request.headers.contains { $0.name == "If-None-Match" && $0.value == "\"1\"" }
            return (isKnown ? 304 : 200, [HTTPHeaders.Field("ETag", "\"1\"")], isKnown ? "" : "bytes")
        }
        let first = try await fixture.file("http://h/f?a", from: server)
        let second = try await fixture.file("http://u:p@h/f?a", from: server)
        #expect(first == second && server.requests.count == 2)
        #expect(server.requests[1].authorization?.revealed == "Basic dTpw")
        // Another query is another file.
        _ = try await fixture.file("http://h/f?b", from: server)
        #expect(server.requests[2].headers.isEmpty)
        try fixture.directory.remove("store/blobs/sha256/\(first.digest.hex)")
        _ = try await fixture.file("http://h/f?a", from: server)
        #expect(server.requests[3].headers.isEmpty)
        #expect(try fixture.has("bytes"))
    }

    @Test("a wrong checksum keeps nothing, a right one needs no second request")
    func checksum() async throws {
        let fixture = try Fixture()
        let server = Server { _ in (200, [], "bytes") }
        let wrong = Digest(hashing: "other")
        let error = await #expect(throws: BuildError.self) {
            try await fixture.file("http://h/f?key=secret", from: server, checksum: wrong)
        }
        #expect(error?.code.rawValue == "checksum-mismatch")
        #expect(
            error?.message
                == "downloading 'http://h/f?…': --checksum says \(wrong), and what came has \(Digest(hashing: "bytes"))"
        )
        #expect(try !fixture.has("bytes"))
        for _ in 0..<2 { _ = try await fixture.file("http://h/f", from: server, checksum: Digest(hashing: "bytes")) }
        #expect(server.requests.count == 2)
    }

    @Test("more than the limit ends the transfer, whether or not it was announced", arguments: [true, false])
    func limit(_ isAnnounced: Bool) async throws {
        let fixture = try Fixture()
        let headers = isAnnounced ? [HTTPHeaders.Field("Content-Length", "5")] : []
        let server = Server { _ in (200, headers, "bytes") }
        let error = await #expect(throws: BuildError.self) {
            try await fixture.file("http://h/f", from: server, limit: ByteCount(4))
        }
        #expect(error?.code.rawValue == "download-too-large" && error?.hint?.contains("--max-layer-size") == true)
        #expect(try !fixture.has("bytes"))
        _ = try await fixture.file("http://h/f", from: server, limit: ByteCount(5))
    }

    @Test("an attempt that was cut leaves nothing of itself in the next one")
    func cut() async throws {
        let fixture = try Fixture()
        let attempts = Attempts()
        let server = Server { _ in
            (200, [], try attempts.count() == 0 ? { throw HTTPFailure(.cut, "cut") }() : "bytes")
        }
        _ = try await fixture.file("http://h/f", from: server)
        #expect(server.requests.count == 2)
        #expect(try fixture.has("bytes"))
    }

    final class Attempts: Sendable {
        private let number = Mutex(0)
        func count() -> Int {
            number.withLock { number in
                defer { number += 1 }
                return number
            }
        }
    }

    @Test(
        "a status tells what to do",
        arguments: [
            (404, "download-not-found"), (410, "download-not-found"), (401, "download-unauthorized"),
            (403, "download-unauthorized"), (500, "download-failed"), (304, "download-failed"),
            (418, "download-failed"),
        ])
    func statuses(_ status: Int, _ code: String) async throws {
        let fixture = try Fixture()
        let error = await #expect(throws: BuildError.self) {
            try await fixture.file("http://u:pass@h/f?key=secret", from: Server { _ in (status, [], "") })
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.message == "downloading 'http://h/f?…': the server answered with status \(status)")
    }

    @Test(
        "a failure of the transport tells what to do, and shows no secret",
        arguments: [
            (HTTPFailure.Kind.untrusted, "download-untrusted"), (.hostUnknown, "download-failed"),
            (.cut, "download-failed"),
            (.other, "download-failed"),
        ])
    func failures(_ kind: HTTPFailure.Kind, _ code: String) async throws {
        let fixture = try Fixture()
        let error = await #expect(throws: BuildError.self) {
            try await fixture.file(
                "http://u:pass@h/f?key=secret", from: Server { _ in throw HTTPFailure(kind, "reason") })
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.message == "downloading 'http://h/f?…': reason")
    }

    @Test(
        "secrets are for their host, a token before a header, and in any case of the name",
        arguments: [
            (["HTTP_AUTH_TOKEN_h": "t\n"], "Bearer t"), (["HTTP_AUTH_HEADER_h": "Basic x"], "Basic x"),
            (["HTTP_AUTH_HEADER_h": "a", "HTTP_AUTH_TOKEN_H": "t"], "Bearer t"), (["HTTP_AUTH_TOKEN_other": "t"], nil),
            (["HTTP_AUTH_TOKEN_h:81": "t"], nil),
        ] as [([String: String], String?)])
    func credentials(_ secrets: [String: String], _ header: String?) async throws {
        let server = Server { _ in (200, [], "x") }
        _ = try await Fixture().file("http://h:81/f", from: server, secrets: secrets)
        #expect(server.requests[0].authorization?.revealed == header)
    }

    @Test("a secret that would end the header is refused, and not shown", arguments: ["a\r\nX: y", "", "\u{7F}", "ü"])
    func unusable(_ secret: String) async throws {
        let server = Server { _ in (200, [], "x") }
        let error = await #expect(throws: BuildError.self) {
            try await Fixture().file("http://h/f", from: server, secrets: ["HTTP_AUTH_TOKEN_h": secret])
        }
        #expect(error?.code.rawValue == "download-unauthorized" && server.requests.isEmpty)
        #expect(error?.message == "the secret 'HTTP_AUTH_TOKEN_h' cannot be sent in the header Authorization")
    }

    @Test(
        "archives are told from Dockerfiles by their first bytes",
        arguments: [
            ([0x1F, 0x8B, 8], true), (Array("BZh9".utf8), true), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], true),
            ([0x28, 0xB5, 0x2F, 0xFD], true), (Array("FROM scratch\n".utf8), false), ([], false), ([0x1F], false),
            ([UInt8](repeating: 0, count: 512), true), ([UInt8](repeating: 0x20, count: 512), false),
        ] as [([UInt8], Bool)])
    func format(_ head: [UInt8], _ isArchive: Bool) { #expect(ContextFormat.isArchive(head) == isArchive) }
}
