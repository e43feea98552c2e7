internal import CDeflate
package import WhittleCore

/// Small pieces of zlib data (RFC 1950), whole in memory.
package enum ZlibData {
    /// Decompresses what `input` begins with; what follows it does not matter.
    ///
    /// - Parameters:
    ///   - size: how many bytes come out, where that is known.
    ///   - limit: more bytes than this are an error.
    /// - Throws: `malformed-compression`, `decompression-limit`, `compression`.
    package static func decompress(
        _ input: [UInt8], size: Int? = nil, limit: ByteCount
    ) throws(BuildError) -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { throw .compression("libdeflate has no memory") }
        defer { libdeflate_free_decompressor(decompressor) }
        // Text packs to a quarter; where that was too small a guess, twice the room is tried.
        var room = size ?? max(4096, input.count * 4)
        while true {
            guard room <= limit.bytes else { throw .decompressionLimit("zlib", limit.bytes) }
            var written = 0
            var result = LIBDEFLATE_SUCCESS
            let output = [UInt8](unsafeUninitializedCapacity: max(room, 1)) { buffer, count in
                var consumed = 0
                result = libdeflate_zlib_decompress_ex(
                    decompressor, input, input.count, buffer.baseAddress, room, &consumed, &written)
                count = result == LIBDEFLATE_SUCCESS ? written : 0
            }
            switch result {
            case LIBDEFLATE_SUCCESS where size == nil || size == written: return output
            case LIBDEFLATE_INSUFFICIENT_SPACE where size == nil: room *= 2
            case LIBDEFLATE_SUCCESS, LIBDEFLATE_INSUFFICIENT_SPACE:
                throw .malformedCompression("zlib", "it is not as long as it should be")
            default: throw .malformedCompression("zlib", "it is damaged or cut short")
            }
        }
    }
}

/// Small pieces of deflate data (RFC 1951) of a known size, whole in memory: what ZIP archives have.
package enum DeflateData {
    /// Decompresses `input`.
    ///
    /// - Parameter size: how many bytes come out; what says another number is damaged.
    /// - Throws: `malformed-compression`, `compression`.
    package static func decompress(_ input: ArraySlice<UInt8>, size: Int) throws(BuildError) -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { throw .compression("libdeflate has no memory") }
        defer { libdeflate_free_decompressor(decompressor) }
        var result = LIBDEFLATE_SUCCESS
        let output = [UInt8](unsafeUninitializedCapacity: max(size, 1)) { buffer, count in
            result = input.withUnsafeBytes {
                libdeflate_deflate_decompress(decompressor, $0.baseAddress, $0.count, buffer.baseAddress, size, nil)
            }
            count = result == LIBDEFLATE_SUCCESS ? size : 0
        }
        guard result == LIBDEFLATE_SUCCESS else { throw .malformedCompression("deflate", "it is damaged or cut short") }
        return output
    }
}
