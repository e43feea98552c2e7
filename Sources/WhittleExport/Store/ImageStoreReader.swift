package import WhittleCore
package import WhittleOCI
package import WhittleStore

/// Reads the named images of whittle's store.
package struct ImageStoreReader: Sendable {
    private let names: ImageNames
    private let blobs: BlobStore

    package init(names: ImageNames, blobs: BlobStore) {
        self.names = names
        self.blobs = blobs
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

    /// All named images. A damaged one does not hide the others.
    ///
    /// - Throws: `image-index-corrupt`, `file-system`.
    package func list() throws -> Listing {
        var images: [StoredImage] = []
        var problems: [BuildError] = []
        for entry in try names.entries() {
            do {
                images.append(try read(entry))
            } catch let error as BuildError {
                problems.append(
                    BuildError(
                        error.code, "cannot read the image '\(entry.name.familiarName)': \(error.message)",
                        hint: error.hint, cause: error.cause))
            }
        }
        images.sort { left, right in
            let (a, b) = (left.configuration.created, right.configuration.created)
            if a != b { return (a ?? Timestamp(seconds: .min)) > (b ?? Timestamp(seconds: .min)) }
            return left.name.familiarName < right.name.familiarName
        }
        return Listing(images: images, problems: problems)
    }

    /// The image that `text` names: a name as docker takes it (`app`, `app:1`), or an image ID or the beginning of one.
    ///
    /// - Throws: `unknown-image` with a near name, `ambiguous-image`, and what reading the image throws.
    package func find(_ text: String) throws -> StoredImage {
        let entries = try names.entries()
        // What is no name may still be an ID.
        if let name = try? ImageReference(parsing: text), let entry = entries.first(where: { $0.name == name }) {
            return try read(entry)
        }
        let prefix = (text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text).lowercased()
        if prefix.utf8.count >= 4, prefix.utf8.allSatisfy({ Self.isHexDigit($0) }) {
            let found = try list().images.filter {
                $0.id.hex.hasPrefix(prefix) || $0.target.digest.hex.hasPrefix(prefix)
            }
            let ids = Set(found.map { $0.id }).sorted()
            if ids.count > 1 { throw BuildError.ambiguousImage(text, ids) }
            if let image = found.first { return image }
        }
        throw Self.unknown(text, among: entries.map { $0.name })
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

    private func read(_ entry: ImageNames.Entry) throws -> StoredImage {
        let manifest = try manifest(of: entry.descriptor)
        let configuration = try ImageConfiguration(parsing: blobs.bytes(of: manifest.config.digest))
        let sizes = LayerSizeAnnotation.sizes(in: entry.descriptor.annotations, count: manifest.layers.count)
        return StoredImage(
            name: entry.name, target: entry.descriptor, id: manifest.config.digest, configuration: configuration,
            layerSizes: sizes ?? manifest.layers.map { ByteCount($0.size) })
    }

    /// The manifest itself, or of an index the one for this machine, else its first one.
    private func manifest(of descriptor: Descriptor) throws -> Manifest {
        let bytes = try blobs.bytes(of: descriptor.digest)
        guard descriptor.mediaType.isIndex else { return try Manifest(parsing: bytes, mediaType: descriptor.mediaType) }
        let index = try Index(parsing: bytes, mediaType: descriptor.mediaType)
        guard let chosen = index.candidates(for: .host).first ?? index.manifests.first(where: { !$0.isAttestation })
        else { throw BuildError.emptyImageIndex(descriptor.digest) }
        return try Manifest(parsing: blobs.bytes(of: chosen.digest), mediaType: chosen.mediaType)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
