package import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI
package import WhittleRegistry
package import WhittleStore

/// Brings images from elsewhere into the store, as they are.
package struct ImageImporter: Sendable {
    private let blobs: BlobStore
    private let names: ImageNames
    private let scratch: ProcessScratch

    /// How many blobs are fetched at once.
    private static let transferLimit = 4

    package init(blobs: BlobStore, names: ImageNames, scratch: ProcessScratch) {
        self.blobs = blobs
        self.names = names
        self.scratch = scratch
    }

    /// Brings everything of `tree` that the store does not have, verified, and keeps it while the process lives.
    ///
    /// - Parameter report: hears of each blob when it is there, and whether it was before.
    /// - Throws: `digest-mismatch`, `image-not-found` and the like; then blobs that came whole stay.
    package func bring(
        _ tree: ImageTree, from source: any ImageSource,
        report: @escaping @Sendable (Descriptor, _ wasThere: Bool) -> Void = { _, _ in }
    ) async throws {
        // At once, so that no other process takes them away between this moment and their use.
        try blobs.hold(tree.blobs.map(\.digest) + tree.documents.map(\.descriptor.digest))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (position, blob) in tree.blobs.enumerated() {
                if position >= Self.transferLimit { try await group.next() }
                group.addTask { report(blob, try await bring(blob, from: source)) }
            }
            try await group.waitForAll()
        }
        try await BlockingPool.shared.run {
            for document in tree.documents { try blobs.store(document.bytes, in: scratch) }
        }
    }

    /// Gives an image, whose parts the store has, names.
    ///
    /// - Parameter layerSizes: uncompressed, of the image for this machine, where they are known.
    package func name(
        _ tree: ImageTree, _ references: [ImageReference], layerSizes: [ByteCount]? = nil
    ) async throws {
        var target = tree.root.descriptor
        if let layerSizes { target.annotations[LayerSizeAnnotation.key] = LayerSizeAnnotation.value(layerSizes) }
        try await names.set(references, to: target)
    }

    /// - Returns: whether the store had it.
    private func bring(_ blob: Descriptor, from source: any ImageSource) async throws -> Bool {
        let size = ByteCount(blob.size)
        if try blobs.has(blob.digest, size: size) { return true }
        let writer = try blobs.ingest(in: scratch)
        do {
            try await source.read(blob) { try writer.write($0) }
        } catch {
            writer.cancel()
            throw error
        }
        _ = try await BlockingPool.shared.run { try writer.commit(expecting: blob.digest, size: size) }
        return false
    }
}
