internal import CISAL
internal import WhittleCore

/// gzip members by ISA-L at its levels 2 and 1 in turn: level 1 is 7 % faster, and alone can be 13.7 % larger than `gzip -6`;
/// in turn they stay below 13 %.
///
/// Unlike libdeflate's, the bytes differ between processors: ISA-L has code of its own for several of them.
final class FastGzipChunks: ChunkCompressor {
    /// How much is compressed in a first, separate call.
    ///
    /// The main loop of ISA-L (`igzip_icf_body_h1_gr_bt.asm`, up to 2.32 at least) takes the address of its own state for
    /// data when it starts without history, in the hash of the third byte: once in 8,192 addresses this changes the
    /// output. The loop for the last bytes does not do so, and it alone runs where no more than 16 bytes are given; after
    /// it there is a history. Costs 9 bytes a member.
    private static let firstCount = 16

    private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    private let tables = PageBuffer(Int(whittle_isal_level_2_buffer_size))

    init() { stream.initialize(to: isal_zstream()) }

    deinit { stream.deallocate() }

    /// ISA-L's bound for stored blocks (5 bytes for each 64 KiB) with header, trailer and the tables of a last block.
    func bound(_ count: Int) -> Int { count + count / 8 + 4096 }

    func compress(
        _ input: UnsafeRawBufferPointer, number: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(BuildError) -> Int {
        isal_deflate_init(stream)
        defer { whittle_clear_upper_halves() }
        stream.pointee.level = number % 2 == 0 ? 2 : 1
        stream.pointee.level_buf = tables.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.level_buf_size = UInt32(tables.bytes.count)
        stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        var rest = input
        if input.count > Self.firstCount {
            try deflate(UnsafeRawBufferPointer(rebasing: input[..<Self.firstCount]), isLast: false)
            rest = UnsafeRawBufferPointer(rebasing: input[Self.firstCount...])
        }
        try deflate(rest, isLast: true)
        return Int(stream.pointee.total_out)
    }

    private func deflate(_ input: UnsafeRawBufferPointer, isLast: Bool) throws(BuildError) {
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.end_of_stream = isLast ? 1 : 0
        stream.pointee.flush = UInt16(isLast ? NO_FLUSH : SYNC_FLUSH)
        let code = isal_deflate(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else {
            throw .compression("ISA-L failed with code \(code)")
        }
    }
}
