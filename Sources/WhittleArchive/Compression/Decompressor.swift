public import WhittleCore

/// Decompresses a stream that arrives in pieces. The format is told by its first bytes: gzip (also of several members),
/// zstd (several frames, skippable ones), bzip2, xz; anything else is handed on as it is.
///
/// Memory is bounded by the format's window. To be used from one thread.
public struct Decompressor {
    /// Takes decompressed bytes, in order.
    public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    private let sink: Sink
    private let limit: Int64
    private var head: [UInt8] = []
    private var decoder: (any StreamDecoder)?
    /// Decompressed bytes so far.
    public private(set) var count: Int64 = 0

    /// - Parameter limit: more decompressed bytes than this are an error.
    public init(limit: ByteCount = ByteCount(Int64.max), sink: @escaping Sink) {
        self.limit = limit.bytes
        self.sink = sink
    }

    /// Takes the next bytes.
    ///
    /// - Throws: `malformed-compression`, `decompression-limit`, `compression`; what the sink throws.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws {
        var bytes = bytes
        if decoder == nil {
            let taken = min(bytes.count, CompressedFormat.headSize - head.count)
            head += Array(bytes[..<taken])
            bytes = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            guard head.count == CompressedFormat.headSize else { return }
            try decodeHead()
        }
        try decode(bytes)
    }

    /// Says that the input is over.
    ///
    /// - Throws: `malformed-compression` where it ends too early.
    public mutating func finish() throws {
        if decoder == nil { try decodeHead() }
        try decoder?.finish()
    }

    private mutating func decodeHead() throws {
        decoder = try CompressedFormat(head: head).makeDecoder()
        try head.withUnsafeBytes { try decode($0) }
        head = []
    }

    private mutating func decode(_ bytes: UnsafeRawBufferPointer) throws {
        guard let decoder else { return }
        var rest = bytes
        while !rest.isEmpty {
            // Some libraries count their input in 32 bits.
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            try decoder.decode(piece) { output in
                count += Int64(output.count)
                guard count <= limit else { throw BuildError.decompressionLimit(decoder.format, limit) }
                try sink(output)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
        }
    }
}

/// A format, told by its magic bytes.
enum CompressedFormat {
    case none
    case gzip
    case zstd
    case bzip2
    case xz

    /// Bytes that tell every format.
    static let headSize = 6

    init(head: [UInt8]) {
        if head.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
            || (head.count >= 4 && head[0] & 0xf0 == 0x50 && head[1...3].elementsEqual([0x2a, 0x4d, 0x18]))
        {
            self = .zstd
        } else if head.starts(with: Array("BZh".utf8)), head.count > 3, (0x31...0x39).contains(head[3]) {
            self = .bzip2
        } else if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
            self = .xz
        } else {
            self = .none
        }
    }

    func makeDecoder() throws(BuildError) -> any StreamDecoder {
        switch self {
        case .none: StoredDecoder()
        case .gzip: GzipDecoder()
        case .zstd: try ZstdDecoder()
        case .bzip2: try Bzip2Decoder()
        case .xz: try XzDecoder()
        }
    }
}

/// Decodes one format. To be used from one thread.
protocol StreamDecoder: AnyObject {
    /// What messages call it.
    var format: String { get }
    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws
    /// - Throws: where the input ended too early.
    func finish() throws
}

private final class StoredDecoder: StreamDecoder {
    let format = "plain"
    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        try emit(input)
    }
    func finish() {}
}

extension StreamDecoder {
    /// Size of the output buffer of each decoder.
    static var bufferSize: Int { 256 << 10 }

    func truncated() -> BuildError { .malformedCompression(format, "it ends too early") }
}
