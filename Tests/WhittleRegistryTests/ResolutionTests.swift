import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("RegistryImageSource.resolve", .timeLimit(.minutes(1)))
struct ResolutionTests {
    @Test("a tag gives manifest, configuration and where they came from")
    func tag() async throws {
        let registry = try TestRegistry()
        let layer = noise(1000)
        let added = registry.add(image: "team/app", tag: "1", platform: amd64, layers: [layer]) {
            $0.config.environment = ["A=b"]
        }
        let fixture = try RegistryFixture()
        let image = try await fixture.source("\(registry.host)/team/app:1").resolve(amd64)
        #expect(image.descriptor.digest == added.digest)
        #expect(image.rootDigest == added.digest)
        #expect(image.index == nil)
        #expect(image.configuration.config.environment == ["A=b"])
        #expect(image.configuration.diffIDs == [Digest(hashing: layer)])
        #expect(Digest(hashing: image.configurationBytes) == image.manifest.config.digest)
        #expect(Digest(hashing: image.manifestBytes) == added.digest)
        #expect(image.place == "\(registry.host)/team/app")
        #expect(image.name == "\(registry.host)/team/app:1")
        #expect(fixture.waits.all.isEmpty)
    }

    @Test("an index gives the image of the platform, and keeps the index's digest")
    func index() async throws {
        let registry = try TestRegistry()
        let images = [amd64, arm64].map { platform in
            registry.add(image: "app", platform: platform) { $0.config.user = platform.architecture }
        }
        let index = registry.add(index: images, repository: "app", tag: "latest")
        let source = try RegistryFixture().source("\(registry.host)/app")
        let image = try await source.resolve(arm64)
        #expect(image.configuration.config.user == "arm64")
        #expect(image.rootDigest == index.digest)
        #expect(image.descriptor.digest == images[1].digest)
    }

    @Test("nested indexes are followed, and entries without a platform are looked into")
    func nested() async throws {
        let registry = try TestRegistry()
        var plain = registry.add(image: "app", platform: arm64)
        plain.platform = nil
        let inner = registry.add(index: [plain], repository: "app")
        let root = registry.add(index: [inner], repository: "app", tag: "latest")
        let image = try await RegistryFixture().source("\(registry.host)/app").resolve(arm64)
        #expect(image.platform == arm64)
        #expect(image.rootDigest == root.digest)
    }

    @Test("the error for a missing platform lists the ones there are")
    func wrongPlatform() async throws {
        let registry = try TestRegistry()
        let images = [amd64, arm64].map { registry.add(image: "app", platform: $0) }
        registry.add(index: images, repository: "app", tag: "1")
        registry.add(image: "single", tag: "1", platform: arm64)
        let wanted = Platform(os: "linux", architecture: "s390x")
        let fixture = try RegistryFixture()
        var error = await #expect(throws: BuildError.self) {
            try await fixture.source("\(registry.host)/app:1").resolve(wanted)
        }
        #expect(error?.code == .wrongPlatform)
        #expect(
            error?.message
                == "image '\(registry.host)/app:1' does not exist for linux/s390x, only for: linux/amd64, linux/arm64")
        #expect(error?.hint == "choose one of these with --platform=linux/amd64, or use another image")
        error = await #expect(throws: BuildError.self) {
            try await fixture.source("\(registry.host)/single:1").resolve(amd64)
        }
        #expect(error?.message.hasSuffix("does not exist for linux/amd64, only for: linux/arm64") == true)
    }

    @Test("a digest is asked for as such, and its content must hash to it")
    func digest() async throws {
        let registry = try TestRegistry()
        let added = registry.add(image: "app", platform: amd64)
        let fixture = try RegistryFixture()
        let source = try fixture.source("\(registry.host)/app@\(added.digest)")
        #expect(try await source.resolve(amd64).descriptor.digest == added.digest)
        #expect(registry.requests.contains { $0.path == "/v2/app/manifests/\(added.digest)" })
        registry.inject(.corruption, on: "/manifests/")
        let error = await #expect(throws: BuildError.self) { try await source.resolve(amd64) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message.contains("expected \(added.digest), received sha256:") == true)
    }

    @Test("a manifest that is not what Docker-Content-Digest says is refused")
    func announcedDigest() async throws {
        let registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64)
        registry.inject(.header("Docker-Content-Digest", "\(Digest(hashing: "other"))"), on: "/manifests/")
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.code == .digestMismatch)
    }

    @Test("what the caller has from before is not fetched again, but a tag is looked up anew")
    func known() async throws {
        let registry = try TestRegistry()
        let old = registry.add(image: "app", platform: amd64)
        registry.add(index: [old], repository: "app", tag: "1")
        let source = try RegistryFixture().source("\(registry.host)/app:1")
        let first = try await source.resolve(amd64)
        let indexBytes = Index(manifests: [old]).encoded()
        let store = [
            first.rootDigest: indexBytes, first.descriptor.digest: first.manifestBytes,
            first.manifest.config.digest: first.configurationBytes,
        ]
        registry.forgetRequests()
        let second = try await source.resolve(amd64, known: { store[$0] })
        #expect(second.rootDigest == first.rootDigest)
        #expect(registry.requests.map { $0.method } == ["HEAD"])

        let new = registry.add(image: "app", platform: amd64) { $0.author = "somebody" }
        registry.add(index: [new], repository: "app", tag: "1")
        let third = try await source.resolve(amd64, known: { store[$0] })
        #expect(third.configuration.author == "somebody")
    }

    @Test("damaged content that the caller has is fetched instead")
    func damagedKnown() async throws {
        let registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64)
        let source = try RegistryFixture().source("\(registry.host)/app:1")
        let image = try await source.resolve(amd64, known: { _ in Array("rubbish".utf8) })
        #expect(image.platform == amd64)
    }

    @Test("a registry that tells no digest on HEAD is asked with GET")
    func withoutHead() async throws {
        let registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64)
        registry.inject(.status(405), on: "/manifests/")
        let source = try RegistryFixture().source("\(registry.host)/app:1")
        let image = try await source.resolve(amd64, known: { _ in nil })
        #expect(registry.requests.prefix(3).map { $0.method } == ["HEAD", "GET", "GET"])
        #expect(image.platform == amd64)
    }

    @Test("an index that leads to ever more manifests is given up")
    func endless() async throws {
        let registry = try TestRegistry()
        let images = (0..<100).map { number in
            var image = registry.add(image: "app", platform: arm64) { $0.author = "\(number)" }
            image.platform = nil
            return image
        }
        registry.add(index: images, repository: "app", tag: "1")
        let fixture = try RegistryFixture()
        var error = await #expect(throws: BuildError.self) {
            try await fixture.source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.message.hasSuffix("none of its first 64 manifests is for linux/amd64") == true)
        var index = registry.add(index: [], repository: "deep")
        for _ in 0..<5 { index = registry.add(index: [index], repository: "deep", tag: "1") }
        error = await #expect(throws: BuildError.self) {
            try await fixture.source("\(registry.host)/deep:1").resolve(amd64)
        }
        #expect(error?.message.hasSuffix("indexes nested deeper than 4 levels") == true)
    }

    @Test("an artifact that is no image is refused by name")
    func artifact() async throws {
        let registry = try TestRegistry()
        let config = registry.add(
            blob: Array("{}".utf8), as: MediaType(rawValue: "application/vnd.cncf.helm.config.v1+json"))
        let manifest = Manifest(config: config, layers: [])
        registry.add(manifest: manifest.encoded(), as: .ociManifest, repository: "chart", tag: "1")
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/chart:1").resolve(amd64)
        }
        #expect(error?.code == .notAnImage)
        #expect(
            error?.message == "'\(registry.host)/chart:1' is no container image: its configuration is of type "
                + "'application/vnd.cncf.helm.config.v1+json'")
    }

    @Test("an image whose layers do not match its configuration is refused")
    func inconsistent() async throws {
        let registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64, layers: [noise(10)]) { $0.diffIDs = [] }
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.code == .notAnImage)
        #expect(error?.message.hasSuffix("its manifest has 1 layers, its configuration 0") == true)
    }

    @Test("a huge configuration is refused before it is read")
    func hugeConfiguration() async throws {
        let registry = try TestRegistry()
        var config = registry.add(blob: Array("{}".utf8), as: .ociConfiguration)
        config.size = 1 << 40
        registry.add(
            manifest: Manifest(config: config, layers: []).encoded(), as: .ociManifest, repository: "app", tag: "1")
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.message.hasSuffix("has 1099511627776 bytes, at most 8388608 are read") == true)
        #expect(!registry.requests.contains { $0.path.contains("/blobs/") })
    }

    @Test("a manifest longer than four million bytes is not read to its end")
    func hugeManifest() async throws {
        let registry = try TestRegistry()
        registry.add(image: "app", tag: "1", platform: amd64)
        registry.inject(.body([UInt8](repeating: 32, count: 5 << 20)), on: "/manifests/", times: 10)
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.code == .registryFailed)
        #expect(error?.message.contains("longer than 4194304 bytes") == true)
    }

    @Test("truncated JSON gives an error that says where it ends")
    func truncated() async throws {
        let registry = try TestRegistry()
        let added = registry.add(image: "app", tag: "1", platform: amd64)
        let half = Array("{\"schemaVersion\":2,".utf8)
        registry.inject(.header("Docker-Content-Digest", ""), on: "/manifests/", times: 1)
        registry.add(manifest: half, as: .ociManifest, repository: "app", tag: "1")
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(registry.host)/app:1").resolve(amd64)
        }
        #expect(error?.code == .malformedDocument)
        #expect(error?.message == "cannot read the image manifest: not JSON: unexpected end of the document at byte 19")
        #expect(added.size > 0)
    }
}
