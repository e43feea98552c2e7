import Testing
import WhittleCore
import WhittleOCI
import WhittleRemoteCache

@Suite("CacheDocument")
struct CacheDocumentTests {
    static func descriptor(_ digest: Digest, _ diffID: Digest, created: Int64?) -> Descriptor {
        CacheDocument.descriptor(
            digest, mediaType: .ociLayerGzip, size: 123, diffID: diffID,
            created: created.map { Timestamp(seconds: $0) })
    }

    static let document = CacheDocument(
        config: CacheConfigTests.full,
        descriptors: [
            CacheConfigTests.a: descriptor(CacheConfigTests.a, CacheConfigTests.b, created: 60),
            CacheConfigTests.b: descriptor(CacheConfigTests.b, CacheConfigTests.c, created: nil),
            CacheConfigTests.c: descriptor(CacheConfigTests.c, CacheConfigTests.a, created: 5),
        ])

    @Test("keeps descriptors in the configuration where there is no manifest")
    func annotated() throws {
        let bytes = Self.document.annotated()
        let read = try CacheDocument(annotated: bytes)
        #expect(read.descriptors == Self.document.descriptors)
        #expect(read.config.records == (try CacheConfig(parsing: Self.document.config.encoded())).records)
        let layer = try JSONValue(parsing: bytes)["layers"]?[0]
        #expect(layer?["annotations"]?["size"]?.integer == 123)
        #expect(layer?["annotations"]?["createdAt"]?.string == "1970-01-01T00:01:00Z")
        #expect(layer?["annotations"]?["mediaType"]?.string == MediaType.ociLayerGzip.rawValue)
    }

    @Test(
        "is a manifest of either form",
        arguments: [
            CacheManifestForm.imageManifest, .index(isDocker: false), .index(isDocker: true),
        ])
    func manifest(_ form: CacheManifestForm) throws {
        let (manifest, type, config) = Self.document.manifest(form)
        let parts = try #require(try CacheDocument.parts(ofManifest: manifest, mediaType: type))
        #expect(parts.config.digest == Digest(hashing: config))
        #expect(parts.config.mediaType == .cacheConfig)
        #expect(parts.layers.map(\.digest) == [CacheConfigTests.a, CacheConfigTests.b, CacheConfigTests.c])
        let read = try CacheDocument(config: config, layers: parts.layers)
        #expect(read.descriptors == Self.document.descriptors)
        // The type also stands in the document, for a registry that forgets it.
        #expect(try CacheDocument.parts(ofManifest: manifest, mediaType: nil) != nil)
    }

    @Test("is not found in the manifest of an image")
    func image() throws {
        let manifest = Manifest(config: Descriptor(of: Array("{}".utf8), as: .ociConfiguration), layers: [])
        #expect(try CacheDocument.parts(ofManifest: manifest.encoded(), mediaType: nil) == nil)
    }

    @Test("is carried by an image")
    func inline() throws {
        var config = CacheConfig(layers: [CacheConfig.Layer(blob: CacheConfigTests.a, parent: nil)])
        config.records = [
            CacheConfig.Record(
                digest: CacheConfigTests.c,
                results: [CacheConfig.Result(layers: .chain(0), created: Timestamp(seconds: 2))])
        ]
        let configuration: JSONValue = [
            "rootfs": ["diff_ids": [.string("\(CacheConfigTests.b)")]],
            "history": [["created": "1970-01-01T00:00:09Z"], ["empty_layer": true]],
            "moby.buildkit.cache.v0": .string(CacheDocument.inlineValue(config)),
        ]
        let layer = Descriptor(mediaType: .ociLayerGzip, digest: CacheConfigTests.a, size: 123)
        let found = try CacheDocument(inlineIn: configuration.encoded(), layers: [layer])
        let read = try #require(found)
        #expect(read.config.records == config.records)
        #expect(
            read.descriptors
                == [CacheConfigTests.a: Self.descriptor(CacheConfigTests.a, CacheConfigTests.b, created: 9)])
        #expect(read.config.layers[0].created == Timestamp(seconds: 9))
        #expect(try CacheDocument(inlineIn: Array("{}".utf8), layers: []) == nil)
        let error = #expect(throws: BuildError.self) {
            try CacheDocument(inlineIn: configuration.encoded(), layers: [])
        }
        #expect(error?.code == .malformedCache)
    }
}
