import Foundation
import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("CredentialKey")
struct CredentialKeyTests {
    @Test(
        "reads what a person gives",
        arguments: [
            ("registry.example", "registry.example", ""), ("host:5000", "host:5000", ""),
            ("https://index.docker.io/v1/", "docker.io", ""), ("index.docker.io", "docker.io", ""),
            ("http://host:5000/v2/", "host:5000", ""), ("host/v2/", "host", ""), ("HTTPS://host", "host", ""),
            ("quay.io/team", "quay.io", "team"), ("quay.io/team/app/", "quay.io", "team/app"),
        ])
    func parse(_ text: String, _ registry: String, _ path: String) throws {
        let key = try CredentialKey(parsing: text)
        #expect(key.registry == registry)
        #expect(key.path == path)
    }

    @Test("what names no registry", arguments: ["", "/", "a b", "https://", "-x", "a//b", "a/B", "a:x"])
    func rejects(_ text: String) {
        let error = #expect(throws: BuildError.self) { try CredentialKey(parsing: text) }
        #expect(error?.code == .invalidRegistryName)
    }
}

@Suite("Changes of a credentials file")
struct CredentialChangesTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("credentials") }

    static let ann = Credentials.password(user: "ann", Redacted("p"))

    static func file(_ text: String, _ path: String = "/h/.docker/config.json") throws -> CredentialFile {
        try CredentialFile(parsing: Array(text.utf8), path: path)
    }

    @Test(
        "an entry takes the place of all that mean the same registry",
        arguments: [
            ("{}", "docker.io", #"{"auths":{"https://index.docker.io/v1/":{"auth":"YW5uOnA="}}}"#),
            ("", "a.b", #"{"auths":{"a.b":{"auth":"YW5uOnA="}}}"#),
            (
                #"{"x":[1.0],"auths":{"https://a.b/v1/":{"auth":"eDp5"},"c.d":{}},"y":null}"#, "a.b",
                #"{"x":[1.0],"auths":{"c.d":{},"a.b":{"auth":"YW5uOnA="}},"y":null}"#
            ),
            (
                #"{"auths":{"a.b":{"email":"e","identitytoken":"t","auth":"eDo="}}}"#, "a.b",
                #"{"auths":{"a.b":{"email":"e","auth":"YW5uOnA="}}}"#
            ),
            (#"{"auths":null}"#, "a.b", #"{"auths":{"a.b":{"auth":"YW5uOnA="}}}"#),
        ])
    func setting(_ text: String, _ key: String, _ expected: String) throws {
        let changed = try Self.file(text).setting(Self.ann, for: CredentialKey(parsing: key))
        #expect(changed.text(as: .compact) == expected)
    }

    @Test("files that docker does not read have Docker Hub by its name, and paths")
    func otherFiles() throws {
        let file = try Self.file("{}", "/run/auth.json")
        #expect(file.setting(Self.ann, for: .hub).text() == #"{"auths":{"docker.io":{"auth":"YW5uOnA="}}}"#)
        let key = try CredentialKey(parsing: "a.b/team")
        #expect(file.setting(nil, for: key).text() == #"{"auths":{"a.b/team":{}}}"#)
        let token = file.setting(.identityToken(Redacted("t")), user: "ann", for: key)
        #expect(token.text() == #"{"auths":{"a.b/team":{"auth":"YW5uOg==","identitytoken":"t"}}}"#)
    }

    @Test("a removal takes the entry, and nothing that only looks like it")
    func removing() throws {
        let file = try Self.file(#"{"auths":{"a.b":{},"a.b/team":{},"a.b:5000":{},"x":{}},"credsStore":"s"}"#)
        #expect(file.removing(try CredentialKey(parsing: "c.d")) == nil)
        #expect(
            file.removing(try CredentialKey(parsing: "a.b"))?.text(as: .compact)
                == #"{"auths":{"a.b/team":{},"a.b:5000":{},"x":{}},"credsStore":"s"}"#)
        #expect(file.removingAll().text(as: .compact) == #"{"auths":{},"credsStore":"s"}"#)
        #expect(file.keys.map { "\($0)" } == ["a.b", "a.b/team", "a.b:5000", "x"])
    }

    @Test("logins of many at once are all kept, and a link stays one")
    func together() async throws {
        let real = directory("real/config.json")
        let link = directory("link.json")
        try directory.write("real/config.json", #"{"kept":true}"#)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        let store = CredentialStore(files: [link])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask {
                    _ = try await store.save(Self.ann, for: CredentialKey(parsing: "host-\(index)"))
                }
            }
            try await group.waitForAll()
        }
        let file = try #require(try CredentialStore.read(real))
        #expect(file.keys.count == 20)
        #expect(file.document["kept"] == true)
        #expect(try await store.removeAll().count == 20)
        #expect(try CredentialStore.read(link)?.keys.isEmpty == true)
    }
}
