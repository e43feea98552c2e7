import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("AuthenticationChallenge.parse")
struct ChallengeTests {
    @Test(
        "reads schemes with their parameters",
        arguments: [
            (
                [
                    #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull""#
                ],
                [
                    AuthenticationChallenge(
                        scheme: "bearer",
                        parameters: [
                            "realm": "https://auth.docker.io/token", "service": "registry.docker.io",
                            "scope": "repository:a:pull",
                        ])
                ]
            ),
            (["Basic realm=x"], [AuthenticationChallenge(scheme: "basic", parameters: ["realm": "x"])]),
            (
                [#"Negotiate, Basic realm="a, \"b\"" , BEARER Realm = "r""#],
                [
                    AuthenticationChallenge(scheme: "negotiate"),
                    AuthenticationChallenge(scheme: "basic", parameters: ["realm": #"a, "b""#]),
                    AuthenticationChallenge(scheme: "bearer", parameters: ["realm": "r"]),
                ]
            ),
            (
                ["Basic", "Bearer realm=r"],
                [
                    AuthenticationChallenge(scheme: "basic"),
                    AuthenticationChallenge(scheme: "bearer", parameters: ["realm": "r"]),
                ]
            ),
            (
                ["Negotiate YWJj==, Basic realm=y"],
                [
                    AuthenticationChallenge(scheme: "negotiate"),
                    AuthenticationChallenge(scheme: "basic", parameters: ["realm": "y"]),
                ]
            ),
            ([""], []), ([",,,"], []), (["Bearer realm=\"unended"], [AuthenticationChallenge(scheme: "bearer")]),
            (["\"x\""], []),
        ] as [([String], [AuthenticationChallenge])])
    func parse(_ values: [String], _ expected: [AuthenticationChallenge]) {
        #expect(AuthenticationChallenge.parse(values) == expected)
    }

    @Test("never traps on hostile values")
    func hostile() {
        for byte in UInt8.min...127 {
            for text in ["Bearer a=", "Bearer ", "", "Bearer a=\""] {
                _ = AuthenticationChallenge.parse([text + String(Unicode.Scalar(byte))])
            }
        }
        _ = AuthenticationChallenge.parse([String(repeating: "a=,", count: 100_000)])
    }
}

@Suite("Registries that ask who is there", .timeLimit(.minutes(1)))
struct AuthenticationTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("auth") }

    func image(_ registry: TestRegistry, _ files: [String] = []) async throws -> (ResolvedImage, RegistryFixture) {
        registry.add(image: "team/app", tag: "1", platform: amd64, layers: [noise(1000)])
        let fixture = try RegistryFixture(files: files)
        return (try await fixture.source("\(registry.host)/team/app:1").resolve(amd64), fixture)
    }

    @Test("an anonymous token is fetched once and used for everything in the repository")
    func anonymous() async throws {
        let registry = try TestRegistry(.anonymousToken)
        let (image, fixture) = try await image(registry)
        let collector = Collector()
        try await fixture.source("\(registry.host)/team/app:1").read(image.manifest.layers[0], into: collector.sink)
        let tokens = registry.requests.filter { $0.path == "/token" }
        #expect(tokens.count == 1)
        #expect(tokens.first?.query == "service=test%20registry&scope=repository%3Ateam%2Fapp%3Apull")
        #expect(tokens.first?.headers["authorization"] == nil)
    }

    @Test("a revoked token is replaced")
    func revoked() async throws {
        let registry = try TestRegistry(.anonymousToken)
        let (image, fixture) = try await image(registry)
        registry.revokeTokens()
        try await fixture.source("\(registry.host)/team/app:1")
            .read(image.manifest.layers[0], into: Collector().sink)
        #expect(registry.requests.filter { $0.path == "/token" }.count == 2)
    }

    @Test("a token is not used beyond its time")
    func expired() async throws {
        let registry = try TestRegistry(.anonymousToken)
        let (image, fixture) = try await image(registry)
        let source = try fixture.source("\(registry.host)/team/app:1")
        registry.forgetRequests()
        fixture.waits.pass(.seconds(280))
        try await source.read(image.manifest.layers[0], into: Collector().sink)
        #expect(registry.requests.count == 1)
        fixture.waits.pass(.seconds(20))
        try await source.read(image.manifest.layers[0], into: Collector().sink)
        #expect(registry.requests.contains { $0.path == "/token" })
    }

    @Test("a token server that is overloaded is asked again")
    func overloaded() async throws {
        let registry = try TestRegistry(.anonymousToken)
        registry.inject(.status(503), on: "/token", times: 2)
        let (_, fixture) = try await image(registry)
        #expect(fixture.waits.all.count == 2)
        let broken = try TestRegistry(.anonymousToken)
        broken.inject(.status(503), on: "/token", times: 100)
        let error = await #expect(throws: BuildError.self) { try await image(broken) }
        #expect(error?.code == .registryFailed)
        #expect(
            error?.message == "the transfer from \(broken.host)/team/app failed: http://\(broken.host)/token answered "
                + "with status 503")
    }

    @Test(
        "an answer of the token server that holds no token",
        arguments: ["{}", "nonsense", #"{"token":""}"#, #"{"token":"a\r\nX-Evil: b"}"#])
    func noToken(_ body: String) async throws {
        let registry = try TestRegistry(.anonymousToken)
        registry.inject(.body(Array(body.utf8)), on: "/token")
        let error = await #expect(throws: BuildError.self) { try await image(registry) }
        #expect(
            error?.message == "cannot get a token for \(registry.host): the answer of http://\(registry.host)/token "
                + "holds no token")
        #expect(error?.code == .registryFailed)
    }

    static let token = TestRegistry.Access.token(user: "ann", password: "s:cret", identityToken: "id-t")

    @Test(
        "the stored credentials are used, in each of their forms",
        arguments: [
            (token, #"{"auth":"\#(Base64.encode(Array("ann:s:cret".utf8)))"}"#),
            (token, #"{"username":"ann","password":"s:cret"}"#),
            (token, #"{"identitytoken":"id-t"}"#),
            (.basic(user: "ann", password: "s:cret"), #"{"auth":"\#(Base64.encode(Array("ann:s:cret".utf8)))"}"#),
        ])
    func stored(_ access: TestRegistry.Access, _ entry: String) async throws {
        let registry = try TestRegistry(access)
        let file = try directory.write("config.json", #"{"auths":{"\#(registry.host)":\#(entry)}}"#)
        let (image, _) = try await image(registry, [directory("missing.json"), file])
        #expect(image.platform == amd64)
    }

    @Test("a credential helper is asked with the registry's name")
    func helper() async throws {
        let registry = try TestRegistry(.basic(user: "ann", password: "s:cret"))
        let script = try directory.write(
            "bin/docker-credential-whittletest",
            "#!/bin/sh\nread server\n[ \"$1 $server\" = \"get \(registry.host)\" ] || exit 3\n"
                + "echo '{\"ServerURL\":\"x\",\"Username\":\"ann\",\"Secret\":\"s:cret\"}'\n",
            mode: 0o755)
        // The name of the helper may hold no slash, so the test runs it by its own path.
        let helper = CredentialHelper(program: script)
        let found = try helper.credentials(server: registry.host)
        guard case .password(let user, let password)? = found else {
            Issue.record("no password from the helper")
            return
        }
        #expect(user == "ann")
        #expect(password.revealed == "s:cret")
    }

    @Test(
        "a helper that fails says so, one that has nothing is no error",
        arguments: [
            ("echo boom; exit 1", "it ended with status 1: boom"),
            ("echo hello", "its answer is not the JSON of a credential helper"),
            ("kill -9 $$", "it ended with status 137: "),
        ])
    func failingHelper(_ body: String, _ message: String) throws {
        let script = try directory.write("helper", "#!/bin/sh\n\(body)\n", mode: 0o755)
        let error = #expect(throws: BuildError.self) {
            try CredentialHelper(program: script).credentials(server: "x")
        }
        #expect(error?.code == .credentialHelperFailed)
        #expect(error?.message == "cannot get credentials from '\(script)': \(message)")
        let silent = try directory.write(
            "none", "#!/bin/sh\necho credentials not found in native keychain\nexit 1\n", mode: 0o755)
        #expect(try CredentialHelper(program: silent).credentials(server: "x") == nil)
    }

    @Test("a helper that is not installed, and a name that is no program's")
    func missingHelper() throws {
        let error = #expect(throws: BuildError.self) {
            try CredentialHelper(name: "surely-not-installed").credentials(server: "x")
        }
        #expect(
            error?.message
                == "cannot get credentials from 'docker-credential-surely-not-installed': it is not installed")
        let other = #expect(throws: BuildError.self) { try CredentialHelper(name: "../evil") }
        #expect(other?.message.hasSuffix("it is not the name of a program") == true)
    }

    @Test("wrong and missing credentials give an error with a hint, and no secret")
    func unauthorized() async throws {
        let registry = try TestRegistry(Self.token)
        let missing = await #expect(throws: BuildError.self) { try await image(registry) }
        #expect(missing?.code == .registryUnauthorized)
        #expect(missing?.hint == "log in: whittle login \(registry.host)")
        let file = try directory.write(
            "config.json", #"{"auths":{"\#(registry.host)":{"username":"ann","password":"wrong-secret"}}}"#)
        let wrong = await #expect(throws: BuildError.self) { try await image(registry, [file]) }
        #expect(
            wrong?.message == "cannot get a token for \(registry.host): http://\(registry.host)/token answered with "
                + "status 401 (incorrect username or password)")
        #expect(wrong?.hint?.hasPrefix("the stored credentials are wrong or expired") == true)
        #expect(wrong?.description.contains("wrong-secret") == false)
        let basic = try TestRegistry(.basic(user: "a", password: "b"))
        let refused = await #expect(throws: BuildError.self) { try await image(basic) }
        #expect(
            refused?.message
                == "not allowed to pull from \(basic.host)/team/app (UNAUTHORIZED: authentication required)")
        #expect(refused?.hint?.contains("whittle login \(basic.host)") == true)
    }

    @Test("credentials do not follow a redirect to another host, and the content is taken from there")
    func redirect() async throws {
        let registry = try TestRegistry(.basic(user: "ann", password: "s:cret"))
        let other = try TestRegistry()
        let layer = other.add(blob: noise(5000))
        let file = try directory.write(
            "config.json", #"{"auths":{"\#(registry.host)":{"username":"ann","password":"s:cret"}}}"#)
        let fixture = try RegistryFixture(files: [file])
        let source = try fixture.source("\(registry.host)/app:1")
        // The first request is answered with 401, the second with the redirect.
        registry.add(blob: [1])
        _ = try? await source.read(Descriptor(of: [1], as: .ociLayer), into: Collector().sink)
        registry.inject(.redirect("http://\(other.host)/v2/x/blobs/\(layer.digest)?signature=secret"), on: "/blobs/")
        registry.forgetRequests()
        let collector = Collector()
        try await source.read(layer, into: collector.sink)
        #expect(collector.bytes == noise(5000))
        #expect(registry.requests.first?.headers["authorization"]?.hasPrefix("Basic ") == true)
        #expect(other.requests.count == 1)
        #expect(other.requests.first?.headers["authorization"] == nil)
        #expect(other.requests.first?.query == "signature=secret")
    }

    @Test("a redirect that never ends, and one that is no address")
    func badRedirects() async throws {
        let registry = try TestRegistry()
        let source = try RegistryFixture().source("\(registry.host)/app:1")
        let blob = registry.add(blob: [1, 2, 3])
        registry.inject(.redirect("http://\(registry.host)/v2/app/blobs/x?token=secret"), on: "/blobs/", times: 1000)
        let endless = await #expect(throws: BuildError.self) { try await source.read(blob, into: Collector().sink) }
        #expect(endless?.message.contains("more than 8 redirects") == true)
        let second = try TestRegistry()
        second.inject(.redirect("file:///etc/passwd"), on: "/blobs/")
        let file = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(second.host)/app:1").read(blob, into: Collector().sink)
        }
        #expect(file?.message.contains("redirects to something that is no web address") == true)
    }
}

@Suite("CredentialFile")
struct CredentialFileTests {
    static func auth(_ user: String) -> String { #"{"auth":"\#(Base64.encode(Array("\(user):p".utf8)))"}"# }

    static func user(_ file: CredentialFile, _ registry: String, _ repository: String) -> String? {
        switch file.answer(registry: registry, repository: repository) {
        case .credentials(.password(let user, _)): user
        case .helper(let name, let server): "\(name)?\(server)"
        default: nil
        }
    }

    @Test("the longest path wins, Docker Hub has many names, helpers come first")
    func lookup() throws {
        let text = """
            {"auths":{"quay.io":\(Self.auth("host")),"quay.io/team":\(Self.auth("team")),
            "quay.io/team/app":\(Self.auth("app")),"https://index.docker.io/v1/":\(Self.auth("hub")),
            "https://old.example/v1/":\(Self.auth("old")),"helped.example":\(Self.auth("no")),"empty.example":{}},
            "credHelpers":{"helped.example":"one"},"credsStore":"all"}
            """
        let file = try CredentialFile(parsing: Array(text.utf8), path: "f")
        #expect(Self.user(file, "quay.io", "other") == "host")
        #expect(Self.user(file, "quay.io", "team/x") == "team")
        #expect(Self.user(file, "quay.io", "team/app") == "app")
        #expect(Self.user(file, "quay.io", "teamwork") == "host")
        #expect(Self.user(file, "docker.io", "library/node") == "hub")
        #expect(Self.user(file, "old.example", "a") == "old")
        #expect(Self.user(file, "helped.example", "a") == "one?helped.example")
        #expect(Self.user(file, "empty.example", "a") == "all?empty.example")
        #expect(Self.user(file, "new.example", "a") == "all?new.example")
    }

    @Test(
        "a malformed file is named, and nothing of it is shown",
        arguments: [
            ("{", "unexpected end of the document at byte 1"), ("[]", "expected an object"),
            (#"{"auths":[]}"#, "member 'auths': expected an object, found an array"),
            (#"{"auths":{"a.b":{"auth":"c2VjcmV0"}}}"#, "'auth' of 'a.b' is not USER:PASSWORD in base64"),
            (#"{"auths":{"a.b":{"auth":"!secret!"}}}"#, "'auth' of 'a.b' is not USER:PASSWORD in base64"),
        ])
    func malformed(_ text: String, _ problem: String) {
        let error = #expect(throws: BuildError.self) {
            try CredentialFile(parsing: Array(text.utf8), path: "/h/c.json")
        }
        #expect(error?.code == .malformedCredentials)
        #expect(error?.message == "cannot read the credentials in '/h/c.json': \(problem)")
        #expect(error?.description.contains("secret") == false)
    }

    @Test(
        "files are looked for where docker and podman keep them, and a login changes the one that is named or docker's",
        arguments: [
            (
                ["HOME": "/h", "XDG_RUNTIME_DIR": "/run/1"],
                ["/run/1/containers/auth.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"],
                "/h/.docker/config.json"
            ),
            (["HOME": "/h", "REGISTRY_AUTH_FILE": "/a", "DOCKER_CONFIG": "/d"], ["/a"], "/a"),
            (["HOME": "/h", "DOCKER_CONFIG": "/d"], ["/d/config.json"], "/d/config.json"),
            (["XDG_RUNTIME_DIR": "/run/1"], ["/run/1/containers/auth.json"], nil),
        ] as [([String: String], [String], String?)])
    func paths(_ environment: [String: String], _ files: [String], _ primary: String?) {
        let store = CredentialStore(environment: environment)
        #expect(store.files == files)
        #expect(store.primaryFile == primary)
        let named = CredentialStore(environment: environment, authenticationFile: "/n")
        #expect(named.files == ["/n"] && named.primaryFile == "/n")
    }

    @Test("credentials do not show when they are printed")
    func redaction() {
        let credentials = Credentials.password(user: "ann", Redacted("geheim"))
        #expect(!"\(credentials)".contains("geheim"))
        #expect(!String(reflecting: credentials).contains("geheim"))
    }
}
