internal import CISAL
internal import WhittleCore

/// gzip by ISA-L: one member or several, with checksums and lengths verified; zero bytes after the last member are padding.
/// Anything else there is an error; GNU gzip warns of it and exits with status 2.
final class GzipDecoder: StreamDecoder {
    let format = "gzip"
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private let output = PageBuffer(bufferSize)
    private var phase = Phase.inMember

    private enum Phase {
        case inMember
        /// After a member: another one, padding, or the end.
        case between
        /// The first byte of what looks like another member was seen.
        case betweenAfterMagic
        /// Only padding may follow.
        case padding
    }

    init() {
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
    }

    deinit { state.deallocate() }

    func decode(_ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        var rest = input
        while !rest.isEmpty {
            switch phase {
            case .inMember: rest = try inflate(rest, emit)
            case .between:
                switch rest[0] {
                case 0x1f: phase = .betweenAfterMagic
                case 0: phase = .padding
                default: throw BuildError.malformedCompression(format, "something that is not gzip follows its end")
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[1...])
            case .betweenAfterMagic:
                begin()
                // The byte that was taken to look at it belongs to the member.
                try [UInt8]([0x1f]).withUnsafeBytes { _ = try inflate($0, emit) }
            case .padding:
                guard rest.allSatisfy({ $0 == 0 }) else {
                    throw BuildError.malformedCompression(format, "something that is not gzip follows its end")
                }
                return
            }
        }
    }

    func finish() throws {
        if phase == .inMember || phase == .betweenAfterMagic { throw truncated() }
    }

    private func begin() {
        isal_inflate_reset(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        phase = .inMember
    }

    /// - Returns: the input that the member did not need.
    private func inflate(
        _ input: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> UnsafeRawBufferPointer {
        state.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self)
        state.pointee.avail_in = UInt32(input.count)
        while true {
            state.pointee.next_out = output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(output.bytes.count)
            let code = isal_inflate(state)
            whittle_clear_upper_halves()
            guard code == ISAL_DECOMP_OK || code == ISAL_END_INPUT else {
                throw BuildError.malformedCompression(format, Self.describe(code))
            }
            output.count = output.bytes.count - Int(state.pointee.avail_out)
            if output.count > 0 { try emit(output.used) }
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                phase = .between
                return UnsafeRawBufferPointer(rebasing: input[(input.count - Int(state.pointee.avail_in))...])
            }
            // All input is used, and what it gives was smaller than the buffer: nothing is left inside.
            if state.pointee.avail_in == 0, state.pointee.avail_out > 0 {
                return UnsafeRawBufferPointer(rebasing: input[input.count...])
            }
        }
    }

    private static func describe(_ code: CInt) -> String {
        switch code {
        case ISAL_INVALID_BLOCK: "it has an invalid block"
        case ISAL_INVALID_SYMBOL: "it has an invalid symbol"
        case ISAL_INVALID_LOOKBACK: "it refers to data before its start"
        case ISAL_INVALID_WRAPPER, ISAL_UNSUPPORTED_METHOD: "it has an invalid header"
        case ISAL_INCORRECT_CHECKSUM: "its checksum is wrong"
        default: "ISA-L failed with code \(code)"
        }
    }
}
