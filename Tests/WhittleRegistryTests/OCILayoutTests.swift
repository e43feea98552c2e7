import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

@Suite("OCILayoutSource")
struct OCILayoutTests {
    let directory: TemporaryDirectory
    static let layer = noise(600_000)
    let layer = Self.layer

    init() throws {
        directory = try TemporaryDirectory("layout")
        try directory.write("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
    }

    func add(_ bytes: [UInt8], _ mediaType: MediaType) throws -> Descriptor {
        let descriptor = Descriptor(of: bytes, as: mediaType)
        try directory.write(bytes: bytes, "blobs/sha256/\(descriptor.digest.hex)")
        return descriptor
    }

    func addImage(_ platform: Platform, user: String = "") throws -> Descriptor {
        var configuration = ImageConfiguration(platform: platform)
        configuration.config.user = user
        let layer = try add(layer, .ociLayer)
        configuration.diffIDs = [layer.digest]
        let config = try add(configuration.encoded(), .ociConfiguration)
        var manifest = try add(Manifest(config: config, layers: [layer]).encoded(), .ociManifest)
        manifest.platform = platform
        return manifest
    }

    func named(_ descriptor: Descriptor, _ name: String) -> Descriptor {
        var descriptor = descriptor
        descriptor.annotations["org.opencontainers.image.ref.name"] = name
        return descriptor
    }

    func writeIndex(_ manifests: [Descriptor]) throws {
        try directory.write(bytes: Index(manifests: manifests).encoded(), "index.json")
    }

    func source(_ suffix: String = "") throws -> OCILayoutSource {
        try OCILayoutSource(OCILayoutLocation(parsing: "oci-layout://\(directory.path)\(suffix)"))
    }

    @Test("the only image is taken without a tag, and its layers stream")
    func single() async throws {
        let manifest = try addImage(amd64)
        try writeIndex([named(manifest, "whatever")])
        let source = try source()
        let image = try await source.resolve(amd64)
        #expect(image.descriptor.digest == manifest.digest)
        #expect(image.name == "oci-layout://\(directory.path)")
        #expect(image.place == directory.path)
        let collector = Collector()
        try await source.read(image.manifest.layers[0], into: collector.sink)
        #expect(collector.bytes == layer)
    }

    @Test("a tag, a digest and `latest` choose among several", arguments: [":a", ":b", "", "@"])
    func selection(_ suffix: String) async throws {
        let images = try ["a", "b", "latest"].map { try named(addImage(amd64, user: $0), $0) }
        try writeIndex(images)
        let text = suffix == "@" ? "@\(images[1].digest)" : suffix
        let expected = ["": "latest", "@": "b"][suffix] ?? String(suffix.dropFirst())
        #expect(try await source(text).resolve(amd64).configuration.config.user == expected)
    }

    @Test("whole references as names match by their tag")
    func wholeReference() async throws {
        try writeIndex([named(try addImage(amd64), "docker.io/library/a:7"), named(try addImage(arm64), "x")])
        #expect(try await source(":7").resolve(amd64).platform == amd64)
    }

    @Test("several entries of one name are platforms of one image, and indexes nest")
    func platforms() async throws {
        let first = try addImage(amd64)
        let second = try addImage(arm64)
        try writeIndex([named(first, "a"), named(second, "a")])
        #expect(try await source(":a").resolve(arm64).platform == arm64)
        let inner = try add(Index(manifests: [first, second]).encoded(), .ociIndex)
        try writeIndex([named(inner, "a")])
        let image = try await source(":a").resolve(arm64)
        #expect(image.platform == arm64)
        #expect(image.index?.digest == inner.digest)
        #expect(try await source("@\(second.digest)").resolve(arm64).platform == arm64)
        let error = await #expect(throws: BuildError.self) {
            try await source(":a").resolve(Platform(os: "linux", architecture: "s390x"))
        }
        #expect(error?.code == .wrongPlatform)
        #expect(error?.message.hasSuffix("only for: linux/amd64, linux/arm64") == true)
    }

    @Test("an unknown name lists the ones there are")
    func unknown() async throws {
        try writeIndex([named(try addImage(amd64), "one"), named(try addImage(arm64), "two")])
        let error = await #expect(throws: BuildError.self) { try await source(":three").resolve(amd64) }
        #expect(error?.code == .imageNotFound)
        #expect(error?.message == "no image 'three' in the OCI layout '\(directory.path)', which has: one, two")
        let none = await #expect(throws: BuildError.self) { try await source().resolve(amd64) }
        #expect(none?.message.hasPrefix("no image 'latest' in") == true)
        let digest = Digest(hashing: "x")
        let missing = await #expect(throws: BuildError.self) { try await source("@\(digest)").resolve(amd64) }
        #expect(missing?.message.hasPrefix("no image with the digest \(digest) in") == true)
    }

    @Test("damaged blobs are found out")
    func damage() async throws {
        let manifest = try addImage(amd64)
        try writeIndex([manifest])
        let source = try source()
        let image = try await source.resolve(amd64)
        let blob = image.manifest.layers[0]
        var changed = layer
        changed[1000] ^= 1
        try directory.write(bytes: changed, "blobs/sha256/\(blob.digest.hex)")
        let wrong = await #expect(throws: BuildError.self) { try await source.read(blob, into: Collector().sink) }
        #expect(wrong?.code == .digestMismatch)
        try directory.write(bytes: layer + [0], "blobs/sha256/\(blob.digest.hex)")
        let long = await #expect(throws: BuildError.self) { try await source.read(blob, into: Collector().sink) }
        #expect(long?.message.contains("expected 600000 bytes, received 600001") == true)
        try directory.write(bytes: Array(layer.dropLast()), "blobs/sha256/\(blob.digest.hex)")
        let short = await #expect(throws: BuildError.self) { try await source.read(blob, into: Collector().sink) }
        #expect(short?.message.contains("expected 600000 bytes, received 599999") == true)
        let config = image.manifest.config
        try directory.write(bytes: [UInt8](repeating: 32, count: Int(config.size)), "blobs/sha256/\(config.digest.hex)")
        let other = await #expect(throws: BuildError.self) { try await source.resolve(amd64) }
        #expect(other?.code == .digestMismatch)
        let missing = Descriptor(of: [1, 2], as: .ociLayer)
        let gone = await #expect(throws: BuildError.self) { try await source.read(missing, into: Collector().sink) }
        #expect(gone?.code == .imageNotFound)
    }

    @Test("a blob that is a link out of the layout is refused")
    func escape() async throws {
        let outside = try TemporaryDirectory("outside")
        let manifest = try addImage(amd64)
        try writeIndex([manifest])
        try outside.write(bytes: layer, "secret")
        let image = try await source().resolve(amd64)
        let blob = image.manifest.layers[0]
        try directory.remove("blobs/sha256/\(blob.digest.hex)")
        try directory.link("blobs/sha256/\(blob.digest.hex)", to: outside("secret"))
        let error = await #expect(throws: BuildError.self) { try await source().read(blob, into: Collector().sink) }
        #expect(error?.code.rawValue == "path-escapes")
    }

    @Test("what is no layout says why")
    func notALayout() async throws {
        let empty = try TemporaryDirectory("empty")
        func message(_ path: String) -> String? {
            #expect(throws: BuildError.self) { try OCILayoutSource(OCILayoutLocation(directory: path)) }?.message
        }
        #expect(message(empty.path) == "'\(empty.path)' is no OCI image layout: it has no file 'oci-layout'")
        #expect(message("/no/such") == "'/no/such' is no OCI image layout: there is no such directory")
        try empty.write("oci-layout", #"{"imageLayoutVersion":"2.0"}"#)
        #expect(message(empty.path)?.hasSuffix("its file 'oci-layout' says version '2.0'") == true)
        let error = await #expect(throws: BuildError.self) { try await source().resolve(amd64) }
        #expect(error?.message.hasSuffix("it has no file 'index.json'") == true)
        #expect(error?.code == .notAnOCILayout)
    }

    @Test(
        "locations are taken apart from the back",
        arguments: [
            ("oci-layout:///a/b", "/a/b", nil, false), ("dir:1.0", "dir", "1.0", false),
            ("/a:b/c", "/a:b/c", nil, false), ("/a:b/c:t", "/a:b/c", "t", false),
            ("/a/b:node:16", "/a/b", "node:16", false), ("d@", "d@", nil, false),
            ("d:t@sha256:\(String(repeating: "a", count: 64))", "d", "t", true),
            ("d@sha256:\(String(repeating: "a", count: 64))", "d", nil, true), ("d:", "d", nil, false),
        ] as [(String, String, String?, Bool)])
    func locations(_ text: String, _ directory: String, _ tag: String?, _ hasDigest: Bool) throws {
        let location = try OCILayoutLocation(parsing: text)
        #expect(location.directory == directory)
        #expect(location.tag == tag)
        #expect((location.digest != nil) == hasDigest)
    }

    @Test(
        "locations without a directory or with half a digest are refused",
        arguments: ["", "oci-layout://", ":t", "d@sha256:12"])
    func badLocations(_ text: String) {
        let error = #expect(throws: BuildError.self) { try OCILayoutLocation(parsing: text) }
        #expect(error?.code == .notAnOCILayout)
    }
}
