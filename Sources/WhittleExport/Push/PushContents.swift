internal import WhittleCore
package import WhittleOCI
package import WhittleStore

/// What an image consists of, as it is pushed.
package struct PushContents: Sendable {
    /// Blobs of the store: layers, and where the image comes from the store, configurations.
    package var blobs: [Descriptor] = []
    /// Blobs that were just made.
    package var small: [ImageDocument] = []
    /// Manifests and indexes; the image is the last one.
    package var documents: [ImageDocument] = []

    /// An image that was just built.
    package init(of documents: ImageDocuments) {
        blobs = documents.layers
        for document in documents.documents {
            let type = document.descriptor.mediaType
            if type.isManifest || type.isIndex { self.documents.append(document) } else { small.append(document) }
        }
    }

    /// Everything that can be reached from `target`, a manifest or index of the store.
    ///
    /// - Throws: `blob-missing`, also for a part of an index that the store does not have; `blob-mismatch`,
    ///   `malformed-document`.
    package init(of target: Descriptor, in store: BlobStore) throws {
        var seen: Set<Digest> = []
        try collect(target, store, &seen)
    }

    private mutating func collect(_ target: Descriptor, _ store: BlobStore, _ seen: inout Set<Digest>) throws {
        guard seen.insert(target.digest).inserted else { return }
        let bytes = try store.bytes(of: target.digest)
        if target.mediaType.isIndex {
            for child in try Index(parsing: bytes, mediaType: target.mediaType).manifests {
                if child.mediaType.isIndex || child.mediaType.isManifest {
                    try collect(child, store, &seen)
                } else if seen.insert(child.digest).inserted {
                    blobs.append(child)
                }
            }
        } else {
            let manifest = try Manifest(parsing: bytes, mediaType: target.mediaType)
            blobs += ([manifest.config] + manifest.layers).filter { seen.insert($0.digest).inserted }
        }
        documents.append(ImageDocument(bytes, as: target.mediaType))
    }
}
