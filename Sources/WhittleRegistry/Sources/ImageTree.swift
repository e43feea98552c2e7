public import WhittleCore
public import WhittleOCI

/// A place that gives manifests and indexes as they are, and not only images of one platform.
public protocol ImageTreeSource: ImageSource {
    /// What the name stands for: a manifest or index.
    ///
    /// - Throws: `image-not-found`, `digest-mismatch` and the like.
    func root() async throws -> (descriptor: Descriptor, bytes: [UInt8])

    /// The manifest or index with the digest of `descriptor`, verified.
    func document(_ descriptor: Descriptor) async throws -> [UInt8]
}

/// All that an image consists of: manifests and indexes as they came, and what they name.
public struct ImageTree: Sendable {
    /// A manifest or index.
    public struct Document: Sendable {
        public let descriptor: Descriptor
        public let bytes: [UInt8]

        public init(descriptor: Descriptor, bytes: [UInt8]) {
            self.descriptor = descriptor
            self.bytes = bytes
        }
    }

    /// Children before the indexes that name them, each once; the last one is the root.
    public private(set) var documents: [Document] = []
    /// Configurations and layers, each once, without layers that registries do not distribute.
    public private(set) var blobs: [Descriptor] = []
    private var seen: Set<Digest> = []
    private var byteCount = 0

    /// Indexes may hold indexes; nobody nests them deeper.
    private static let depthLimit = 4
    /// All documents together: they are held in memory.
    private static let byteLimit = 64 << 20

    /// The last of ``documents``.
    public var root: Document { documents[documents.count - 1] }

    /// Everything that `source` has under its name, whatever the platform: attestations and artifacts as well.
    ///
    /// - Throws: `malformed-document`, `unsupported-manifest`, `not-an-image` for what is nested too deep or too large.
    public static func all(of source: some ImageTreeSource) async throws -> ImageTree {
        var tree = ImageTree()
        let (descriptor, bytes) = try await source.root()
        try await tree.add(descriptor, bytes, from: source, depth: 0)
        return tree
    }

    /// The image of one platform, alone.
    ///
    /// - Throws: as ``ImageSource/resolve(_:known:)``.
    public static func image(for platform: Platform, of source: some ImageSource) async throws -> ImageTree {
        ImageTree(try await source.resolve(platform))
    }

    /// What the name stands for: of an index the image for `platform`, alone; a single manifest as it is, whatever it is for.
    ///
    /// - Throws: as ``all(of:)`` and ``ImageSource/resolve(_:known:)``.
    public static func one(of source: some ImageTreeSource, preferring platform: Platform) async throws -> ImageTree {
        let (descriptor, bytes) = try await source.root()
        if try isIndex(descriptor, bytes) { return try await image(for: platform, of: source) }
        var tree = ImageTree()
        try await tree.add(descriptor, bytes, from: source, depth: 0)
        return tree
    }

    /// The tree without its root where that is an index: what another index can take its entries from.
    public var contents: ImageTree {
        guard root.descriptor.mediaType.isIndex, documents.count > 1 else { return self }
        var tree = self
        tree.documents.removeLast()
        return tree
    }

    private init() {}

    /// A resolved image.
    public init(_ image: ResolvedImage) {
        documents = [Document(descriptor: image.descriptor, bytes: image.manifestBytes)]
        seen.insert(image.descriptor.digest)
        add(image.manifest)
    }

    /// Puts an index around several trees.
    public init(index: Document, over trees: [ImageTree]) {
        for tree in trees {
            documents += tree.documents.filter { seen.insert($0.descriptor.digest).inserted }
            blobs += tree.blobs.filter { seen.insert($0.digest).inserted }
        }
        documents.append(index)
    }

    /// Whether `bytes` are an index: by their own word, then by the type they came as, then by their members.
    static func isIndex(_ descriptor: Descriptor, _ bytes: [UInt8]) throws -> Bool {
        let reader = try DocumentReader("image manifest", parsing: bytes)
        if let own = try reader.string("mediaType"), !own.isEmpty { return MediaType(rawValue: own).isIndex }
        if descriptor.mediaType.isIndex { return true }
        return !descriptor.mediaType.isManifest && reader.object["manifests"] != nil
    }

    private mutating func add(
        _ descriptor: Descriptor, _ bytes: [UInt8], from source: some ImageTreeSource, depth: Int
    ) async throws {
        guard seen.insert(descriptor.digest).inserted else { return }
        byteCount += bytes.count
        guard byteCount <= Self.byteLimit else {
            throw BuildError.notAnImage(source.name, "its manifests have more than \(Self.byteLimit) bytes together")
        }
        guard try Self.isIndex(descriptor, bytes) else {
            let manifest = try Manifest(parsing: bytes, mediaType: descriptor.mediaType)
            add(manifest)
            documents.append(Self.document(descriptor, as: manifest.mediaType, bytes))
            return
        }
        guard depth < Self.depthLimit else {
            throw BuildError.notAnImage(source.name, "indexes nested deeper than \(Self.depthLimit) levels")
        }
        let index = try Index(parsing: bytes, mediaType: descriptor.mediaType)
        for child in index.manifests where !seen.contains(child.digest) {
            try await add(child, try await source.document(child), from: source, depth: depth + 1)
        }
        documents.append(Self.document(descriptor, as: index.mediaType, bytes))
    }

    private mutating func add(_ manifest: Manifest) {
        let parts = [manifest.config] + manifest.layers.filter { !$0.mediaType.isNondistributable || $0.urls.isEmpty }
        blobs += parts.filter { seen.insert($0.digest).inserted }
    }

    private static func document(_ descriptor: Descriptor, as type: MediaType, _ bytes: [UInt8]) -> Document {
        var own = Descriptor(mediaType: type, digest: descriptor.digest, size: Int64(bytes.count))
        own.platform = descriptor.platform
        own.annotations = descriptor.annotations
        return Document(descriptor: own, bytes: bytes)
    }
}
