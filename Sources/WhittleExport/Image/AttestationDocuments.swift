internal import WhittleCore
package import WhittleOCI

/// The attestations of an image for one platform as a manifest of their own, which stands beside the image's in the index.
///
/// The form is BuildKit's: an OCI artifact whose layers are the statements and whose subject is the image's manifest, or,
/// for registries that take no artifacts, a manifest with the configuration of an image that runs nowhere.
package struct AttestationDocuments: Sendable {
    /// One for each attestation, in their order.
    package let statements: [ImageDocument]
    package let configuration: ImageDocument
    package let manifest: ImageDocument
    /// The manifest as it stands in an index.
    package let descriptor: Descriptor

    private static let artifactType = "application/vnd.docker.attestation.manifest.v1+json"
    private static let statementType = MediaType(rawValue: "application/vnd.in-toto+json")
    private static let nowhere = Platform(os: "unknown", architecture: "unknown")

    /// - Parameters:
    ///   - attestations: at least one.
    ///   - image: what they are about.
    init(_ attestations: [Attestation], about image: PlatformDocuments, format: ImageFormat) {
        let platform = image.descriptor.platform ?? Self.nowhere
        let subjects = format.names.map { name in
            AttestationSubject(name, platform: platform, digest: image.descriptor.digest)
        }
        statements = attestations.map { ImageDocument($0.statement(about: subjects), as: Self.statementType) }
        let layers = zip(statements, attestations).map { document, attestation in
            var layer = document.descriptor
            layer.annotations["in-toto.io/predicate-type"] = attestation.predicateType
            return layer
        }
        let isArtifact = format.usesArtifacts
        var config: Descriptor
        if isArtifact {
            configuration = ImageDocument(Array("{}".utf8), as: .ociEmpty)
            config = configuration.descriptor
            config.data = "e30="
        } else {
            var dummy = ImageConfiguration(platform: Self.nowhere)
            dummy.diffIDs = statements.map(\.descriptor.digest)
            configuration = ImageDocument(dummy.encoded(), as: .ociConfiguration)
            config = configuration.descriptor
        }
        let manifest = Manifest(
            artifactType: isArtifact ? Self.artifactType : nil, config: config, layers: layers,
            subject: isArtifact ? image.manifest.descriptor : nil)
        self.manifest = ImageDocument(manifest.encoded(), as: manifest.mediaType)
        var descriptor = self.manifest.descriptor
        descriptor.platform = Self.nowhere
        descriptor.annotations = [
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image.descriptor.digest.description,
        ]
        self.descriptor = descriptor
    }
}
