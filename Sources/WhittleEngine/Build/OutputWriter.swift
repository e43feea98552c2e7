internal import WhittleArchive
internal import WhittleCore
internal import WhittleCache
internal import WhittleExport
internal import WhittleOCI

/// Writes one output of a finished build.
struct OutputWriter: Sendable {
    let store: BuildStore
    let products: BuildProducts

    /// - Returns: what was written where it is an image.
    func write(_ output: ExporterOptions) async throws -> ExportResult? {
        nil
    }
}

extension LayerCompression {
    /// What layers are compressed with.
    var compression: Compression {
        switch (algorithm, level) {
        case (.gzip, let level?): .gzip(level: level)
        case (.gzip, nil): .defaultGzip
        case (.zstd, let level?): .zstd(level: level)
        case (.zstd, nil): .defaultZstd
        default: .none
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
