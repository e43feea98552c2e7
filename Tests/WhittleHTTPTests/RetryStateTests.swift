import Testing
import WhittleCore

@testable import WhittleHTTP

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
