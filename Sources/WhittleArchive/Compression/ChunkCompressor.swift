internal import CDeflate
internal import CZstd
internal import WhittleCore

/// Compresses one chunk into one member or frame. To be used by one thread at a time.
protocol ChunkCompressor: AnyObject {
    /// The most bytes that `count` bytes of input can become.
    func bound(_ count: Int) -> Int

    /// - Parameter number: the position of the chunk in the stream, from 0.
    /// - Returns: how many bytes of `output` are used. They depend on the arguments alone, not on earlier calls.
    func compress(
        _ input: UnsafeRawBufferPointer, number: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int
}

extension Compression {
    /// A compressor for one thread.
    ///
    /// - Parameter isPortable: the bytes are the same on every processor; level 1 of gzip is then slower.
    func makeChunkCompressor(isPortable: Bool) throws(BuildError) -> any ChunkCompressor {
        switch self {
        case .none: StoredChunks()
        case .gzip(1) where !isPortable: FastGzipChunks()
        // libdeflate's level 2 can be a little more than 3 % larger than `gzip -6`, and its level 3 costs 12 % of the
        // speed for 1 % of size. In turn they stay below 3 % on everything that was measured.
        case .gzip(3): try GzipChunks(levels: [3, 2, 2])
        // As small as `gzip -6` with its level 5 nearly everywhere, and with its level 6, 20 % slower, everywhere.
        case .gzip(6): try GzipChunks(levels: [6, 5])
        case .gzip(let level): try GzipChunks(levels: [level])
        case .zstd(let level): try ZstdChunks(level: level)
        }
    }
}

/// Hands chunks on as they are.
private final class StoredChunks: ChunkCompressor {
    func bound(_ count: Int) -> Int { count }

    func compress(_ input: UnsafeRawBufferPointer, number: Int, into output: UnsafeMutableRawBufferPointer) -> Int {
        output.copyMemory(from: input)
        return input.count
    }
}

/// gzip members by libdeflate. Its header has neither a name nor a time.
private final class GzipChunks: ChunkCompressor {
    /// Used for chunks in turn.
    private var compressors: [OpaquePointer] = []

    init(levels: [Int]) throws(BuildError) {
        for level in levels {
            guard let compressor = libdeflate_alloc_compressor(CInt(level)) else {
                throw .compression("libdeflate has no memory")
            }
            compressors.append(compressor)
        }
    }

    deinit { for compressor in compressors { libdeflate_free_compressor(compressor) } }

    func bound(_ count: Int) -> Int { libdeflate_gzip_compress_bound(compressors[0], count) }

    func compress(
        _ input: UnsafeRawBufferPointer, number: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        let count = libdeflate_gzip_compress(
            compressors[number % compressors.count], input.baseAddress, input.count, output.baseAddress, output.count)
        guard count > 0 else { throw .compression("libdeflate found its buffer too small") }
        return count
    }
}

/// zstd frames.
private final class ZstdChunks: ChunkCompressor {
    private let context: OpaquePointer

    init(level: Int) throws(BuildError) {
        guard let context = ZSTD_createCCtx() else { throw .compression("zstd has no memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, CInt(level))
    }

    deinit { ZSTD_freeCCtx(context) }

    func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    func compress(
        _ input: UnsafeRawBufferPointer, number: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        let count = ZSTD_compress2(context, output.baseAddress, output.count, input.baseAddress, input.count)
        guard ZSTD_isError(count) == 0 else { throw .compression("zstd: " + String(cString: ZSTD_getErrorName(count))) }
        return count
    }
}
