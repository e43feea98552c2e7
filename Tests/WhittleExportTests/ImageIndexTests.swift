import Testing
import WhittleCore
import WhittleOCI

@testable import WhittleExport

@Suite("ImageDocuments of several platforms and of attestations")
struct ImageIndexTests {
    static let amd = Platform(os: "linux", architecture: "amd64")
    static let arm = Platform(os: "linux", architecture: "arm", variant: "v7")

    private static func layer(_ text: String) -> ExportImage.Layer {
        ExportImage.Layer(
            descriptor: Descriptor(mediaType: .ociLayerGzip, digest: Digest(hashing: text), size: 9),
            diffID: Digest(hashing: "tar of " + text))
    }

    /// An image with a layer that all platforms have, and one of its own.
    private static func image(_ platform: Platform, created: Int64, _ attestations: [Attestation] = []) -> ExportImage {
        var configuration = ImageConfiguration(platform: platform)
        configuration.created = Timestamp(seconds: created)
        return ExportImage(
            configuration: configuration, layers: [layer("shared"), layer("\(platform)")], attestations: attestations)
    }

    private static let provenance = Attestation(
        predicateType: "https://slsa.dev/provenance/v1", predicate: Array(#"{"b":1,"a":[2]}"#.utf8))
    private static let packages = Attestation(
        predicateType: "https://spdx.dev/Document", predicate: Array(#"{"spdxVersion":"SPDX-2.3"}"#.utf8))

    @Test("the index has the platforms in their order, and is what the image is known by")
    func platforms() throws {
        let images = [Self.image(Self.arm, created: 5), Self.image(Self.amd, created: 7)]
        let documents = ImageDocuments(of: images, format: ImageFormat())
        let bytes = try #require(documents.index?.bytes)
        let index = try Index(parsing: bytes)
        #expect(index.manifests == documents.images.map(\.descriptor))
        #expect(index.manifests.map(\.platform) == [Self.arm, Self.amd])
        #expect(documents.descriptor.mediaType == .ociIndex && documents.descriptor.digest == Digest(hashing: bytes))
        #expect(documents.descriptor.platform == nil)
        #expect(documents.descriptor.annotations == ["org.opencontainers.image.created": "1970-01-01T00:00:07Z"])
        #expect(
            documents.layers.map(\.digest) == ["shared", "linux/arm/v7", "linux/amd64"].map { Digest(hashing: $0) })
        let again = ImageDocuments(of: images.reversed(), format: ImageFormat())
        #expect(again.images.map(\.descriptor) == documents.images.map(\.descriptor).reversed())
    }

    @Test("Docker's media types make a manifest list")
    func docker() throws {
        let images = [Self.image(Self.amd, created: 5), Self.image(Self.arm, created: 7)]
        let documents = ImageDocuments(of: images, format: ImageFormat(usesOCIMediaTypes: false))
        let list = try Index(parsing: try #require(documents.index?.bytes))
        #expect(list.mediaType == .dockerList)
        #expect(list.manifests.allSatisfy { $0.mediaType == .dockerManifest })
    }

    @Test("annotations reach the platforms that they are for")
    func annotations() throws {
        var format = ImageFormat()
        format.annotations.set("all", to: "1", at: .manifest)
        format.annotations.set("arm", to: "2", at: .manifest, platform: Self.arm)
        format.annotations.set("entry", to: "3", at: .manifestDescriptor, platform: Self.amd)
        format.annotations.set("index", to: "4", at: .index)
        let documents = ImageDocuments(
            of: [Self.image(Self.amd, created: 0), Self.image(Self.arm, created: 0)], format: format)
        let manifests = try documents.images.map { try Manifest(parsing: $0.manifest.bytes) }
        #expect(manifests.map(\.annotations) == [["all": "1"], ["all": "1", "arm": "2"]])
        let index = try Index(parsing: try #require(documents.index?.bytes))
        #expect(index.annotations == ["index": "4"])
        #expect(index.manifests.map(\.annotations) == [["entry": "3"], [:]])
    }

    @Test("an attestation makes an index with a manifest of its own behind the images")
    func attestations() throws {
        let format = ImageFormat(names: [try ImageReference(parsing: "ghcr.io/me/app:1")])
        let documents = ImageDocuments(
            of: [
                Self.image(Self.arm, created: 0, [Self.provenance, Self.packages]), Self.image(Self.amd, created: 0),
            ],
            format: format)
        let index = try Index(parsing: try #require(documents.index?.bytes))
        let image = documents.images[0].descriptor
        #expect(index.manifests.map(\.isAttestation) == [false, false, true])
        #expect(index.manifests[2].platform == Platform(os: "unknown", architecture: "unknown"))
        #expect(
            index.manifests[2].annotations == [
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": image.digest.description,
            ])
        #expect(index.platforms == [Self.arm, Self.amd])

        let attestation = documents.attestations[0]
        let manifest = try Manifest(parsing: attestation.manifest.bytes)
        #expect(manifest.artifactType == "application/vnd.docker.attestation.manifest.v1+json")
        #expect(manifest.config.mediaType == .ociEmpty && manifest.config.data == "e30=")
        #expect(
            manifest.config.digest.description
                == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        #expect(
            manifest.subject == Descriptor(mediaType: image.mediaType, digest: image.digest, size: image.size))
        #expect(manifest.layers.allSatisfy { $0.mediaType.rawValue == "application/vnd.in-toto+json" })
        #expect(
            manifest.layers.map(\.annotations)
                == [Self.provenance, Self.packages].map {
                    ["in-toto.io/predicate-type": $0.predicateType]
                })
        #expect(
            String(decoding: attestation.statements[0].bytes, as: UTF8.self)
                == #"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","#
                + #""subject":[{"name":"pkg:docker/ghcr.io/me/app@1?platform=linux%2Farm%2Fv7","digest":{"sha256":""#
                + image.digest.hex + #""}}],"predicate":{"b":1,"a":[2]}}"#)
    }

    @Test("for registries without artifacts, attestations have the configuration of an image that runs nowhere")
    func legacy() throws {
        var format = ImageFormat()
        format.usesArtifacts = false
        let documents = ImageDocuments(of: [Self.image(Self.amd, created: 0, [Self.provenance])], format: format)
        let attestation = documents.attestations[0]
        let manifest = try Manifest(parsing: attestation.manifest.bytes)
        #expect(manifest.artifactType == nil && manifest.subject == nil)
        #expect(manifest.config.mediaType == .ociConfiguration)
        let configuration = try ImageConfiguration(parsing: attestation.configuration.bytes)
        #expect(configuration.platform == Platform(os: "unknown", architecture: "unknown"))
        #expect(configuration.diffIDs == attestation.statements.map(\.descriptor.digest))
    }

    @Test("the list of documents has what each refers to in front of it, and each once")
    func order() throws {
        // Without names the statements are equal but for the digest; the empty configuration is the same one.
        let documents = ImageDocuments(
            of: [Self.image(Self.amd, created: 0, [Self.packages]), Self.image(Self.arm, created: 0, [Self.packages])],
            format: ImageFormat())
        var known = Set(documents.layers.map(\.digest))
        for document in documents.documents {
            #expect(Digest(hashing: document.bytes) == document.descriptor.digest)
            #expect(document.descriptor.size == Int64(document.bytes.count))
            if document.descriptor.mediaType.isManifest {
                let manifest = try Manifest(parsing: document.bytes)
                #expect(known.isSuperset(of: ([manifest.config] + manifest.layers).map(\.digest)))
            } else if document.descriptor.mediaType.isIndex {
                #expect(known.isSuperset(of: try Index(parsing: document.bytes).manifests.map(\.digest)))
            }
            #expect(known.insert(document.descriptor.digest).inserted)
        }
        #expect(documents.documents.last?.descriptor.digest == documents.descriptor.digest)
    }
}
