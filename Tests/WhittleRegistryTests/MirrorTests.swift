import Testing
import WhittleCore
import WhittleHTTP
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("Mirrors and unreachable registries", .timeLimit(.minutes(1)))
struct MirrorTests {
    let main: TestRegistry
    let mirror: TestRegistry

    init() throws {
        main = try TestRegistry()
        mirror = try TestRegistry()
    }

    /// Names of `docker.io` lead to the two registries; nothing leaves the machine.
    func fixture() throws -> RegistryFixture {
        try RegistryFixture(
            configuration: """
                [[registry]]
                prefix = "docker.io"
                location = "\(main.host)/hub"
                [[registry.mirror]]
                location = "\(mirror.host)/copy"
                """)
    }

    @Test("the mirror is asked first, with its own name for the image")
    func first() async throws {
        mirror.add(image: "copy/library/node", tag: "16", platform: amd64, layers: [noise(10)])
        let source = try fixture().source("node:16")
        let image = try await source.resolve(amd64)
        #expect(image.name == "node:16")
        #expect(image.place == "\(mirror.host)/copy/library/node")
        try await source.read(image.manifest.layers[0], into: Collector().sink)
        #expect(main.requests.isEmpty)
    }

    @Test("what the mirror does not have comes from the registry, blobs included")
    func fallback() async throws {
        main.add(image: "hub/library/node", tag: "16", platform: amd64, layers: [noise(10)])
        let source = try fixture().source("node:16")
        let image = try await source.resolve(amd64)
        #expect(image.place == "\(main.host)/hub/library/node")
        mirror.forgetRequests()
        try await source.read(image.manifest.layers[0], into: Collector().sink)
        #expect(mirror.requests.isEmpty)
    }

    @Test("a mirror that is down costs no waiting")
    func down() async throws {
        main.add(image: "hub/library/node", tag: "16", platform: amd64)
        let fixture = try fixture()
        mirror.stop()
        let image = try await fixture.source("node:16").resolve(amd64)
        #expect(image.platform == amd64)
        #expect(fixture.waits.all.isEmpty)
    }

    @Test("a blob that ends in the mirror goes on from the registry")
    func blobFallback() async throws {
        let layer = noise(100_000)
        for (registry, name) in [(main, "hub/library/node"), (mirror, "copy/library/node")] {
            registry.add(image: name, tag: "16", platform: amd64, layers: [layer])
        }
        let source = try fixture().source("node:16")
        let image = try await source.resolve(amd64)
        mirror.inject(.cut(after: 40_000), on: "/blobs/")
        mirror.inject(.status(500), on: "/blobs/", times: 10)
        let collector = Collector()
        try await source.read(image.manifest.layers[0], into: collector.sink)
        #expect(collector.bytes == layer)
        #expect(main.requests.last?.headers["range"] == "bytes=40000-")
    }

    @Test("the error for a missing image names all places")
    func nowhere() async throws {
        let error = await #expect(throws: BuildError.self) { try await fixture().source("node:99").resolve(amd64) }
        #expect(error?.code == .imageNotFound)
        #expect(
            error?.message == "image 'node:99' not found in \(mirror.host)/copy/library/node, "
                + "\(main.host)/hub/library/node")
        #expect(error?.hint?.contains("skopeo list-tags docker://docker.io/library/node") == true)
    }

    @Test("the error of the registry counts more than that of a mirror")
    func otherErrors() async throws {
        main.inject(.status(403), on: "/manifests/", times: 10)
        let error = await #expect(throws: BuildError.self) { try await fixture().source("node:99").resolve(amd64) }
        #expect(error?.code == .registryUnauthorized)
        #expect(
            error?.hint?.hasSuffix(
                "tried in this order: \(mirror.host)/copy/library/node (does not have it), \(main.host)/hub/library/node"
            ) == true)
    }

    @Test("a registry that nobody listens for")
    func refused() async throws {
        let host = main.host
        main.stop()
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(host)/app").resolve(amd64)
        }
        #expect(error?.code == .registryUnreachable)
        #expect(error?.message.hasPrefix("cannot reach the registry \(host): ") == true)
        #expect(error?.hint?.contains("http_proxy") == true)
    }

    @Test(
        "failures of the transport become errors that say what to do",
        arguments: [
            (
                HTTPFailure.Kind.hostUnknown, BuildError.Code.registryUnreachable,
                "cannot reach the registry example.com: x"
            ),
            (.timedOut, .registryUnreachable, "cannot reach the registry example.com: x"),
            (.proxyFailed, .registryUnreachable, "cannot reach the registry example.com: x"),
            (.tlsFailed, .registryUnreachable, "cannot open an encrypted connection to example.com: x"),
            (.untrusted, .registryUntrusted, "the certificate of example.com is not trusted: x"),
            (.cut, .registryFailed, "the transfer from example.com/app failed: x"),
        ])
    func failures(_ kind: HTTPFailure.Kind, _ code: BuildError.Code, _ message: String) async throws {
        struct Failing: HTTPTransport {
            let kind: HTTPFailure.Kind
            func perform(
                _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
            ) async throws -> HTTPResponse { throw HTTPFailure(kind, "x") }
        }
        let fixture = try RegistryFixture(transport: Failing(kind: kind))
        let error = await #expect(throws: BuildError.self) {
            try await fixture.source("example.com/app").resolve(amd64)
        }
        #expect(error?.code == code)
        #expect(error?.message == message)
        #expect(error?.hint != nil)
    }

    @Test("plain HTTP is never spoken with a registry that is not insecure")
    func onlyEncrypted() async throws {
        struct Recording: HTTPTransport {
            let log: Collector
            func perform(
                _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponse) throws -> ByteSink
            ) async throws -> HTTPResponse {
                try Array("\(request.address) \(request.security.skipsVerification)\n".utf8).withUnsafeBytes(log.sink)
                throw HTTPFailure(.tlsFailed, "x")
            }
        }
        let log = Collector()
        let fixture = try RegistryFixture(
            configuration: "[[registry]]\nlocation = 'lax.com'\ninsecure = true", transport: Recording(log: log))
        for name in ["strict.com/a", "lax.com/a", "node"] {
            _ = try? await fixture.source(name).resolve(amd64)
        }
        #expect(
            String(decoding: log.bytes, as: UTF8.self) == """
                https://strict.com/v2/a/manifests/latest false
                https://lax.com/v2/ true
                http://lax.com/v2/a/manifests/latest true
                https://registry-1.docker.io/v2/library/node/manifests/latest false

                """)
    }

    @Test("the text for a missing libcurl says which package to install")
    func curlMissing() {
        let error = BuildError.curlMissing("libcurl.so.4: cannot open shared object file")
        #expect(error.message == "cannot talk to servers: libcurl.so.4: cannot open shared object file")
        #expect(error.hint == "install libcurl: apt-get install libcurl4")
    }
}
