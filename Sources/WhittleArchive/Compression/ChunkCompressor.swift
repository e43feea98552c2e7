internal import CDeflate
internal import CISAL
internal import CZstd
internal import WhittleCore

/// Compresses one chunk into one member or frame. To be used by one thread at a time.
protocol ChunkCompressor: AnyObject {
    /// The most bytes that `count` bytes of input can become.
    func bound(_ count: Int) -> Int

    /// - Returns: how many bytes of `output` are used.
    func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(BuildError) -> Int
}

extension Compression {
    /// A compressor for one thread.
    func makeChunkCompressor() throws(BuildError) -> any ChunkCompressor {
        switch self {
        case .none: StoredChunks()
        case .gzip(1): FastGzipChunks()
        case .gzip(let level): try GzipChunks(level: level)
        case .zstd(let level): try ZstdChunks(level: level)
        }
    }
}

/// Hands chunks on as they are.
private final class StoredChunks: ChunkCompressor {
    func bound(_ count: Int) -> Int { count }

    func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        output.copyMemory(from: input)
        return input.count
    }
}

/// gzip members by libdeflate. Its header has neither a name nor a time.
private final class GzipChunks: ChunkCompressor {
    private let compressor: OpaquePointer

    init(level: Int) throws(BuildError) {
        guard let compressor = libdeflate_alloc_compressor(CInt(max(0, min(level, 9)))) else {
            throw .compression("libdeflate has no memory")
        }
        self.compressor = compressor
    }

    deinit { libdeflate_free_compressor(compressor) }

    func bound(_ count: Int) -> Int { libdeflate_gzip_compress_bound(compressor, count) }

    func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        let count = libdeflate_gzip_compress(
            compressor, input.baseAddress, input.count, output.baseAddress, output.count)
        guard count > 0 else { throw .compression("libdeflate found its buffer too small") }
        return count
    }
}

/// gzip members by ISA-L at its level 1.
///
/// Its output depends on what its memory holds when it begins, and on how buffers are aligned; so the state is zeroed for
/// each member, and every buffer starts at a page.
private final class FastGzipChunks: ChunkCompressor {
    private let stream = PageBuffer(MemoryLayout<isal_zstream>.size)
    private let level = PageBuffer(Int(whittle_isal_level_1_buffer_size))

    /// ISA-L's bound for stored blocks (5 bytes for each 64 KiB) with header, trailer and the tables of a last block.
    func bound(_ count: Int) -> Int { count + count / 8 + 4096 }

    func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        stream.zero()
        level.zero()
        let state = stream.bytes.assumingMemoryBound(to: isal_zstream.self)
        guard let stream = state.baseAddress else { throw .compression("ISA-L has no memory") }
        isal_deflate_stateless_init(stream)
        stream.pointee.level = 1
        stream.pointee.level_buf = level.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.level_buf_size = UInt32(level.bytes.count)
        stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
        stream.pointee.end_of_stream = 1
        stream.pointee.flush = UInt16(NO_FLUSH)
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        let code = isal_deflate_stateless(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0 else { throw .compression("ISA-L failed with code \(code)") }
        return Int(stream.pointee.total_out)
    }
}

/// zstd frames.
private final class ZstdChunks: ChunkCompressor {
    private let context: OpaquePointer

    init(level: Int) throws(BuildError) {
        guard let context = ZSTD_createCCtx() else { throw .compression("zstd has no memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, CInt(max(1, min(level, 22))))
    }

    deinit { ZSTD_freeCCtx(context) }

    func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    func compress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        let count = ZSTD_compress2(context, output.baseAddress, output.count, input.baseAddress, input.count)
        guard ZSTD_isError(count) == 0 else { throw .compression("zstd: " + String(cString: ZSTD_getErrorName(count))) }
        return count
    }
}
