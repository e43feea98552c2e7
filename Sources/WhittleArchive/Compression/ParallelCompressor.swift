internal import Glibc
public import WhittleCore

/// Compresses a stream on several threads, as members or frames that stand alone.
///
/// The bytes depend on the input and the ``Compression`` alone, not on the number of threads nor on how the input was cut
/// into writes. Memory is bounded: a few chunks for each thread; ``write(_:)`` waits while all are in use. To be used from
/// one thread, which blocks; the work is done on threads of the compressor's own, and the sink is called from any of them,
/// in order and never twice at once.
public final class ParallelCompressor {
    /// Takes compressed bytes.
    public typealias Sink = @Sendable (UnsafeRawBufferPointer) throws -> Void

    private let compression: Compression
    private let queue: ChunkQueue
    private var current: PageBuffer?
    private var isFinished = false

    /// - Parameter threads: how many chunks are compressed at once, at least 1.
    /// - Throws: `compression` where a library or the system has no memory or no threads.
    public init(_ compression: Compression, threads: Int, sink: @escaping Sink) throws(BuildError) {
        self.compression = compression
        queue = try ChunkQueue(compression, threads: max(1, threads), sink: sink)
    }

    deinit { queue.abandon() }

    /// Adds input.
    ///
    /// - Throws: what compressing earlier input or the sink threw.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let chunk = try current ?? queue.emptyChunk()
            current = chunk
            let count = min(rest.count, chunk.bytes.count - chunk.count)
            UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[chunk.count...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            chunk.count += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if chunk.count == chunk.bytes.count {
                current = nil
                queue.submit(chunk)
            }
        }
    }

    /// Compresses what is left and waits for the end of all work. To be called once.
    ///
    /// - Throws: what compressing or the sink threw; the threads have ended by then.
    public func finish() throws {
        precondition(!isFinished, "a stream finished twice")
        isFinished = true
        // No input at all still makes one member: nothing would be no valid gzip or zstd file.
        if let last = try current ?? (queue.isUnused ? queue.emptyChunk() : nil) { queue.submit(last) }
        current = nil
        try queue.finish()
    }
}
