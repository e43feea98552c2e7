internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleExport

/// How the changes of a snapshot become a blob: equal changes in equal forms are equal blobs.
struct LayerForm: Hashable, Sendable {
    let compression: Compression
    /// What becomes of the times of files; `nil` keeps them.
    var times: TimeRule?
    /// Whether the blob is the same whatever the processor.
    let isPortable: Bool

    init(_ compression: Compression, times: TimeRule? = nil, isPortable: Bool = false) {
        self.compression = compression
        self.times = times
        self.isPortable = isPortable
    }

    /// What an output asks for in a build with this epoch.
    init(_ format: ImageFormat, _ epoch: BuildEpoch) {
        self.init(
            format.compression.compression, times: epoch.layerTimes(rewritesTimes: format.rewritesTimes),
            isPortable: epoch.isReproducible)
    }

    /// Names the form in the database.
    var name: String {
        var name =
            switch compression {
            case .none: LayerFormat.own(nil)
            case .gzip(let level): LayerFormat.own("gzip", level: level)
            case .zstd(let level): LayerFormat.own("zstd", level: level)
            }
        // The only one whose bytes depend on the processor otherwise.
        if isPortable, compression == .gzip(level: 1) { name += "-portable" }
        switch times {
        case nil: break
        case .atMost(let time): name += "-until-\(time.seconds)"
        case .exactly(let time): name += "-at-\(time.seconds)"
        }
        return name
    }
}
