internal import WhittleCore
internal import WhittleOCI
internal import WhittleStore

/// Puts an image into whittle's store: its two documents as blobs, and its names.
struct ImageStoreExporter: Sendable {
    let blobs: BlobStore
    let names: ImageNames
    let scratch: ProcessScratch

    /// - Parameter layerSizes: the uncompressed size of each layer, lowest first.
    /// - Throws: `file-system`, `image-index-corrupt`, `CancellationError`.
    func write(
        _ documents: ImageDocuments, layerSizes: [ByteCount], names wanted: [ImageReference]
    ) async throws {
        try blobs.store(documents.configuration, in: scratch)
        try blobs.store(documents.manifest, in: scratch)
        guard !wanted.isEmpty else { return }
        var target = documents.manifestDescriptor
        target.annotations[LayerSizeAnnotation.key] = LayerSizeAnnotation.value(layerSizes)
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
