/// How a stream is compressed.
public enum Compression: Hashable, Sendable {
    case none
    /// gzip (RFC 1952), levels 0…9: 1 is made for speed, the others as in zlib's scale.
    case gzip(level: Int)
    /// zstd (RFC 8878), levels 1…22.
    case zstd(level: Int)

    /// Level 2 of libdeflate: about 2.5 % larger than `gzip -6` at five times its speed on one core.
    public static let defaultGzip = Compression.gzip(level: 2)
    /// zstd's own default.
    public static let defaultZstd = Compression.zstd(level: 3)

    /// Bytes of input that are compressed by themselves, so that several threads can work on one stream. Part of what
    /// the output bytes depend on: not to be changed without need.
    var chunkSize: Int {
        switch self {
        case .none, .gzip: 1 << 20
        // Larger frames find more repetitions; four of them per thread are in memory.
        case .zstd: 4 << 20
        }
    }
}
