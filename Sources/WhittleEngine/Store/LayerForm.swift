internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleExport

/// How the changes of a snapshot become a blob: equal changes in equal forms are equal blobs.
struct LayerForm: Hashable, Sendable {
    let compression: Compression
    /// Later times of files become this.
    var latestTime: Timestamp?
    /// Whether the blob is the same whatever the processor.
    let isPortable: Bool

    init(_ compression: Compression, latestTime: Timestamp? = nil, isPortable: Bool = false) {
        self.compression = compression
        self.latestTime = latestTime
        self.isPortable = isPortable
    }

    /// What an output asks for in a build with this epoch.
    init(_ format: ImageFormat, epoch: Timestamp?, isReproducible: Bool) {
        self.init(
            format.compression.compression, latestTime: isReproducible || format.rewritesTimes ? epoch : nil,
            isPortable: isReproducible)
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
        if let latestTime { name += "-until-\(latestTime.seconds)" }
        return name
    }
}
