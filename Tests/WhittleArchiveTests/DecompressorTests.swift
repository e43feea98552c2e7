import Foundation
import Testing
import WhittleArchive
import WhittleCore

@Suite("Decompressor")
struct DecompressorTests {
    /// Sizes at which an output buffer, a chunk or a frame is full to the byte.
    @Test(
        "a stream that ends where a buffer is full is complete",
        arguments: [256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20, (2 << 20) + 1])
    func fullBuffers(size: Int) throws {
        let bytes = Array((CompressionTests.sample + CompressionTests.sample).prefix(size))
        for compression in CompressionTests.all {
            let written = try CompressionTests.compress(bytes, compression, threads: 2)
            for piece in [written.count, 65_536, 4096] {
                #expect(try CompressionTests.decompress(written, piece: piece) == bytes)
            }
        }
    }

    @Test("members and frames may be cut anywhere", arguments: 1...24)
    func cutMembers(piece: Int) throws {
        let members = [Array("first".utf8), [], Array(repeating: 7, count: 300), Array("last".utf8)]
        for compression in [Compression.gzip(level: 1), .gzip(level: 6), .gzip(level: 0), .zstd(level: 3)] {
            let written = try members.flatMap { try CompressionTests.compress($0, compression, threads: 1) }
            #expect(try CompressionTests.decompress(written, piece: piece) == members.flatMap { $0 })
        }
    }

    @Test("skippable frames of zstd are skipped, also as the first ones")
    func skippable() throws {
        let frame: [UInt8] = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let data = try CompressionTests.compress([9, 8, 7], .zstd(level: 1), threads: 1)
        #expect(try CompressionTests.decompress(frame + data + frame + data) == [9, 8, 7, 9, 8, 7])
        #expect(
            Outcome.code { try CompressionTests.decompress(frame + data + frame.dropLast()) } == "malformed-compression"
        )
    }

    @Test(
        "short input is handed on as it is",
        arguments: [[], [0x1f], [0x42, 0x5a], [0x28, 0xb5, 0x2f], [1, 2, 3, 4, 5]] as [[UInt8]])
    func short(bytes: [UInt8]) throws {
        #expect(try CompressionTests.decompress(bytes) == bytes)
        #expect(try CompressionTests.decompress(bytes, piece: 1) == bytes)
    }

    @Test("xz that needs more memory than allowed is refused", .enabled(if: Tool.isInstalled("xz")))
    func memory() throws {
        try Tool.withDirectory { directory in
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: directory + "/f"))
            let bytes = try [UInt8](Tool.run("xz", ["-c", "--lzma2=preset=0,dict=512MiB", directory + "/f"]))
            #expect(
                Outcome.message { try CompressionTests.decompress(bytes) }
                    == "decompressing xz data: it needs more than 128 MiB of memory")
        }
    }

    struct Damage: CustomTestStringConvertible, Sendable {
        let program: String
        /// From the end of the stream.
        let position: Int
        let message: String
        var testDescription: String { "\(program) at -\(position)" }
    }

    static let damages = [
        Damage(program: "gzip", position: 6, message: "decompressing gzip data: its checksum is wrong"),
        Damage(program: "bzip2", position: 3, message: "decompressing bzip2 data: its checksum or a block is wrong"),
        Damage(program: "xz", position: 5, message: "decompressing xz data: its checksum or a block is wrong"),
    ]

    @Test("a wrong checksum is told", arguments: damages)
    func checksum(_ damage: Damage) throws {
        guard Tool.isInstalled(damage.program) else { return }
        try Tool.withDirectory { directory in
            try Data(CompressionTests.sample.prefix(50_000)).write(to: URL(fileURLWithPath: directory + "/f"))
            var bytes = try [UInt8](Tool.run(damage.program, ["-c", directory + "/f"]))
            bytes[bytes.count - damage.position] ^= 0x10
            #expect(Outcome.message { try CompressionTests.decompress(bytes) } == damage.message)
        }
    }

    @Test("what is wrong is said in words")
    func messages() throws {
        let gzip = try CompressionTests.compress([1], .gzip(level: 6), threads: 1)
        #expect(
            Outcome.message { try CompressionTests.decompress(gzip + [7]) }
                == "decompressing gzip data: something that is not gzip follows its end")
        #expect(
            Outcome.message { try CompressionTests.decompress(gzip.dropLast()) }
                == "decompressing gzip data: it ends too early")
        #expect(
            Outcome.message { try CompressionTests.decompress(Array(repeating: 1, count: 5000), limit: 4096) }
                == "decompressing plain data: it becomes larger than the limit of 4.1kB")
    }
}
