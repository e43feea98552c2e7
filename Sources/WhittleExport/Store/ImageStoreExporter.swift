internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleStore

/// Puts an image into whittle's store: its documents as blobs, and its names.
struct ImageStoreExporter: Sendable {
    let blobs: BlobStore
    let names: ImageNames
    let scratch: ProcessScratch

    /// Stores the documents of an image for the platforms that `images` are for, and has `wanted` stand for it.
    ///
    /// - Throws: `file-system`, `image-index-corrupt`, `blob-missing`, `blob-damaged`, `CancellationError`.
    func write(
        _ documents: ImageDocuments, _ images: [ExportImage], names wanted: [ImageReference]
    ) async throws {
        for layer in images.flatMap(\.layers)
        where try !blobs.has(layer.descriptor.digest, size: ByteCount(layer.descriptor.size)) {
            throw BuildError.blobDamaged(layer.descriptor.digest, blobs.path(of: layer.descriptor.digest))
        }
        let sizes = try await BlockingPool.shared.runCancellable { cancellation in
            for document in documents.documents { try blobs.store(document.bytes, in: scratch) }
            return try images.map { image in
                try image.layers.map { layer in
                    try layer.uncompressedSize
                        ?? BlobCopy(blobs: blobs, digest: layer.descriptor.digest, size: layer.descriptor.size)
                        .uncompressedSize(cancellation)
                }
            }
        }
        guard !wanted.isEmpty else { return }
        var target = documents.descriptor
        target.annotations[LayerSizeAnnotation.key] =
            documents.index == nil
            ? LayerSizeAnnotation.value(sizes[0])
            : LayerSizeAnnotation.value(
                of: zip(documents.images, sizes).map { (manifest: $0.descriptor.digest, sizes: $1) })
        // A build that changed nothing must not wait for the disk.
        let current = try names.entries()
        let isDone = wanted.allSatisfy { name in
            current.contains { $0.name == name && Self.isSame($0.descriptor, target) }
        }
        if !isDone { try await names.set(wanted, to: target) }
    }

    private static func isSame(_ stored: Descriptor, _ target: Descriptor) -> Bool {
        var stored = stored
        stored.annotations[ImageNames.nameAnnotation] = nil
        stored.annotations[LayoutIndex.tagAnnotation] = nil
        return stored == target
    }
}
