package import WhittleCore
package import WhittleOCI
internal import WhittleRegistry
package import WhittleStore

/// Reads the named images of whittle's store.
package struct ImageStoreReader: Sendable {
    private let names: ImageNames
    private let blobs: BlobStore
    /// Which of the images of an index is meant; `nil` for the one for this machine, or any where there is none for it.
    private let platform: Platform?

    package init(names: ImageNames, blobs: BlobStore, platform: Platform? = nil) {
        self.names = names
        self.blobs = blobs
        self.platform = platform
    }

    /// The same store, of whose images those for `platform` are meant; `nil` as for ``init(names:blobs:platform:)``.
    package func choosing(_ platform: Platform?) -> ImageStoreReader {
        ImageStoreReader(names: names, blobs: blobs, platform: platform)
    }

    /// Reads the store at `root`.
    ///
    /// - Throws: `store-unusable`, `store-version`.
    package init(storeAt root: String) throws(BuildError) {
        let layout = try StoreLayout(openingAt: root)
        self.init(names: ImageNames(layout), blobs: BlobStore(layout))
    }

    /// What ``list()`` found.
    package struct Listing: Sendable {
        /// Newest first; images of one time by name.
        package let images: [StoredImage]
        /// One error for each name whose image is damaged.
        package let problems: [BuildError]
    }

    /// All images, one for each name. A damaged one does not hide the others.
    ///
    /// - Throws: `image-index-corrupt`, `file-system`.
    package func list() throws -> Listing {
        var images: [StoredImage] = []
        var problems: [BuildError] = []
        let named = try names.entries().map { (name: Optional($0.name), descriptor: $0.descriptor) }
        for (name, descriptor) in named + (try names.unnamed().map { (nil, $0) }) {
            do {
                images.append(try read(name, descriptor))
            } catch let error as BuildError {
                problems.append(
                    BuildError(
                        error.code,
                        "cannot read the image '\(name?.familiarName ?? descriptor.digest.short)': \(error.message)",
                        hint: error.hint, cause: error.cause))
            }
        }
        images.sort { left, right in
            let (a, b) = (left.configuration.created, right.configuration.created)
            if a != b { return (a ?? Timestamp(seconds: .min)) > (b ?? Timestamp(seconds: .min)) }
            return left.name?.familiarName ?? "" < right.name?.familiarName ?? ""
        }
        return Listing(images: images, problems: problems)
    }

    /// The image that `text` names: a name as docker takes it (`app`, `app:1`, `app@sha256:…`), or an image ID or the
    /// beginning of one.
    ///
    /// - Throws: `unknown-image` with a near name, `ambiguous-image`, and what reading the image throws.
    package func find(_ text: String) throws -> StoredImage {
        let entries = try names.entries()
        if let entry = Self.entry(text, entries) { return try read(entry.name, entry.descriptor) }
        if let image = try identified(by: text).first { return image }
        throw Self.unknown(text, among: entries.map { $0.name })
    }

    /// The entry with the name `text`, or with its repository and digest; `nil` also for what is no name.
    static func entry(_ text: String, _ entries: [ImageNames.Entry]) -> ImageNames.Entry? {
        // What is no name may still be an ID.
        guard let name = try? ImageReference(parsing: text) else { return nil }
        if let entry = entries.first(where: { $0.name == name }) { return entry }
        guard let digest = name.digest else { return nil }
        return entries.first { $0.name.name == name.name && $0.descriptor.digest == digest }
    }

    /// The image with the ID that begins with `text`, once for each of its names; empty where there is none.
    ///
    /// - Throws: `ambiguous-image`.
    package func identified(by text: String) throws -> [StoredImage] {
        let prefix = (text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text).lowercased()
        guard !prefix.isEmpty, prefix.utf8.allSatisfy({ Self.isHexDigit($0) }) else { return [] }
        let found = try list().images.filter {
            $0.id.hex.hasPrefix(prefix) || $0.target.digest.hex.hasPrefix(prefix)
        }
        let ids = Set(found.map { $0.id }).sorted()
        if ids.count > 1 { throw BuildError.ambiguousImage(text, ids) }
        return found
    }

    /// All names of an image, in the order they were given.
    package func names(of image: StoredImage) throws -> [ImageReference] {
        try names.entries().filter { entry in
            if entry.descriptor.digest == image.target.digest { return true }
            // The same image in another manifest; a damaged one is not.
            return (try? id(of: entry.descriptor)) == image.id
        }.map { $0.name }
    }

    /// A document of an image.
    package enum Document: String, CaseIterable, Sendable {
        /// The image configuration.
        case config
        /// The manifest, of an index the one for this machine.
        case manifest
        /// What the name points to: an index of several platforms, or the manifest.
        case index
    }

    /// The bytes of a document as they are stored.
    package func bytes(of document: Document, _ image: StoredImage) throws -> [UInt8] {
        switch document {
        case .config: try blobs.bytes(of: image.id)
        case .manifest: try blobs.bytes(of: chosenManifest(image.target).digest)
        case .index: try blobs.bytes(of: image.target.digest)
        }
    }

    /// The error that no image is named `text`.
    package static func unknown(_ text: String, among names: [ImageReference]) -> BuildError {
        let whole = NearestName.of(text, among: names.map { $0.familiarName })
        // Where the repository is right, another tag of it is what is near; what is no name has no repository.
        let sameRepository = (try? ImageReference(parsing: text)).flatMap { wanted in
            names.first { $0.name == wanted.name }?.familiarName
        }
        let repository = NearestName.of(text, among: names.map { $0.familiarRepository })
        return BuildError.unknownImage(text, near: whole ?? sameRepository ?? repository, isStoreEmpty: names.isEmpty)
    }

    private func read(_ name: ImageReference?, _ descriptor: Descriptor) throws -> StoredImage {
        let chosen = try chosenManifest(descriptor, name)
        let manifest = try Manifest(parsing: blobs.bytes(of: chosen.digest), mediaType: chosen.mediaType)
        let configuration = try ImageConfiguration(parsing: blobs.bytes(of: manifest.config.digest))
        if let platform, !descriptor.mediaType.isIndex, !configuration.platform.satisfies(platform) {
            throw BuildError.wrongPlatform(
                name?.familiarName ?? descriptor.digest.short, wanted: platform, available: [configuration.platform])
        }
        let (annotations, count) = (descriptor.annotations, manifest.layers.count)
        let sizes =
            LayerSizeAnnotation.sizes(in: annotations, of: chosen.digest, count: count)
            ?? (platform == nil ? LayerSizeAnnotation.sizes(in: annotations, count: count) : nil)
        return StoredImage(
            name: name, target: descriptor, id: manifest.config.digest, configuration: configuration,
            layerSizes: sizes ?? manifest.layers.map { ByteCount($0.size) })
    }

    /// The ID of the image that a name points to.
    func id(of descriptor: Descriptor) throws -> Digest { try manifest(of: descriptor).config.digest }

    /// Whether a name, or an entry without one, points to the image with this ID or to this manifest.
    func hasEntry(of id: Digest, or manifest: Digest) throws -> Bool {
        try (names.entries().map { $0.descriptor } + names.unnamed()).contains { descriptor in
            // A damaged image is another one.
            descriptor.digest == manifest || (try? self.id(of: descriptor)) == id
        }
    }

    /// The manifest that an image is run from on this machine.
    func manifest(of descriptor: Descriptor) throws -> Manifest {
        let chosen = try chosenManifest(descriptor)
        return try Manifest(parsing: blobs.bytes(of: chosen.digest), mediaType: chosen.mediaType)
    }

    /// The manifest itself, or of an index the one for the platform, else the first one that the store has.
    ///
    /// - Parameter name: what the error calls the image.
    func chosenManifest(_ descriptor: Descriptor, _ name: ImageReference? = nil) throws -> Descriptor {
        guard descriptor.mediaType.isIndex else { return descriptor }
        let index = try Index(parsing: blobs.bytes(of: descriptor.digest), mediaType: descriptor.mediaType)
        if let platform {
            let fitting = try index.candidates(for: platform).first { try blobs.size(of: $0.digest) != nil }
            guard let fitting else {
                throw BuildError.wrongPlatform(
                    name?.familiarName ?? descriptor.digest.short, wanted: platform, available: index.platforms)
            }
            return fitting
        }
        let images = index.candidates(for: .host) + index.manifests.filter { !$0.isAttestation }
        guard let first = images.first else { throw BuildError.emptyImageIndex(descriptor.digest) }
        return try images.first { try blobs.size(of: $0.digest) != nil } ?? first
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
