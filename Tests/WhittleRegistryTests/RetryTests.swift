import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("RetryState")
struct RetryStateTests {
    /// The waits after so many times the same event, until it gives up.
    static func waits(_ event: RetryState.Event, jitter: Double = 0, policy: RetryPolicy = RetryPolicy()) -> [Duration]
    {
        var state = RetryState(policy)
        var waits: [Duration] = []
        while case .retry(let wait) = state.handle(event, jitter: jitter) { waits.append(wait) }
        return waits
    }

    @Test("waits twice as long each time, and gives up after five attempts", arguments: [408, 429, 500, 502, 503, 504])
    func backOff(_ status: Int) {
        let waits = Self.waits(.answered(status: status, retryAfter: nil))
        #expect(waits == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2)])
    }

    @Test("chance spreads the waits between half and all of it")
    func jitter() {
        #expect(Self.waits(.failed(.cut), jitter: 0.5).first == .milliseconds(375))
    }

    @Test("never waits longer than the limit of the policy")
    func limit() {
        var policy = RetryPolicy()
        policy.attempts = 20
        #expect(Self.waits(.failed(.cut), policy: policy).max() == .milliseconds(7500))
    }

    @Test("what another attempt cannot change is final", arguments: [200, 301, 400, 401, 403, 404, 416, 501])
    func finalStatus(_ status: Int) {
        #expect(Self.waits(.answered(status: status, retryAfter: .seconds(1))).isEmpty)
    }

    @Test(
        "an untrusted certificate is final", arguments: [HTTPFailure.Kind.untrusted, .tlsFailed, .other, .proxyFailed])
    func finalFailure(_ kind: HTTPFailure.Kind) {
        #expect(Self.waits(.failed(kind)).isEmpty)
    }

    @Test(
        "a host that cannot be reached is tried less often", arguments: [HTTPFailure.Kind.notConnected, .hostUnknown])
    func connection(_ kind: HTTPFailure.Kind) {
        #expect(Self.waits(.failed(kind)).count == 2)
    }

    @Test("waits as long as the server asks, unless that is too long")
    func retryAfter() {
        #expect(Self.waits(.answered(status: 429, retryAfter: .seconds(7))) == Array(repeating: .seconds(7), count: 4))
        #expect(Self.waits(.answered(status: 429, retryAfter: .seconds(3600))).isEmpty)
    }

    @Test("progress makes the count start over")
    func progress() {
        var state = RetryState(RetryPolicy())
        for _ in 0..<50 {
            state.noteProgress()
            guard case .retry = state.handle(.failed(.cut), jitter: 0) else {
                Issue.record("gave up in spite of progress")
                return
            }
        }
    }

    @Test(
        "reads Retry-After in both forms",
        arguments: [
            ("0", .zero), ("120", .seconds(120)), ("Tue, 14 Nov 2023 22:13:30 GMT", .seconds(10)),
            ("Tue, 14 Nov 2023 22:13:10 GMT", .zero), ("soon", nil), ("-1", nil),
            ("Tue, 14 Foo 2023 22:13:30 GMT", nil),
            ("", nil), ("99999999999999999999999", nil), ("18446744073709551615", .seconds(3_155_760_000)),
        ] as [(String, Duration?)])
    func header(_ text: String, _ expected: Duration?) {
        #expect(RetryAfter.duration(text, now: Timestamp(seconds: 1_700_000_000)) == expected)
    }
}

@Suite("Requests are made again", .timeLimit(.minutes(1)))
struct RetryTests {
    let registry: TestRegistry
    let fixture: RegistryFixture
    let source: RegistryImageSource

    init() throws {
        registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64)
        fixture = try RegistryFixture()
        source = try fixture.source("\(registry.host)/app:1")
    }

    @Test("after a server error, with growing waits")
    func serverError() async throws {
        registry.inject(.status(503), on: "/manifests/", times: 3)
        _ = try await source.resolve(amd64)
        #expect(fixture.waits.all.count == 3)
    }

    @Test("after 429, as late as the server asks")
    func rateLimit() async throws {
        registry.inject(.status(429, headers: ["Retry-After": "11"]), on: "/manifests/")
        _ = try await source.resolve(amd64)
        #expect(fixture.waits.all == [.seconds(11)])
    }

    @Test("after a connection that was closed without an answer")
    func disconnect() async throws {
        registry.inject(.disconnect, on: "/manifests/", times: 2)
        _ = try await source.resolve(amd64)
    }

    @Test("until the limit, then the error says what the registry said, in printable characters")
    func limit() async throws {
        let body = #"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\u001b[31m down"}]}"#
        registry.inject(.status(429, body: body), on: "/manifests/", times: 100)
        let error = await #expect(throws: BuildError.self) { try await source.resolve(amd64) }
        #expect(error?.code == .registryRateLimited)
        #expect(
            error?.message == "\(registry.host)/app refuses the manifest '1': too many requests "
                + "(TOOMANYREQUESTS: slow\\u{1b}[31m down)")
    }

    @Test("and a failing registry is named with its status")
    func failure() async throws {
        registry.inject(.status(500, body: String(repeating: "x", count: 1 << 20)), on: "/manifests/", times: 100)
        let error = await #expect(throws: BuildError.self) { try await source.resolve(amd64) }
        #expect(error?.code == .registryFailed)
        #expect(
            error?.message == "\(registry.host)/app answered a request for the manifest '1' with status 500")
        #expect(error?.hint == "the registry is in trouble; try again later")
    }
}
