import Synchronization
import Testing
import WhittleCore
import WhittleHTTP
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("Pushing", .timeLimit(.minutes(1)))
struct PushTests {
    let registry: TestRegistry
    let fixture: RegistryFixture

    init() throws {
        registry = try TestRegistry()
        fixture = try RegistryFixture()
    }

    private func push(_ repository: String = "team/app", on registry: TestRegistry? = nil) throws -> RegistryPush {
        try fixture.client.push(to: ImageReference(parsing: "\((registry ?? self.registry).host)/\(repository)"))
    }

    private func blob(_ bytes: [UInt8], origins: [BlobOrigin] = []) -> PushBlob {
        var blob = PushBlob(bytes, as: .ociLayer)
        blob.origins = origins
        return blob
    }

    private func tree(_ layers: [[UInt8]]) -> PushTree {
        let blobs = layers.map { blob($0) }
        let config = PushBlob(Array(#"{"os":"linux","architecture":"amd64"}"#.utf8), as: .ociConfiguration)
        let manifest = Manifest(config: config.descriptor, layers: blobs.map(\.descriptor))
        return PushTree(blobs: blobs + [config], documents: [PushDocument(manifest.encoded(), as: .ociManifest)])
    }

    private func methods(_ path: String) -> [String] {
        registry.requests.filter { $0.path.contains(path) }.map(\.method)
    }

    @Test("brings blobs and manifest under several tags, and a second time sends no blob")
    func whole() async throws {
        let tree = tree([noise(3000), noise(700_000)])
        for _ in 0..<2 {
            let push = try push()
            try await push.check()
            try await push.push(tree, tags: ["1", "latest"])
            await push.end()
        }
        for blob in tree.blobs { #expect(registry.blob(blob.descriptor.digest) != nil) }
        #expect(registry.manifest("team/app:1") == tree.documents[0].bytes)
        #expect(registry.manifest("team/app:latest") == tree.documents[0].bytes)
        let puts = methods("/blobs/uploads/").filter { $0 == "PUT" }
        #expect(puts.count == 3)
        // The upload that the second check opened was given up.
        #expect(methods("/blobs/uploads/").filter { $0 == "DELETE" }.count == 1)
    }

    @Test("puts what has no tag under its digest")
    func byDigest() async throws {
        let tree = tree([])
        try await push().push(tree)
        #expect(registry.manifest("team/app@\(tree.documents[0].descriptor.digest)") != nil)
        #expect(registry.requests.last?.path.hasSuffix("manifests/\(tree.documents[0].descriptor.digest)") == true)
    }

    @Test("mounts what another repository of the same registry has")
    func mount() async throws {
        let bytes = noise(5000)
        let digest = Digest(hashing: bytes)
        let origins = [
            BlobOrigin(registry: "elsewhere.example", repository: "base"),
            BlobOrigin(registry: registry.host, repository: "library/base"),
        ]
        registry.add(blob: bytes)
        registry.allowMount(of: digest, from: "library/base")
        registry.inject(.status(404), on: "/blobs/sha256", method: "HEAD")
        let outcome = try await push().push(blob(bytes, origins: origins))
        #expect(outcome == .mounted(from: "library/base"))
        #expect(methods("/blobs/uploads/") == ["POST"])
    }

    @Test("asks for a token that allows pushing, and for the mounted repository reading")
    func scopes() async throws {
        let registry = try TestRegistry(.anonymousToken)
        let origin = BlobOrigin(registry: registry.host, repository: "base")
        _ = try await push("app", on: registry).push(blob(noise(10), origins: [origin]))
        let tokens = registry.requests.filter { $0.path == "/token" }.map(\.query)
        #expect(tokens.count == 2)
        #expect(tokens[0].hasSuffix("scope=repository%3Aapp%3Apull%2Cpush"))
        #expect(tokens[1].hasSuffix("scope=repository%3Aapp%3Apull%2Cpush&scope=repository%3Abase%3Apull"))
    }

    @Test("gets a new token where the old one ends during an upload")
    func expiry() async throws {
        let registry = try TestRegistry(.anonymousToken)
        let bytes = noise(400_000)
        let slow = PushBlob(Descriptor(of: bytes, as: .ociLayer)) { offset in
            registry.revokeTokens()
            return try await PushBlob(bytes, as: .ociLayer).open(offset)
        }
        // Opened once for each attempt, so the second one is answered with the first one's new token.
        let opened = Mutex(false)
        let blob = PushBlob(slow.descriptor) { offset in
            let isFirst = opened.withLock { opened in
                defer { opened = true }
                return !opened
            }
            return try await isFirst ? slow.open(offset) : PushBlob(bytes, as: .ociLayer).open(offset)
        }
        #expect(try await push(on: registry).push(blob) == .uploaded)
        #expect(registry.blob(blob.descriptor.digest) == bytes)
    }

    @Test("goes on where an upload was cut")
    func resume() async throws {
        let bytes = noise(900_000)
        registry.inject(.cutRequest(after: 300_000), on: "/blobs/uploads/", method: "PUT")
        #expect(try await push().push(blob(bytes)) == .uploaded)
        #expect(registry.blob(Digest(hashing: bytes)) == bytes)
        #expect(methods("/blobs/uploads/") == ["POST", "PUT", "GET", "PATCH", "PUT"])
        let part = registry.requests.last { $0.method == "PATCH" }
        #expect(part?.headers["content-range"] == "300000-899999")
        #expect(part?.body.count == 600_000)
    }

    @Test("waits as long as the registry asks in a storm of 429")
    func storm() async throws {
        registry.inject(.status(429, headers: ["Retry-After": "3"]), on: "/blobs/", times: 3)
        #expect(try await push().push(blob(noise(10))) == .uploaded)
        #expect(fixture.waits.all == [.seconds(3), .seconds(3), .seconds(3)])
    }

    @Test("sends a blob to an address elsewhere without credentials")
    func elsewhere() async throws {
        let store = try TestRegistry()
        let opened = try push("x", on: store)
        try await opened.check()
        let registry = try TestRegistry(.anonymousToken)
        let first = try push(on: registry)
        try await first.check()
        await first.end()
        let bytes = noise(100)
        let place = "http://\(store.host)/v2/x/blobs/uploads/1?state=0&signature=s"
        registry.inject(.status(202, headers: ["Location": place]), on: "/blobs/uploads/", method: "POST")
        _ = try await push(on: registry).push(blob(bytes))
        let sent = store.requests.first { $0.method == "PUT" }
        #expect(sent?.query.hasPrefix("state=0&signature=s&digest=sha256%3A") == true)
        #expect(sent?.body == bytes)
        #expect(sent?.headers["authorization"] == nil)
        #expect(registry.requests.last { $0.method == "POST" }?.headers["authorization"] != nil)
    }

    @Test("does not believe a registry that keeps something else")
    func otherDigest() async throws {
        let other = Digest(hashing: "other")
        registry.inject(.header("Docker-Content-Digest", "\(other)"), on: "/blobs/uploads/", method: "PUT")
        let bytes = noise(10)
        let error = await #expect(throws: BuildError.self) { try await push().push(blob(bytes)) }
        #expect(error?.code == .digestMismatch)
        registry.inject(.header("Docker-Content-Digest", "\(other)"), on: "/manifests/", method: "PUT")
        let document = await #expect(throws: BuildError.self) { try await push().push(tree([]), tags: ["1"]) }
        #expect(document?.code == .digestMismatch)
    }

    @Test("sends blobs again that the registry lacks, though it said that it had them")
    func forgotten() async throws {
        let tree = tree([noise(50)])
        registry.inject(.status(200), on: "/blobs/sha256", method: "HEAD", times: 2)
        try await push().push(tree, tags: ["1"])
        for blob in tree.blobs { #expect(registry.blob(blob.descriptor.digest) != nil) }
        #expect(registry.manifest("team/app:1") != nil)
    }

    @Test("says what was refused, and what to do about it")
    func refusals() async throws {
        let denied = #"{"errors":[{"code":"DENIED","message":"requested access is denied"}]}"#
        registry.inject(.status(403, body: denied), on: "/blobs/uploads/", method: "POST")
        let error = await #expect(throws: BuildError.self) { try await push().check() }
        #expect(error?.code == .registryUnauthorized)
        #expect(
            error?.message == "not allowed to push to \(registry.host)/team/app (DENIED: requested access is denied), "
                + "scope 'repository:team/app:pull,push'")
        #expect(error?.hint == "log in with an account that may push there: whittle login \(registry.host)")

        let unknown = #"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#
        registry.inject(.status(404, body: unknown), on: "/blobs/uploads/", method: "POST")
        #expect(await #expect(throws: BuildError.self) { try await push().check() }?.code == .repositoryUnknown)

        let invalid = #"{"errors":[{"code":"MANIFEST_INVALID","message":"unknown media type"}]}"#
        registry.inject(.status(400, body: invalid), on: "/manifests/", method: "PUT")
        let manifest = await #expect(throws: BuildError.self) { try await push().push(tree([]), tags: ["1"]) }
        #expect(manifest?.code == .pushRefused)
        #expect(manifest?.message.hasSuffix("with status 400 (MANIFEST_INVALID: unknown media type)") == true)
    }

    @Test("makes the list of referrers where the registry does not keep it, and adds to it once")
    func referrers() async throws {
        let image = tree([])
        let push = try push()
        try await push.push(image, tags: ["1"])
        let subject = image.documents[0].descriptor
        for name in ["a", "b", "b"] {
            let empty = PushBlob(Array("{}".utf8), as: .ociEmpty)
            let manifest = Manifest(
                artifactType: "text/\(name)", config: empty.descriptor, layers: [empty.descriptor], subject: subject,
                annotations: ["name": name])
            try await push.push(
                PushTree(blobs: [empty], documents: [PushDocument(manifest.encoded(), as: .ociManifest)]))
        }
        let tag = "team/app:sha256-\(subject.digest.hex)"
        let index = try Index(parsing: #require(registry.manifest(tag)))
        #expect(index.manifests.map(\.artifactType) == ["text/a", "text/b"])
        #expect(index.manifests[1].annotations == ["name": "b"])
    }
}
