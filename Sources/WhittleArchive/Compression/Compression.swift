/// How a stream is compressed.
public enum Compression: Hashable, Sendable {
    /// Not at all.
    case none
    /// gzip (RFC 1952), levels 0…9 of about the sizes that zlib gives them: 0 stores, 1 is made for speed, 9 for size.
    case gzip(level: Int)
    /// zstd (RFC 8878), levels 1…22.
    case zstd(level: Int)

    /// The levels that ``gzip(level:)`` takes.
    public static let gzipLevels = 0...9
    /// The levels that ``zstd(level:)`` takes.
    public static let zstdLevels = 1...22

    /// 2 to 2.8 % larger than `gzip -6`, at more than five times its speed on one core.
    public static let defaultGzip = Compression.gzip(level: 3)
    /// 2 to 5 % smaller than `gzip -6`; zstd's own default, level 3, gains 4 % more and is a third slower.
    public static let defaultZstd = Compression.zstd(level: 2)

    /// Bytes of input that are compressed by themselves, so that several threads can work on one stream. Part of what
    /// the output bytes depend on: not to be changed without need.
    ///
    /// zstd gains 4 % of size from 2 MiB and 3 % more from 4 MiB, which is not worth twice the memory of each thread;
    /// gzip, whose window is 32 KiB, gains 0.1 %.
    var chunkSize: Int {
        switch self {
        case .none, .gzip: 1 << 20
        case .zstd: 2 << 20
        }
    }
}
