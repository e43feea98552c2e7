internal import CBzip2
internal import CLzma
internal import CZstd
internal import WhittleCore

/// zstd by libzstd: any number of frames, skippable ones included.
final class ZstdDecoder: StreamDecoder {
    let format = "zstd"
    private let context: OpaquePointer
    private let output = PageBuffer(bufferSize)
    private var isInFrame = false

    init() throws(BuildError) {
        guard let context = ZSTD_createDCtx() else { throw .compression("zstd has no memory") }
        self.context = context
        // 128 MiB, what zstd's own program takes without being asked.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDCtx(context) }

    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        // A full output buffer may leave more inside, unless the frame is complete: asked then, the library would already
        // wait for the next one.
        var mayHaveMore = true
        while source.pos < source.size || mayHaveMore {
            var target = ZSTD_outBuffer(dst: output.bytes.baseAddress, size: output.bytes.count, pos: 0)
            let code = ZSTD_decompressStream(context, &target, &source)
            guard ZSTD_isError(code) == 0 else {
                throw BuildError.malformedCompression(format, String(cString: ZSTD_getErrorName(code)))
            }
            isInFrame = code != 0
            output.count = target.pos
            if output.count > 0 { try emit(output.used) }
            mayHaveMore = isInFrame && target.pos == target.size
        }
    }

    func finish() throws { if isInFrame { throw truncated() } }
}

/// bzip2 by libbz2, also of several streams.
final class Bzip2Decoder: StreamDecoder {
    let format = "bzip2"
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private let output = PageBuffer(bufferSize)
    private var isInStream = true
    private var isOpen = false

    init() throws(BuildError) {
        stream.initialize(to: bz_stream())
        try open()
    }

    deinit {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    private func open() throws(BuildError) {
        if isOpen { BZ2_bzDecompressEnd(stream) }
        isOpen = BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK
        guard isOpen else { throw .compression("libbz2 has no memory") }
        isInStream = true
    }

    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: CChar.self)
        stream.pointee.avail_in = UInt32(input.count)
        while true {
            if !isInStream {
                if stream.pointee.avail_in == 0 { return }
                let (next, count) = (stream.pointee.next_in, stream.pointee.avail_in)
                try open()
                (stream.pointee.next_in, stream.pointee.avail_in) = (next, count)
            }
            stream.pointee.next_out = output.bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            stream.pointee.avail_out = UInt32(output.bytes.count)
            let code = BZ2_bzDecompress(stream)
            guard code == BZ_OK || code == BZ_STREAM_END else {
                throw BuildError.malformedCompression(format, Self.describe(code))
            }
            output.count = output.bytes.count - Int(stream.pointee.avail_out)
            if output.count > 0 { try emit(output.used) }
            if code == BZ_STREAM_END {
                isInStream = false
            } else if stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 {
                return
            }
        }
    }

    func finish() throws { if isInStream { throw truncated() } }

    private static func describe(_ code: CInt) -> String {
        switch code {
        case BZ_DATA_ERROR: "its checksum or a block is wrong"
        case BZ_DATA_ERROR_MAGIC: "something that is not bzip2 follows its end"
        default: "libbz2 failed with code \(code)"
        }
    }
}

/// xz by liblzma, also of several streams.
final class XzDecoder: StreamDecoder {
    let format = "xz"
    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    private let output = PageBuffer(bufferSize)

    /// The most memory a dictionary may take: that of `xz -9` (65 MiB) and some.
    private static let memoryLimit: UInt64 = 128 << 20

    init() throws(BuildError) {
        stream.initialize(to: lzma_stream())
        let flags = UInt32(0x08)  // LZMA_CONCATENATED, a macro that Swift does not import
        guard lzma_stream_decoder(stream, Self.memoryLimit, flags) == LZMA_OK else {
            throw .compression("liblzma has no memory")
        }
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        try run(input, LZMA_RUN, emit)
    }

    func finish() throws {
        // With several streams allowed, only the end of the input says that there is none any more.
        let code = try run(UnsafeRawBufferPointer(start: nil, count: 0), LZMA_FINISH) { _ in }
        guard code == LZMA_STREAM_END else { throw truncated() }
    }

    @discardableResult
    private func run(
        _ input: UnsafeRawBufferPointer, _ action: lzma_action, _ emit: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> lzma_ret {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        while true {
            stream.pointee.next_out = output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = output.bytes.count
            let code = lzma_code(stream, action)
            guard code == LZMA_OK || code == LZMA_STREAM_END || code == LZMA_BUF_ERROR else {
                throw BuildError.malformedCompression(format, Self.describe(code))
            }
            output.count = output.bytes.count - stream.pointee.avail_out
            if output.count > 0 { try emit(output.used) }
            if code != LZMA_OK || (stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0) { return code }
        }
    }
    private static func describe(_ code: lzma_ret) -> String {
        switch code {
        case LZMA_DATA_ERROR: "its checksum or a block is wrong"
        case LZMA_FORMAT_ERROR: "something that is not xz follows its end"
        case LZMA_OPTIONS_ERROR: "it uses a filter that is not known"
        case LZMA_MEMLIMIT_ERROR: "it needs more than \(memoryLimit >> 20) MiB of memory"
        default: "liblzma failed with code \(code.rawValue)"
        }
    }
}
