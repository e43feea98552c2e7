public import WhittleCore
public import WhittleOCI

/// An image of whittle's store, under one of its names.
public struct StoredImage: Hashable, Sendable {
    /// `nil` for an image without a name, which is found by its ID.
    public let name: ImageReference?
    /// What the name points to: a manifest, or an index with one manifest for each platform.
    public let target: Descriptor
    /// The digest of the image configuration: what Docker calls the image ID.
    public let id: Digest
    public let configuration: ImageConfiguration
    /// The size of each layer, lowest first: uncompressed where the store knows it, else that of the blob.
    public let layerSizes: [ByteCount]

    public init(
        name: ImageReference?, target: Descriptor, id: Digest, configuration: ImageConfiguration,
        layerSizes: [ByteCount]
    ) {
        self.name = name
        self.target = target
        self.id = id
        self.configuration = configuration
        self.layerSizes = layerSizes
    }

    /// The size of all layers together.
    public var size: ByteCount { layerSizes.reduce(.zero, +) }

    /// One step of the image's making.
    public struct Step: Hashable, Sendable {
        /// The image that the step completed; `nil` for all but the last one, which are no images of their own.
        public let id: Digest?
        public let created: Timestamp?
        public let createdBy: String
        public let comment: String
        /// The size of the layer that the step made, 0 where it made none.
        public let size: ByteCount
    }

    /// The steps that made the image, newest first, as `docker history` lists them.
    public var steps: [Step] {
        var configuration = configuration
        configuration.completeHistory()
        var sizes = layerSizes[...]
        var steps: [Step] = []
        for (index, entry) in configuration.history.enumerated() {
            steps.append(
                Step(
                    id: index == configuration.history.count - 1 ? id : nil, created: entry.created,
                    createdBy: entry.createdBy ?? "", comment: entry.comment ?? "",
                    size: entry.isEmptyLayer ? .zero : sizes.popFirst() ?? .zero))
        }
        return steps.reversed()
    }
}

/// Keeps the uncompressed sizes of an image's layers on the entry of its name in the store.
///
/// An annotation of the store's own index: the manifest, and so the digest of the image, does not know it. Value: the
/// sizes in bytes, decimal, lowest layer first, with commas between them. For an index of several images each has such a
/// list, behind the first twelve digits of its manifest's digest and `:`, with `;` between them; a list alone is then that of
/// the image for this machine.
enum LayerSizeAnnotation {
    static let key = "dev.whittle.layer-sizes"

    /// - Parameter images: each with the digest of its manifest.
    static func value(of images: [(manifest: Digest, sizes: [ByteCount])]) -> String {
        images.map { "\($0.manifest.hex.prefix(12)):\(value($0.sizes))" }.joined(separator: ";")
    }

    /// The sizes of one of the images of an index; `nil` where they are missing or not one for each of `count` layers.
    static func sizes(in annotations: [String: String], of manifest: Digest, count: Int) -> [ByteCount]? {
        let lists = annotations[key]?.split(separator: ";") ?? []
        let prefix = "\(manifest.hex.prefix(12)):"
        guard let list = lists.first(where: { $0.hasPrefix(prefix) }) else { return nil }
        return sizes(in: [key: String(list.dropFirst(prefix.count))], count: count)
    }

    static func value(_ sizes: [ByteCount]) -> String {
        sizes.map { String($0.bytes) }.joined(separator: ",")
    }

    /// The sizes in `annotations`, or `nil` where they are missing or not one for each of `count` layers.
    static func sizes(in annotations: [String: String], count: Int) -> [ByteCount]? {
        guard let value = annotations[key] else { return nil }
        let sizes = value.split(separator: ",").compactMap { Int64($0) }
        guard sizes.count == count, sizes.allSatisfy({ $0 >= 0 }) else { return nil }
        return sizes.map { ByteCount($0) }
    }
}
