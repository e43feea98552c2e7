public import WhittleCore
public import WhittleOCI

/// A built image for one platform, ready to be written: its configuration, and its layers as blobs of the store.
public struct ExportImage: Hashable, Sendable {
    /// The image runs on the platform that this says. Its `diffIDs` are replaced by those of ``layers``.
    public var configuration: ImageConfiguration
    /// Lowest first. Every blob is in the store.
    public var layers: [Layer]
    /// What is said of the image beside it. Any makes an index around the image.
    public var attestations: [Attestation]

    public init(configuration: ImageConfiguration, layers: [Layer], attestations: [Attestation] = []) {
        self.configuration = configuration
        self.layers = layers
        self.attestations = attestations
    }

    /// One layer as a blob.
    public struct Layer: Hashable, Sendable {
        /// Names the blob; its media type says how it is compressed.
        public var descriptor: Descriptor
        /// The digest of the uncompressed layer.
        public var diffID: Digest
        /// The size of the uncompressed layer, where it is known without reading the blob.
        public var uncompressedSize: ByteCount?
        /// Whether this process took the blob's digest while it wrote it; otherwise it is checked when it is copied.
        package var isVerified = false

        public init(descriptor: Descriptor, diffID: Digest, uncompressedSize: ByteCount? = nil) {
            self.descriptor = descriptor
            self.diffID = diffID
            self.uncompressedSize = uncompressedSize
        }
    }
}
