import Testing
import WhittleCore
import WhittleHTTP
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("RegistriesConfiguration")
struct ConfigurationTests {
    static func parse(_ text: String) throws -> RegistriesConfiguration {
        var configuration = RegistriesConfiguration()
        try RegistriesConfigurationParser(Array(text.utf8), path: "/etc/r.conf").apply(to: &configuration)
        return configuration
    }

    static let example = """
        unqualified-search-registries = ["example.com", 'docker.io']
        [[registry]]
        prefix = "example.com/foo"
        location = "internal.example.net:5000/bar/"
        [[registry.mirror]]
        location = "mirror-0.local/foo"
        [[registry.mirror]]
        location = "mirror-1.local/foo"
        insecure = true
        pull-from-mirror = "digest-only"
        [[registry]]
        location = "registry.com"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "mirror.registry.com"
        [[registry]]
        prefix = "*.wild.com"
        insecure = true
        [[registry]]
        prefix = "*.moved.com"
        location = "plain"
        [[registry]]
        prefix = "docker.io/library/node:16"
        location = "pinned.local/node"
        [[registry]]
        prefix = "bad.com"
        location = "bad.com"
        blocked = true
        [aliases]
        "node" = "docker.io/library/node"
        "tool" = "quay.io/team/tool"
        """

    static let hex = String(repeating: "ab", count: 32)

    @Test(
        "gives the places to try, in order",
        arguments: [
            (
                "example.com/foo/image:1",
                ["mirror-0.local/foo/image:1", "internal.example.net:5000/bar/image:1"]
            ),
            (
                "example.com/foo/image@sha256:\(hex)",
                [
                    "mirror-0.local/foo/image@sha256:\(hex)", "mirror-1.local/foo/image@sha256:\(hex)!",
                    "internal.example.net:5000/bar/image@sha256:\(hex)",
                ]
            ),
            ("example.com/foo:1", ["mirror-0.local/foo:1", "internal.example.net:5000/bar:1"]),
            ("example.com/foobar:1", ["example.com/foobar:1"]),
            ("example.com:5000/foo/x:1", ["example.com:5000/foo/x:1"]),
            ("registry.com/x:1", ["registry.com/x:1"]),
            ("registry.com/x@sha256:\(hex)", ["mirror.registry.com/x@sha256:\(hex)", "registry.com/x@sha256:\(hex)"]),
            ("a.b.wild.com/x:1", ["a.b.wild.com/x:1!"]),
            ("wild.com/x:1", ["wild.com/x:1"]),
            ("a.moved.com/x:1", ["plain/x:1"]),
            ("docker.io/library/node:16", ["pinned.local/node:16"]),
            ("docker.io/library/node:18", ["docker.io/library/node:18"]),
        ])
    func endpoints(_ name: String, _ expected: [String]) throws {
        let configuration = try Self.parse(Self.example)
        let found = try configuration.endpoints(for: ImageReference(parsing: name))
        #expect(found.map { "\($0.reference)" + ($0.isInsecure == true ? "!" : "") } == expected)
        #expect(found.last?.isMirror == false)
    }

    @Test(
        "a name without a registry is an alias, or looked for in the search registries",
        arguments: [
            ("node:16", ["docker.io/library/node:16"]), ("tool", ["quay.io/team/tool:latest"]),
            ("other:1", ["example.com/other:1", "docker.io/library/other:1"]),
            ("docker.io/other", ["docker.io/library/other:latest"]),
        ])
    func shortNames(_ name: String, _ expected: [String]) throws {
        let configuration = try Self.parse(Self.example)
        #expect(try configuration.candidates(for: ImageReference(parsing: name)).map { "\($0)" } == expected)
        let empty = RegistriesConfiguration()
        #expect(
            try empty.candidates(for: ImageReference(parsing: "node")).map { "\($0)" } == [
                "docker.io/library/node:latest"
            ])
    }

    @Test("blocked registries and ambiguous names are errors that say what to write")
    func refusals() throws {
        let configuration = try Self.parse(Self.example)
        let blocked = #expect(throws: BuildError.self) {
            try configuration.endpoints(for: ImageReference(parsing: "bad.com/x:1"))
        }
        #expect(blocked?.code == .registryBlocked)
        #expect(blocked?.message == "cannot pull 'bad.com/x:1': registries.conf blocks 'bad.com'")
        let enforcing = try Self.parse(
            "unqualified-search-registries = ['a.com', 'b.com']\nshort-name-mode = 'enforcing'")
        let ambiguous = #expect(throws: BuildError.self) {
            try enforcing.candidates(for: ImageReference(parsing: "x"))
        }
        #expect(ambiguous?.code == .ambiguousImageName)
        #expect(
            ambiguous?.message == "'x' may be an image of a.com, b.com, and short-name-mode is 'enforcing'")
        #expect(ambiguous?.hint == "write the registry: 'a.com/x'")
    }

    @Test(
        "a malformed file gives an error with the place",
        arguments: [
            ("a = ", "cannot use '/etc/r.conf:1:"),
            ("x = 1\n[[registry]]\nlocation = \"a\nb\"\n", "cannot use '/etc/r.conf:3:"),
            ("[registries.search]\nregistries = []", "member 'registries': the format of version 1 is not supported"),
            (
                "unqualified-search-registries = 'a'",
                "'unqualified-search-registries': expected an array, found a string"
            ),
            ("short-name-mode = 'x'", "expected enforcing, permissive or disabled, found 'x'"),
            ("registry = 1", "member 'registry': expected an array of tables, found a number"),
            ("[[registry]]\nblocked = true", "member 'registry[0]': neither 'prefix' nor 'location' is given"),
            ("[[registry]]\nprefix = 'a.com'", "member 'registry[0]': 'location' is missing"),
            ("[[registry]]\nprefix = '*.a.com/x'", "member 'registry[0].prefix': '*.a.com/x' has a wildcard"),
            ("[[registry]]\nlocation = 'a'\ninsecure = 'yes'", "'registry[0].insecure': expected true or false"),
            (
                "[[registry]]\nlocation = 'a'\n[[registry.mirror]]\n",
                "member 'registry[0].mirror[0]': 'location' is missing"
            ),
            (
                "[[registry]]\nlocation = 'a'\n[[registry.mirror]]\nlocation = 'b'\npull-from-mirror = 'never'",
                "expected all, digest-only, tag-only, found 'never'"
            ),
            (
                "[[registry]]\nlocation = 'a'\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'b'\n"
                    + "pull-from-mirror = 'all'",
                "it contradicts 'mirror-by-digest-only' of the registry"
            ),
            ("[aliases]\nx = 1", "member 'aliases.x': expected a string, found a number"),
        ])
    func malformed(_ text: String, _ part: String) {
        let error = #expect(throws: BuildError.self) { try Self.parse(text) }
        #expect(error?.code == .malformedRegistriesConfiguration)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("/etc/r.conf") == true)
    }

    @Test("a location that makes no image name is an error at use")
    func badLocation() throws {
        let configuration = try Self.parse("[[registry]]\nprefix = 'a.com'\nlocation = 'B_/X'")
        let error = #expect(throws: BuildError.self) {
            try configuration.endpoints(for: ImageReference(parsing: "a.com/y"))
        }
        #expect(error?.code == .malformedRegistriesConfiguration)
        #expect(error?.message.contains("'location' makes 'B_/X/y' of 'a.com/y'") == true)
    }

    @Test("TOML values arrive as what they are")
    func toml() throws {
        let text = """
            a = 1
            b = 1.5
            c = true
            d = "x\\"\\\\\\u00e9\\n\\u0001"
            e = 1979-05-27T07:32:00Z
            f = [1, [2, "x"]]
            g.h = {i = -9223372036854775808}
            j = inf
            """
        let value = try TOMLDocument.parse(Array(text.utf8))
        #expect(value["a"] == 1)
        #expect(value["b"]?.double == 1.5)
        #expect(value["c"] == true)
        #expect(value["d"] == "x\"\\é\n\u{1}")
        #expect(value["e"] == "1979-05-27T07:32:00Z")
        #expect(value["f"] == [1, [2, "x"]])
        #expect(value["g"]?["h"]?["i"] == .integer(.min))
        #expect(value["j"] == "inf")
    }

    @Test("hostile TOML gives an error and no crash", .timeLimit(.minutes(1)))
    func hostile() {
        let deep = "a = " + String(repeating: "[", count: 100_000)
        #expect(throws: TOMLDocument.Invalid.self) { try TOMLDocument.parse(Array(deep.utf8)) }
        #expect(throws: TOMLDocument.Invalid.self) {
            try TOMLDocument.parse([0x61, 0x20, 0x3D, 0x20, 0x22, 0xFF, 0x22])
        }
        let seed = Array(Self.example.utf8)
        for end in stride(from: 0, to: seed.count, by: 3) { _ = try? TOMLDocument.parse(Array(seed[..<end])) }
    }
}

@Suite("RegistrySettings.load")
struct SettingsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("settings") }

    func search(_ environment: [String: String]) throws -> [String] {
        try RegistrySettings.load(environment: environment, root: directory.path).registries.searchRegistries
    }

    @Test("files are taken in the order of containers-registries.conf(5)")
    func order() throws {
        let home = ["HOME": directory("home")]
        #expect(try search(home) == [])
        try directory.write("etc/containers/registries.conf", "unqualified-search-registries = ['system']")
        #expect(try search(home) == ["system"])
        try directory.write(
            "etc/containers/registries.conf.d/10.conf", "unqualified-search-registries = ['drop-in-10']")
        try directory.write(
            "etc/containers/registries.conf.d/09.conf", "unqualified-search-registries = ['drop-in-09']")
        try directory.write("etc/containers/registries.conf.d/99.bak", "nonsense")
        #expect(try search(home) == ["drop-in-10"])
        try directory.write("home/.config/containers/registries.conf", "unqualified-search-registries = ['user']")
        #expect(try search(home) == ["user"])
        try directory.write("explicit.conf", "[aliases]\nx = 'a.com/x'")
        var environment = home
        environment["CONTAINERS_REGISTRIES_CONF"] = directory("explicit.conf")
        let settings = try RegistrySettings.load(environment: environment, root: directory.path)
        #expect(settings.registries.aliases == ["x": "a.com/x"])
        #expect(settings.registries.searchRegistries == ["drop-in-10"])
        #expect(
            settings.certificateDirectories == [
                "\(directory.path)/home/.config/containers/certs.d", "\(directory.path)/etc/containers/certs.d",
                "\(directory.path)/etc/docker/certs.d",
            ])
    }

    @Test("a file that the environment names must exist")
    func missing() throws {
        let error = #expect(throws: BuildError.self) { try search(["CONTAINERS_REGISTRIES_CONF": "/no/such.conf"]) }
        #expect(
            error?.message
                == "cannot use '/no/such.conf': there is no such file, but $CONTAINERS_REGISTRIES_CONF names it")
    }

    @Test("a later file removes an alias and replaces a registry of the same prefix")
    func merging() throws {
        try directory.write(
            "etc/containers/registries.conf",
            "[aliases]\nx = 'a.com/x'\ny = 'a.com/y'\n[[registry]]\nlocation = 'a.com'\ninsecure = true")
        try directory.write(
            "etc/containers/registries.conf.d/1.conf",
            "[aliases]\nx = ''\n[[registry]]\nlocation = 'a.com'\nblocked = true\n[[registry]]\nlocation = 'b.com'")
        let registries = try RegistrySettings.load(environment: [:], root: directory.path).registries
        #expect(registries.aliases == ["y": "a.com/y"])
        #expect(registries.registries.map { $0.prefix } == ["a.com", "b.com"])
        #expect(registries.registries.first?.isBlocked == true)
        #expect(registries.registries.first?.isInsecure == nil)
    }

    @Test("certificates are those of the first directory that knows the host")
    func certificates() throws {
        try directory.write("one/other:5000/ca.crt", "X")
        try directory.write("two/host:5000/a.crt", "A")
        try directory.write("two/host:5000/b.crt", "B")
        try directory.write("two/host:5000/client.cert", "C")
        try directory.write("two/host:5000/client.key", "K")
        try directory.write("three/host:5000/c.crt", "never")
        let directories = ["one", "two", "three", "four"].map { directory($0) }
        let security = try CertificateDirectory.security(for: "host:5000", in: directories)
        #expect(security.authorities == Array("A\nB\n".utf8))
        #expect(security.clientCertificate == directory("two/host:5000/client.cert"))
        #expect(security.clientKey == directory("two/host:5000/client.key"))
        #expect(try CertificateDirectory.security(for: "host", in: directories) == TransportSecurity())
        try directory.write("five/host/x.cert", "C")
        let error = #expect(throws: BuildError.self) {
            try CertificateDirectory.security(for: "host", in: [directory("five")])
        }
        #expect(error?.code == .registryCertificates)
        #expect(
            error?.message
                == "cannot use the certificate '\(directory("five"))/host/x.cert': there is no 'x.key' beside it")
    }
}
