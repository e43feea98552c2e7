internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI

/// Writes one output of a finished build.
struct OutputWriter: Sendable {
    let store: BuildStore
    let products: BuildProducts

    /// - Returns: what was written where it is an image.
    func write(_ output: ExporterOptions) async throws -> ExportResult? {
        let exporter = Exporter(blobs: store.blobs, names: store.names, scratch: store.scratch)
        if let format = output.imageFormat {
            return try await exporter.write(products.image(format.compression), as: output)
        }
        if output.needsRootFileSystem {
            try await exporter.write(rootFileSystem: products.rootDirectory(), as: output)
        }
        return nil
    }
}

extension LayerCompression {
    /// What layers are compressed with.
    var compression: Compression {
        switch algorithm {
        case .gzip: level.map { .gzip(level: $0) } ?? .defaultGzip
        case .zstd: level.map { .zstd(level: $0) } ?? .defaultZstd
        case .uncompressed: .none
        }
    }
}

extension ExportImage.Layer {
    init(_ record: LayerRecord) {
        self.init(
            descriptor: Descriptor(
                mediaType: MediaType(rawValue: record.mediaType), digest: record.digest, size: record.size.bytes),
            diffID: record.diffID, uncompressedSize: record.uncompressedSize == .zero ? nil : record.uncompressedSize)
    }
}
