import Testing
import WhittleCore
import WhittleOCI

@Suite("Manifest and Index")
struct DocumentTests {
    static let digest = Digest(hashing: "x")
    static let descriptor = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\#(digest)","size":3}"#
    static let layer =
        #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\#(digest)","size":7,"annotations":{"k":"v"},"urls":["u"]}"#

    @Test("a manifest is read and written")
    func manifest() throws {
        let text =
            #"{"schemaVersion":2,"config":\#(Self.descriptor),"layers":[\#(Self.layer)],"annotations":{"a":"b"}}"#
        let manifest = try Manifest(parsing: Array(text.utf8), mediaType: .dockerManifest)
        #expect(manifest.mediaType == .dockerManifest)
        #expect(manifest.config.size == 3)
        #expect(manifest.layers.first?.mediaType.compression == .gzip)
        #expect(manifest.layers.first?.annotations == ["k": "v"])
        #expect(manifest.layers.first?.urls == ["u"])
        #expect(manifest.annotations == ["a": "b"])
        #expect(try Manifest(parsing: manifest.encoded()) == manifest)
    }

    struct Malformed: CustomTestStringConvertible, Sendable {
        let text: String
        let message: String
        let code: BuildError.Code
        var testDescription: String { message }
        init(_ text: String, _ message: String, _ code: BuildError.Code = .malformedDocument) {
            (self.text, self.message, self.code) = (text, message, code)
        }
    }

    static func manifest(_ members: String) -> String { #"{"schemaVersion":2,\#(members)}"# }

    static let malformed: [Malformed] = [
        Malformed("", "cannot read the image manifest: not JSON: unexpected end of the document at byte 0"),
        Malformed("[]", "cannot read the image manifest: expected an object, found an array"),
        Malformed("{}", "cannot read the image manifest: member 'schemaVersion': missing"),
        Malformed(
            #"{"schemaVersion":3}"#, "cannot read the image manifest: member 'schemaVersion': expected 2, found 3"),
        Malformed(
            #"{"schemaVersion":1,"fsLayers":[]}"#,
            "the manifest is of Docker's schema 1, which was retired in 2019", .unsupportedManifest),
        Malformed(
            manifest(#""mediaType":"text/plain""#), "cannot use a manifest of media type 'text/plain'",
            .unsupportedManifest),
        Malformed(manifest(#""layers":[]"#), "cannot read the image manifest: member 'config': missing"),
        Malformed(manifest(#""config":\#(descriptor)"#), "cannot read the image manifest: member 'layers': missing"),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":{}"#),
            "cannot read the image manifest: member 'layers': expected an array, found an object"),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":[],"manifests":[]"#),
            "cannot read the image manifest: member 'manifests': an image manifest must not also be an index"),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":[\#(layer),{"mediaType":"x","size":1}]"#),
            "cannot read the image manifest: member 'layers[1].digest': missing"),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":[{"mediaType":"x","size":-1,"digest":"\#(digest)"}]"#),
            "cannot read the image manifest: member 'layers[0].size': a size cannot be negative, found -1"),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":[{"mediaType":"x","size":1.5,"digest":"\#(digest)"}]"#),
            "cannot read the image manifest: member 'layers[0].size': expected a whole number, found a number"),
        Malformed(
            manifest(#""config":{"mediaType":"x","size":1,"digest":"sha512:00"},"layers":[]"#),
            "cannot read the image manifest: member 'config.digest': 'sha512:00' is no digest: algorithm 'sha512' is "
                + "not supported, only sha256 is"),
        Malformed(
            manifest(#""config":{"mediaType":"x","size":1,"digest":"../../etc"},"layers":[]"#),
            "cannot read the image manifest: member 'config.digest': '../../etc' is no digest: no ':' after the algorithm"
        ),
        Malformed(
            manifest(#""config":\#(descriptor),"layers":[],"annotations":{"a":1}"#),
            "cannot read the image manifest: member 'annotations.a': expected a string, found a number"),
    ]

    @Test("a malformed manifest gives an error that names the member", arguments: malformed)
    func rejects(_ example: Malformed) {
        let error = #expect(throws: BuildError.self) { try Manifest(parsing: Array(example.text.utf8)) }
        #expect(error?.message == example.message)
        #expect(error?.code == example.code)
        #expect(error?.hint != nil)
    }

    @Test("a document that contradicts the type it was sent as is refused")
    func contradiction() {
        let text = Self.manifest(
            #""mediaType":"application/vnd.oci.image.manifest.v1+json","config":\#(Self.descriptor),"layers":[]"#)
        let error = #expect(throws: BuildError.self) {
            try Manifest(parsing: Array(text.utf8), mediaType: .ociIndex)
        }
        #expect(error?.message.contains("contradicts") == true)
    }

    static func index(_ platforms: [String]) throws -> Index {
        let entries = platforms.enumerated().map { number, platform in
            let member = platform.isEmpty ? "" : #","platform":\#(platform)"#
            return #"{"mediaType":"m","digest":"\#(Digest(hashing: "\(number)"))","size":1\#(member)}"#
        }
        return try Index(parsing: Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8))
    }

    static let linux = [
        #"{"os":"linux","architecture":"amd64"}"#, #"{"os":"linux","architecture":"arm","variant":"v6"}"#,
        #"{"os":"linux","architecture":"arm","variant":"v7"}"#,
        #"{"os":"linux","architecture":"arm64","variant":"v8"}"#, "",
    ]

    @Test(
        "an index offers the platform, then older variants, then entries without one",
        arguments: [
            ("linux/amd64", [0, 4]), ("linux/amd64/v3", [0, 4]), ("linux/arm64", [3, 4]), ("linux/arm", [2, 1, 4]),
            ("linux/arm/v8", [2, 1, 4]), ("linux/arm/v6", [1, 4]), ("linux/s390x", [4]), ("linux/386", [4]),
        ] as [(String, [Int])])
    func selection(_ wanted: String, _ expected: [Int]) throws {
        let platform = try #require(Platform(parsing: wanted))
        let offered = try Self.index(Self.linux).candidates(for: platform)
        #expect(offered.map { $0.digest } == expected.map { Digest(hashing: "\($0)") })
    }

    @Test("attestations are no platforms")
    func attestations() throws {
        let text = """
            {"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"\(Self.digest)","size":1,
            "platform":{"os":"unknown","architecture":"unknown"},
            "annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}
            """
        let index = try Index(parsing: Array(text.utf8))
        #expect(index.platforms.isEmpty)
        #expect(index.candidates(for: Platform(os: "unknown", architecture: "unknown")).isEmpty)
        #expect(try Index(parsing: index.encoded()) == index)
    }

    @Test("an index that is also a manifest is refused")
    func both() {
        let text = #"{"schemaVersion":2,"manifests":[],"layers":[]}"#
        let error = #expect(throws: BuildError.self) { try Index(parsing: Array(text.utf8)) }
        #expect(
            error?.message
                == "cannot read the image index: member 'layers': an image index must not also be an image manifest")
    }

    @Test("chainIDs are those of the specification's formula")
    func chainIDs() {
        let layers = ["a", "b", "c"].map { Digest(hashing: $0) }
        let second = Digest(hashing: "\(layers[0]) \(layers[1])")
        let third = Digest(hashing: "\(second) \(layers[2])")
        #expect(ChainID.each(of: layers) == [layers[0], second, third])
        #expect(ChainID.of(layers) == third)
        #expect(ChainID.of([]) == nil)
    }

    @Test(
        "layer types say their compression",
        arguments: MediaType.Compression.allCases, [false, true])
    func layerTypes(_ compression: MediaType.Compression, _ docker: Bool) {
        #expect(MediaType.layer(compression, docker: docker).compression == compression)
        #expect(!MediaType.layer(compression, docker: docker).isNondistributable)
        #expect(MediaType.dockerForeignLayer.isNondistributable)
        #expect(MediaType(rawValue: "application/wasm").compression == nil)
    }
}
