import Foundation
import Glibc
import Synchronization
import Testing
import WhittleArchive
import WhittleCore

@Suite("Compression")
struct CompressionTests {
    /// 5 MB that compress somewhat, the same in every run.
    static let sample: [UInt8] = {
        var state: UInt64 = 88_172_645_463_325_252
        var bytes: [UInt8] = []
        while bytes.count < 5_000_003 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            bytes += Array("line \(state % 5000) of the sample \(state % 7)\n".utf8)
        }
        return bytes
    }()

    static func compress(_ bytes: [UInt8], _ compression: Compression, threads: Int, piece: Int = 100_000) throws
        -> [UInt8]
    {
        let output = Mutex<[UInt8]>([])
        let compressor = try ParallelCompressor(compression, threads: threads) { chunk in
            output.withLock { $0 += Array(chunk) }
        }
        var start = 0
        while start < bytes.count {
            let end = min(start + piece, bytes.count)
            try bytes[start..<end].withUnsafeBytes { try compressor.write($0) }
            start = end
        }
        try compressor.finish()
        return output.withLock { $0 }
    }

    static func decompress(_ bytes: [UInt8], piece: Int = 65_537, limit: ByteCount = ByteCount(Int64.max)) throws
        -> [UInt8]
    {
        var output: [UInt8] = []
        var decompressor = Decompressor(limit: limit) { output += Array($0) }
        var start = 0
        while start < bytes.count {
            let end = min(start + piece, bytes.count)
            try bytes[start..<end].withUnsafeBytes { try decompressor.feed($0) }
            start = end
        }
        try decompressor.finish()
        return output
    }

    static let all: [Compression] = [
        .none, .gzip(level: 0), .gzip(level: 1), .defaultGzip, .gzip(level: 6), .gzip(level: 9), .zstd(level: 1),
        .defaultZstd,
    ]

    @Test("gives back what it was given, and the same bytes on any number of threads", arguments: all)
    func roundTrip(compression: Compression) throws {
        let reference = try Self.compress(Self.sample, compression, threads: 1)
        #expect(try Self.decompress(reference) == Self.sample)
        for threads in [2, 3, 7] {
            #expect(try Self.compress(Self.sample, compression, threads: threads, piece: 999_983) == reference)
        }
        for _ in 0..<5 { #expect(try Self.compress(Self.sample, compression, threads: 2) == reference) }
    }

    @Test("nothing becomes a valid empty stream", arguments: all)
    func empty(compression: Compression) throws {
        #expect(try Self.decompress(Self.compress([], compression, threads: 2)).isEmpty)
    }

    @Test(
        "what is cut into single bytes is read as well",
        arguments: [Compression.gzip(level: 1), .gzip(level: 6), .zstd(level: 3), .none])
    func singleBytes(compression: Compression) throws {
        let short = Array(Self.sample.prefix(40_000))
        #expect(try Self.decompress(Self.compress(short, compression, threads: 2), piece: 1) == short)
    }

    @Test("output of the usual programs is read", arguments: ["gzip", "bzip2", "xz", "cat"])
    func programs(program: String) throws {
        let short = Array(Self.sample.prefix(1_200_000))
        let once = try Self.filter(program, short)
        #expect(try Self.decompress(once) == short)
        // Streams that follow each other are one.
        #expect(try Self.decompress(once + once) == short + short)
    }

    @Test("gzip reads what was written", arguments: [Compression.gzip(level: 1), .defaultGzip])
    func readByGzip(compression: Compression) throws {
        let written = try Self.compress(Self.sample, compression, threads: 2)
        #expect(try Self.filter("gunzip", written) == Self.sample)
    }

    @Test("input that is cut short is an error", arguments: ["gzip", "bzip2", "xz"])
    func truncated(program: String) throws {
        let bytes = try Self.filter(program, Array(Self.sample.prefix(300_000)))
        for length in [7, bytes.count / 2, bytes.count - 1] {
            #expect(Outcome.code { try Self.decompress(Array(bytes.prefix(length))) } == "malformed-compression")
        }
        let zstd = try Self.compress(Self.sample, .zstd(level: 3), threads: 1)
        #expect(Outcome.code { try Self.decompress(Array(zstd.prefix(zstd.count - 3))) } == "malformed-compression")
    }

    @Test("damaged input is an error or other output, never a trap", arguments: ["gzip", "bzip2", "xz", "zstd"])
    func damaged(program: String) throws {
        let short = Array(Self.sample.prefix(60_000))
        let bytes =
            program == "zstd" ? try Self.compress(short, .zstd(level: 3), threads: 1) : try Self.filter(program, short)
        for _ in 0..<300 {
            var copy = bytes
            copy[Int.random(in: 6..<copy.count)] ^= UInt8.random(in: 1...255)
            do { _ = try Self.decompress(copy) } catch { #expect(error is BuildError) }
        }
    }

    @Test("padding after gzip is taken, anything else is not")
    func trailing() throws {
        let bytes = try Self.compress([1, 2, 3], .gzip(level: 6), threads: 1)
        #expect(try Self.decompress(bytes + [0, 0, 0, 0]) == [1, 2, 3])
        #expect(Outcome.code { try Self.decompress(bytes + [7]) } == "malformed-compression")
        #expect(Outcome.code { try Self.decompress(bytes + [0x1f]) } == "malformed-compression")
    }

    @Test("more output than allowed is refused")
    func bomb() throws {
        let bytes = try Self.compress([UInt8](repeating: 0, count: 50_000_000), .gzip(level: 9), threads: 2)
        #expect(bytes.count < 200_000)
        #expect(Outcome.code { try Self.decompress(bytes, limit: 1_000_000) } == "decompression-limit")
    }

    @Test("the sink's error ends the work", .timeLimit(.minutes(1)))
    func failingSink() throws {
        struct Full: Error {}
        let compressor = try ParallelCompressor(.defaultGzip, threads: 2) { _ in throw Full() }
        #expect(throws: Full.self) {
            for _ in 0..<20 { try Self.sample.withUnsafeBytes { try compressor.write($0) } }
            try compressor.finish()
        }
    }

    @Test("a compressor that is given up ends its threads", .timeLimit(.minutes(1)))
    func abandoned() throws {
        for _ in 0..<50 {
            let compressor = try ParallelCompressor(.defaultGzip, threads: 2) { _ in }
            try Self.sample.withUnsafeBytes { try compressor.write($0) }
        }
    }

    private static func filter(_ program: String, _ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-filter-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer {
            // A leftover file in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(at: file)
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program == "cat" ? ["cat"] : [program, "-c"]
        process.standardInput = try FileHandle(forReadingFrom: file)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return [UInt8](data)
    }
}

@Suite("ParallelCompressor")
struct ParallelCompressorTests {
    struct Level: CustomTestStringConvertible, Sendable {
        let compression: Compression
        let message: String
        let hint: String
        var testDescription: String { "\(compression)" }
    }

    static let levels = [
        Level(
            compression: .gzip(level: 10), message: "compressing: gzip has no level 10", hint: "its levels are 0 to 9"),
        Level(
            compression: .gzip(level: -1), message: "compressing: gzip has no level -1", hint: "its levels are 0 to 9"),
        Level(
            compression: .zstd(level: 0), message: "compressing: zstd has no level 0", hint: "its levels are 1 to 22"),
        Level(
            compression: .zstd(level: 23), message: "compressing: zstd has no level 23", hint: "its levels are 1 to 22"),
    ]

    @Test("a level that does not exist is refused", arguments: levels)
    func level(_ example: Level) throws {
        do throws(BuildError) {
            _ = try ParallelCompressor(example.compression, threads: 1) { _ in }
            Issue.record("taken")
        } catch {
            #expect(error.code.rawValue == "compression")
            #expect(error.message == example.message)
            #expect(error.hint == example.hint)
        }
    }

    /// ISA-L takes the address of its state for data when it starts: where the third byte of the input has the hash of
    /// that address (1 in 8,192), a repetition of it is found that is otherwise missed.
    @Test("level 1 of gzip does not depend on where its memory is")
    func placement() throws {
        var blocks: [UnsafeMutableRawPointer?] = []
        defer { for block in blocks { free(block) } }
        var first: [[UInt8]] = []
        for place in 0..<100 {
            for number in 0..<400 {
                let word = [UInt8(number & 255), UInt8(number >> 8), 0xa5, UInt8(number & 255) ^ 0x5a]
                let input = [1, 2] + word + (10..<50) + word + (60..<120)
                let output = try CompressionTests.compress(input, .gzip(level: 1), threads: 1)
                if place == 0 { first.append(output) }
                #expect(output == first[number])
            }
            blocks.append(malloc(65_536))
        }
    }

    @Test("headers hold neither a name nor a time", arguments: [Compression.gzip(level: 1), .defaultGzip])
    func header(compression: Compression) throws {
        let bytes = try CompressionTests.compress([1, 2, 3], compression, threads: 1)
        // RFC 1952: method deflate, no flags, no time; the system is unknown.
        #expect(bytes[0..<8].elementsEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
        #expect(bytes[9] == 255)
    }

    @Test("many threads stay within the limit of memory")
    func manyThreads() throws {
        let reference = try CompressionTests.compress(CompressionTests.sample, .defaultZstd, threads: 1)
        #expect(try CompressionTests.compress(CompressionTests.sample, .defaultZstd, threads: 1000) == reference)
    }

    @Test("portable gzip of level 1 is not ISA-L's, and unpacks to the same")
    func portable() throws {
        let output = Mutex<[UInt8]>([])
        let compressor = try ParallelCompressor(.gzip(level: 1), threads: 2, isPortable: true) { chunk in
            output.withLock { $0 += Array(chunk) }
        }
        try CompressionTests.sample.withUnsafeBytes { try compressor.write($0) }
        try compressor.finish()
        let bytes = output.withLock { $0 }
        #expect(try CompressionTests.decompress(bytes) == CompressionTests.sample)
        #expect(bytes != (try CompressionTests.compress(CompressionTests.sample, .gzip(level: 1), threads: 2)))
    }
}
