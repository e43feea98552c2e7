import Testing
import WhittleCore
import WhittleHTTP
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

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
