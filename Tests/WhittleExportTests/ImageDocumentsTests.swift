import Testing
import WhittleCore
import WhittleOCI

@testable import WhittleExport

@Suite("ImageDocuments")
struct ImageDocumentsTests {
    private static func layer(_ text: String, _ type: MediaType) -> ExportImage.Layer {
        ExportImage.Layer(
            descriptor: Descriptor(
                mediaType: type, digest: Digest(hashing: text), size: Int64(text.utf8.count),
                annotations: ["org.example": "kept"], urls: ["https://example.com"]),
            diffID: Digest(hashing: "tar of " + text))
    }

    private static func image(_ types: [MediaType], history: [HistoryEntry]) -> ExportImage {
        var configuration = ImageConfiguration(platform: Platform(os: "linux", architecture: "arm64"))
        configuration.created = Timestamp(seconds: 1_700_000_000)
        configuration.history = history
        return ExportImage(
            configuration: configuration, layers: types.enumerated().map { layer("layer \($0)", $1) })
    }

    static let entry = HistoryEntry(created: nil, createdBy: "RUN x")

    @Test("writes OCI's media types, the diffIDs, the platform and the annotations")
    func oci() throws {
        let image = Self.image(
            [.dockerLayerGzip, .ociLayerZstd, .ociLayer], history: [Self.entry, Self.entry, Self.entry])
        let format = ImageFormat(
            annotations: ImageAnnotations(manifest: ["a": "b"], manifestDescriptor: ["c": "d"]))
        let documents = ImageDocuments(of: [image], format: format)

        let manifest = try Manifest(parsing: documents.images[0].manifest.bytes)
        #expect(manifest.mediaType == .ociManifest)
        #expect(manifest.layers.map { $0.mediaType } == [.ociLayerGzip, .ociLayerZstd, .ociLayer])
        #expect(manifest.layers.map { $0.annotations } == Array(repeating: ["org.example": "kept"], count: 3))
        #expect(manifest.layers.allSatisfy { $0.urls.isEmpty })
        #expect(manifest.annotations == ["a": "b"])
        #expect(manifest.config == documents.images[0].configuration.descriptor)
        #expect(manifest.config.mediaType == .ociConfiguration)
        #expect(manifest.config.digest == Digest(hashing: documents.images[0].configuration.bytes))

        let configuration = try ImageConfiguration(parsing: documents.images[0].configuration.bytes)
        #expect(configuration.diffIDs == image.layers.map { $0.diffID })
        #expect(documents.descriptor.digest == Digest(hashing: documents.images[0].manifest.bytes))
        #expect(documents.descriptor.size == Int64(documents.images[0].manifest.bytes.count))
        #expect(documents.descriptor.platform == Platform(os: "linux", architecture: "arm64"))
        #expect(
            documents.descriptor.annotations
                == ["c": "d", "org.opencontainers.image.created": "2023-11-14T22:13:20Z"])
    }

    @Test("writes Docker's media types without annotations")
    func docker() throws {
        let image = Self.image([.ociLayerGzip, .ociLayer], history: [Self.entry, Self.entry])
        let documents = ImageDocuments(of: [image], format: ImageFormat(usesOCIMediaTypes: false))
        let manifest = try Manifest(parsing: documents.images[0].manifest.bytes)
        #expect(manifest.mediaType == .dockerManifest)
        #expect(manifest.config.mediaType == .dockerConfiguration)
        #expect(manifest.layers.map { $0.mediaType } == [.dockerLayerGzip, .dockerLayer])
        #expect(manifest.layers.allSatisfy { $0.annotations.isEmpty })
        #expect(documents.descriptor.annotations.isEmpty)
    }

    @Test("a layer that was not to be distributed becomes an ordinary one")
    func foreign() throws {
        let image = Self.image([.dockerForeignLayer], history: [Self.entry])
        #expect(ImageDocuments(of: [image], format: ImageFormat()).layers.map { $0.mediaType } == [.ociLayerGzip])
    }

    @Test("equal images give equal bytes")
    func deterministic() {
        let image = Self.image([.ociLayerGzip], history: [Self.entry])
        let documents = (0..<3).map { _ in ImageDocuments(of: [image], format: ImageFormat()) }
        #expect(Set(documents.map { $0.descriptor }).count == 1)
    }

    @Test("the history has an entry for each layer, whatever the base image had", arguments: [0, 1, 2, 3, 5])
    func history(entries: Int) throws {
        let empty = HistoryEntry(createdBy: "ENV x", isEmptyLayer: true)
        let image = Self.image(
            [.ociLayerGzip, .ociLayerGzip, .ociLayerGzip],
            history: [empty] + Array(repeating: Self.entry, count: entries) + [empty])
        let configuration = try ImageConfiguration(
            parsing: ImageDocuments(of: [image], format: ImageFormat()).images[0].configuration.bytes)
        #expect(configuration.history.count { !$0.isEmptyLayer } == 3)
        #expect(
            configuration.history.prefix(2 + entries).map { $0.createdBy }
                == image.configuration.history.map { $0.createdBy })
    }
}

@Suite("ExportResult")
struct ExportResultTests {
    private static func result(_ text: String, names: [String] = []) throws -> ExportResult {
        var manifest = Descriptor(of: Array(text.utf8), as: .ociManifest)
        manifest.platform = Platform(os: "linux", architecture: "amd64")
        manifest.annotations = ["org.opencontainers.image.created": "2023-11-14T22:13:20Z"]
        return ExportResult(
            manifest: manifest, configuration: Descriptor(of: Array("config \(text)".utf8), as: .ociConfiguration),
            names: try names.map { try ImageReference(parsing: $0) })
    }

    @Test("the image ID is the digest of the configuration, without a line end")
    func imageID() throws {
        let result = try Self.result("a")
        #expect(ExportResult.imageIDFile([result]) == result.imageID.description)
        #expect(ExportResult.imageIDFile([]) == "")
    }

    @Test("the metadata has buildx's keys")
    func metadata() throws {
        let result = try Self.result("a", names: ["app", "ghcr.io/x/app:1"])
        #expect(
            ExportResult.metadataFile([result]) == """
                {
                  "containerimage.config.digest": "\(result.imageID)",
                  "containerimage.descriptor": {
                    "annotations": {
                      "org.opencontainers.image.created": "2023-11-14T22:13:20Z"
                    },
                    "digest": "\(result.manifest.digest)",
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "platform": {
                      "architecture": "amd64",
                      "os": "linux"
                    },
                    "size": 1
                  },
                  "containerimage.digest": "\(result.manifest.digest)",
                  "image.name": "docker.io/library/app:latest,ghcr.io/x/app:1"
                }

                """)
    }

    @Test("an index has no configuration, so its own digest is the image ID")
    func index() throws {
        var result = try Self.result("a")
        result.configuration = nil
        #expect(ExportResult.imageIDFile([result]) == result.manifest.digest.description)
        #expect(!ExportResult.metadataFile([result]).contains("config.digest"))
    }

    @Test("the metadata of outputs that are no image is an empty object")
    func empty() { #expect(ExportResult.metadataFile([]) == "{}\n") }
}
