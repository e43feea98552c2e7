internal import CWhittleSHA256
internal import WhittleCore

/// The SHA-256 digests of a stream and of its compressed form, taken together.
///
/// Where the processor has SHA instructions, two digests at once cost little more than one.
struct StreamDigests {
    private enum Form {
        case together(BlockDigest, BlockDigest)
        case apart(SHA256Hasher, SHA256Hasher)
    }

    private var form: Form

    /// - Parameter usesInstructions: `nil` uses them where the processor has them.
    init(usesInstructions: Bool? = nil) {
        form =
            usesInstructions ?? Self.hasInstructions
            ? .together(BlockDigest(), BlockDigest()) : .apart(SHA256Hasher(), SHA256Hasher())
    }

    static let hasInstructions = whittle_sha256_is_available()

    /// Adds bytes to both messages.
    mutating func update(plain: UnsafeRawBufferPointer, compressed: UnsafeRawBufferPointer) {
        switch form {
        case .together(var first, var second):
            BlockDigest.update(&first, plain, &second, compressed)
            form = .together(first, second)
        case .apart(var first, var second):
            first.update(plain)
            second.update(compressed)
            form = .apart(first, second)
        }
    }

    /// Both digests.
    func finalize() -> (plain: Digest, compressed: Digest) {
        switch form {
        case .together(let first, let second): (first.finalize(), second.finalize())
        case .apart(let first, let second): (first.finalize(), second.finalize())
        }
    }
}

/// SHA-256 (FIPS 180-4) of one message by whole blocks.
private struct BlockDigest {
    private static let blockSize = 64

    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    /// The start of a block whose end is still to come.
    private var partial: [UInt8] = []
    private var count: UInt64 = 0

    static func update(
        _ first: inout BlockDigest, _ firstBytes: UnsafeRawBufferPointer, _ second: inout BlockDigest,
        _ secondBytes: UnsafeRawBufferPointer
    ) {
        let one = first.completePartial(firstBytes)
        let two = second.completePartial(secondBytes)
        let blocks = min(one.count, two.count) / blockSize
        if blocks > 0, let oneBase = one.baseAddress, let twoBase = two.baseAddress {
            whittle_sha256_blocks_of_two(
                &first.state, oneBase.assumingMemoryBound(to: UInt8.self), &second.state,
                twoBase.assumingMemoryBound(to: UInt8.self), blocks)
        }
        first.add(UnsafeRawBufferPointer(rebasing: one[(blocks * blockSize)...]))
        second.add(UnsafeRawBufferPointer(rebasing: two[(blocks * blockSize)...]))
    }

    /// - Returns: what is left of `bytes` after the block that had been begun.
    private mutating func completePartial(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        count += UInt64(bytes.count)
        guard !partial.isEmpty else { return bytes }
        let taken = min(Self.blockSize - partial.count, bytes.count)
        partial.append(contentsOf: bytes[..<taken])
        if partial.count == Self.blockSize {
            whittle_sha256_blocks(&state, partial, 1)
            partial.removeAll(keepingCapacity: true)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[taken...])
    }

    /// Adds whole blocks, and keeps the rest.
    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let blocks = bytes.count / Self.blockSize
        if blocks > 0, let base = bytes.baseAddress {
            whittle_sha256_blocks(&state, base.assumingMemoryBound(to: UInt8.self), blocks)
        }
        partial.append(contentsOf: bytes[(blocks * Self.blockSize)...])
    }

    func finalize() -> Digest {
        // A one, zeros, and the length in bits as 8 bytes, big endian, to the end of a block.
        var end = partial + [0x80]
        while end.count % Self.blockSize != Self.blockSize - 8 { end.append(0) }
        withUnsafeBytes(of: (count * 8).bigEndian) { end.append(contentsOf: $0) }
        var state = state
        whittle_sha256_blocks(&state, end, end.count / Self.blockSize)
        let bytes = state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
        guard let digest = Digest(sha256Bytes: bytes) else { preconditionFailure("eight words are 32 bytes") }
        return digest
    }
}
