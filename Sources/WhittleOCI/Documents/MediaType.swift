/// The media type of a blob or manifest.
///
/// An open set: a type that has no name here survives a round trip.
/// Format: image-spec v1.1, `media-types.md`; Docker's are those of the registry's schema 2.
public struct MediaType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let ociManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
    public static let ociIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
    public static let ociConfiguration = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
    public static let ociEmpty = MediaType(rawValue: "application/vnd.oci.empty.v1+json")
    public static let ociLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
    public static let ociLayerGzip = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
    public static let ociLayerZstd = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")

    public static let dockerManifest = MediaType(rawValue: "application/vnd.docker.distribution.manifest.v2+json")
    public static let dockerList = MediaType(rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
    public static let dockerConfiguration = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
    public static let dockerLayer = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar")
    public static let dockerLayerGzip = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")
    public static let dockerLayerZstd = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.zstd")
    /// A layer that registries do not distribute (Windows base images).
    public static let dockerForeignLayer = MediaType(
        rawValue: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")

    /// What a registry client asks for when it asks for a manifest of any kind, most wanted first.
    public static let manifests: [MediaType] = [.ociIndex, .ociManifest, .dockerList, .dockerManifest]

    /// An image manifest of OCI or Docker.
    public var isManifest: Bool { self == .ociManifest || self == .dockerManifest }
    /// An image index or manifest list.
    public var isIndex: Bool { self == .ociIndex || self == .dockerList }
    /// A configuration of a runnable image.
    public var isImageConfiguration: Bool { self == .ociConfiguration || self == .dockerConfiguration }

    /// How a layer blob is compressed.
    public enum Compression: String, Hashable, Sendable, CaseIterable {
        case uncompressed, gzip, zstd
    }

    /// The compression of a layer of this type, or `nil` where this is no type of a file-system layer.
    public var compression: Compression? {
        switch rawValue {
        case "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.docker.image.rootfs.foreign.diff.tar":
            .uncompressed
        case "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":
            .gzip
        case "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd":
            .zstd
        default: nil
        }
    }

    /// Whether the layer may be absent from registries, to be fetched from its descriptor's `urls`.
    public var isNondistributable: Bool {
        rawValue.contains(".nondistributable.") || rawValue.contains(".foreign.")
    }

    /// The type of a layer with `compression` in an OCI or, with `docker`, in a Docker manifest.
    public static func layer(_ compression: Compression, docker: Bool = false) -> MediaType {
        switch (compression, docker) {
        case (.uncompressed, false): .ociLayer
        case (.gzip, false): .ociLayerGzip
        case (.zstd, false): .ociLayerZstd
        case (.uncompressed, true): .dockerLayer
        case (.gzip, true): .dockerLayerGzip
        case (.zstd, true): .dockerLayerZstd
        }
    }
}
