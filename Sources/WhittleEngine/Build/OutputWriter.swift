internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI

/// Writes one output of a finished build.
struct OutputWriter: Sendable {
    let store: BuildStore
    /// One for each platform.
    let products: [BuildProducts]
    /// `nil` where nothing is pushed.
    let pusher: ImagePusher?

    func write(_ output: ExporterOptions) async throws -> ExportedOutput {
        let products = products
        let exporter = Exporter(
            blobs: store.blobs, names: store.names, scratch: store.scratch,
            images: { format in
                var images: [ExportImage] = []
                for product in products { images.append(try await product.image(format)) }
                return images
            },
            rootFileSystems: {
                var trees: [ExportTree] = []
                for product in products { trees.append(try await product.tree()) }
                return trees
            }, pusher: pusher)
        return try await exporter.write(output)
    }
}

extension LayerCompression {
    /// What layers are compressed with.
    var compression: Compression {
        switch (algorithm, level) {
        case (.gzip, let level?): .gzip(level: level)
        case (.gzip, nil): .defaultGzip
        // As with zstd's own program, 0 stands for the default.
        case (.zstd, let level?) where level > 0: .zstd(level: level)
        case (.zstd, _): .defaultZstd
        case (.uncompressed, _): .none
        }
    }
}

extension ExportImage.Layer {
    init(_ layer: LayerBlob) {
        let record = layer.record
        self.init(
            descriptor: Descriptor(
                mediaType: MediaType(rawValue: record.mediaType), digest: record.digest, size: record.size.bytes),
            diffID: record.diffID, uncompressedSize: record.uncompressedSize == .zero ? nil : record.uncompressedSize)
        isVerified = layer.isVerified
    }
}
