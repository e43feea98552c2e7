import Testing
import WhittleCore

@testable import WhittleArchive

@Suite("StreamDigests")
struct StreamDigestsTests {
    private static func bytes(_ count: Int, seed: UInt8) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(seed) &+ $0 >> 7) }
    }

    @Test("are the SHA-256 of either stream, however it is cut", arguments: [true, false])
    func agrees(usesInstructions: Bool) {
        if usesInstructions, !StreamDigests.hasInstructions {
            print("skipped: this processor has no SHA instructions")
            return
        }
        let sizes = [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000, 4096, 5000]
        for (index, size) in sizes.enumerated() {
            let plain = Self.bytes(size, seed: 1)
            let compressed = Self.bytes(sizes[(index * 5 + 3) % sizes.count], seed: 2)
            for piece in [1, 7, 64, 100, 5000] {
                var digests = StreamDigests(usesInstructions: usesInstructions)
                for start in stride(from: 0, to: max(plain.count, compressed.count), by: piece) {
                    func part(_ bytes: [UInt8]) -> ArraySlice<UInt8> { bytes[min(start, bytes.count)...].prefix(piece) }
                    part(plain).withUnsafeBytes { plain in
                        part(compressed).withUnsafeBytes { digests.update(plain: plain, compressed: $0) }
                    }
                }
                let result = digests.finalize()
                #expect(result.plain == Digest(hashing: plain))
                #expect(result.compressed == Digest(hashing: compressed))
            }
        }
    }

    @Test("a compressor tells the digests and sizes of its streams", arguments: [0, 100, 1 << 20, 3_000_001])
    func summary(size: Int) throws {
        let input = Array(CompressionTests.sample.prefix(size))
        for compression in [Compression.none, .gzip(level: 1), .defaultGzip, .defaultZstd] {
            let output = OutputBytes()
            let compressor = try ParallelCompressor(compression, threads: 3) { output.append($0) }
            try input.withUnsafeBytes { try compressor.write($0) }
            let summary = try compressor.finish()
            #expect(summary.plainDigest == Digest(hashing: input))
            #expect(summary.plainSize == ByteCount(input.count))
            #expect(summary.digest == Digest(hashing: output.bytes))
            #expect(summary.size == ByteCount(output.bytes.count))
        }
    }

    // SAFETY: the compressor never calls its sink twice at once, and it is read after the end.
    final class OutputBytes: @unchecked Sendable {
        var bytes: [UInt8] = []
        func append(_ chunk: UnsafeRawBufferPointer) { bytes += Array(chunk) }
    }
}
