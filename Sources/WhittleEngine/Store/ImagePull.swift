internal import WhittleCache
package import WhittleCore
internal import WhittleExport
package import WhittleGraph
package import WhittleOCI
package import WhittleRegistry
internal import WhittleSnapshot
internal import WhittleStore

/// Brings an image of a registry into the store under its name, with the layers for one platform unpacked.
package struct ImagePull: Sendable {
    private let store: BuildStore
    private let report: @Sendable (StepEvent) -> Void

    /// - Parameter report: hears how far each layer is, as of a step.
    package init(store: BuildStore, report: @escaping @Sendable (StepEvent) -> Void) {
        self.store = store
        self.report = report
    }

    /// What a pull came to.
    package struct Result: Sendable {
        /// What the name stands for in the registry: of an image for several platforms the index.
        package let digest: Digest
        /// Whether the name stood for something else in the store before, or for nothing.
        package let isNew: Bool
        /// Of the image for the platform, lowest first, and whether the store had it.
        package let layers: [(descriptor: Descriptor, wasThere: Bool)]
    }

    /// Pulls.
    ///
    /// - Parameters:
    ///   - reference: the name in the store.
    ///   - all: brings the images of all platforms, and what is said about them; the others stay packed.
    /// - Throws: `image-not-found`, `wrong-platform`, `digest-mismatch` and the like; then the name stands for what it did.
    package func pull(
        _ reference: ImageReference, from source: some ImageTreeSource, platform: Platform, all: Bool
    ) async throws -> Result {
        let step = Step(internal: "pulling \(reference)")
        report(.started(step))
        do {
            let result = try await pull(reference, source, platform, all, step)
            report(.finished(step))
            return result
        } catch {
            report(
                error is CancellationError
                    ? .cancelled(step) : .failed(step, message: BuildError.message(of: error)))
            throw error
        }
    }

    private func pull(
        _ reference: ImageReference, _ source: some ImageTreeSource, _ platform: Platform, _ all: Bool, _ step: Step
    ) async throws -> Result {
        let image: ResolvedImage
        let tree: ImageTree
        if all {
            // First, so that a tag that moves meanwhile does not give two images.
            tree = try await .all(of: source)
            image = try await tree.resolve(platform, from: source)
        } else {
            image = try await source.resolve(platform) { [blobs = store.blobs] digest in
                try blobs.size(of: digest) == nil ? nil : blobs.bytes(of: digest)
            }
            tree = ImageTree(image)
        }
        try store.blobs.hold(tree.blobs.map(\.digest))
        let layers = try ImagePuller.layers(of: image)
        let known = try layers.map {
            ($0.descriptor, try store.blobs.has($0.descriptor.digest, size: ByteCount($0.descriptor.size)))
        }
        let fetch = LayerFetch(store: store, source: source, step: step, limit: nil, report: report)
        try await fetch.bring(layers, atOnce: ImagePuller.transferLimit)
        // What was unpacked before, and whose blob was collected since, is fetched as well; and the configuration.
        let importer = ImageImporter(blobs: store.blobs, names: store.names, scratch: store.scratch)
        try await importer.bring(tree, from: source)
        let before = try store.names.descriptor(of: reference)?.digest
        try await importer.name(tree, [reference], layerSizes: all ? nil : sizes(of: layers))
        return Result(digest: image.rootDigest, isNew: before != tree.root.descriptor.digest, layers: known)
    }

    /// Uncompressed, as far as all are known.
    private func sizes(of layers: [BaseLayer]) throws -> [ByteCount]? {
        let records = try layers.map {
            try store.database.layer(
                of: SnapshotID(chainID: $0.chainID).rawValue, format: LayerFormat.original)?.uncompressedSize
        }
        let known = records.compactMap { $0 }
        return known.count == layers.count ? known : nil
    }
}
