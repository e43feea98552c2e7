internal import Glibc
public import WhittleCore

/// Compresses a stream on several threads, as members or frames that stand alone.
///
/// The bytes depend on the input and the ``Compression`` alone, not on the number of threads nor on how the input was cut
/// into writes, for one version of the libraries. (Level 1 of gzip uses ISA-L, whose output differs between processors,
/// unless it is asked to be portable.) Memory is bounded: a few chunks for each thread, and less than 100 MiB in all; ``write(_:)`` waits while
/// all are in use. To be used from one thread, which blocks; the work is done on threads of the compressor's own, and the
/// sink is called from any of them, in order and never twice at once.
public final class ParallelCompressor {
    /// Takes compressed bytes.
    public typealias Sink = @Sendable (UnsafeRawBufferPointer) throws -> Void

    private let queue: ChunkQueue
    private var current: PageBuffer?
    private var isFinished = false

    /// What became of a stream.
    public struct Summary: Hashable, Sendable {
        /// The SHA-256 of what was written.
        public let plainDigest: Digest
        /// Bytes that were written.
        public let plainSize: ByteCount
        /// The SHA-256 of what the sink got.
        public let digest: Digest
        /// Bytes that the sink got.
        public let size: ByteCount
    }

    /// - Parameters:
    ///   - threads: how many chunks are compressed at once, at least 1.
    ///   - isPortable: whether the bytes have to be the same on every processor.
    /// - Throws: `compression` where the format has no such level.
    public init(
        _ compression: Compression, threads: Int, isPortable: Bool = false, sink: @escaping Sink
    ) throws(BuildError) {
        switch compression {
        case .none: break
        case .gzip(let level): try Self.check(level, Compression.gzipLevels, "gzip")
        case .zstd(let level): try Self.check(level, Compression.zstdLevels, "zstd")
        }
        queue = ChunkQueue(compression, threads: threads, isPortable: isPortable, sink: sink)
    }

    deinit { queue.abandon() }

    private static func check(_ level: Int, _ levels: ClosedRange<Int>, _ format: String) throws(BuildError) {
        guard levels.contains(level) else { throw .compressionLevel(level, of: format, levels) }
    }

    /// Adds input.
    ///
    /// - Throws: what compressing earlier input or the sink threw; `compression` where a library or the system has no
    ///   memory or no threads.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let chunk = try current ?? queue.emptyChunk()
            current = chunk
            // A full chunk is handed over only when more follows, so that a stream of one chunk needs no thread.
            if chunk.count == chunk.bytes.count {
                current = nil
                try queue.submit(chunk)
                continue
            }
            let count = min(rest.count, chunk.bytes.count - chunk.count)
            UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[chunk.count...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            chunk.count += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Compresses what is left and waits for the end of all work. To be called once.
    ///
    /// - Returns: digests and sizes of the whole, which the threads took on the way.
    /// - Throws: as ``write(_:)``; the threads have ended by then.
    @discardableResult
    public func finish() throws -> Summary {
        precondition(!isFinished, "a stream finished twice")
        isFinished = true
        guard !queue.isUnused else {
            // No input at all still makes one member: nothing would be no valid gzip or zstd file.
            try queue.compressOnly(try current ?? queue.emptyChunk())
            return queue.summary
        }
        if let last = current { try queue.submit(last) }
        current = nil
        try queue.finish()
        return queue.summary
    }
}
