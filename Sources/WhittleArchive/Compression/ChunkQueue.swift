internal import Glibc
internal import WhittleCore

/// Chunks on their way through the threads of a ``ParallelCompressor``.
///
/// Threads start one by one as chunks come in; a stream of a single chunk is compressed by the thread that ends it.
// SAFETY: everything mutable is touched only while `mutex` is held, but for chunks and outputs, which have one holder each,
// and for what belongs to the one thread that is writing.
final class ChunkQueue: @unchecked Sendable {
    /// What chunks and their outputs together may take, in bytes.
    static let memoryLimit = 96 << 20

    private let compression: Compression
    private let isPortable: Bool
    private let sink: ParallelCompressor.Sink
    private let threadLimit: Int
    private let chunkLimit: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// For threads: a chunk waits, or the end has come.
    private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// For the one that fills chunks: one is free, all is written, or something failed.
    private let hasProgress = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private var threads: [pthread_t] = []
    private var idleThreads = 0
    private var free: [PageBuffer] = []
    private var allocated = 0
    private var waiting: [(number: Int, chunk: PageBuffer)] = []
    private var submitted = 0
    /// Compressed chunks that wait for earlier ones. Each keeps its chunk, so that all are bounded by ``chunkLimit``.
    private var compressed: [Int: Compressed] = [:]
    private var freeOutputs: [PageBuffer] = []
    private var emitted = 0
    private var isEmitting = false
    /// Touched by the thread that is writing, without the mutex.
    private var digests = StreamDigests()
    private var plainSize: Int64 = 0
    private var size: Int64 = 0
    private var failure: (any Error)?
    private var isClosed = false

    init(
        _ compression: Compression, threads: Int, isPortable: Bool, sink: @escaping ParallelCompressor.Sink
    ) {
        self.compression = compression
        self.isPortable = isPortable
        self.sink = sink
        // Of the memory for a chunk and its output: one for each thread, one being filled, one being written.
        let most = Self.memoryLimit / (2 * compression.chunkSize)
        threadLimit = max(1, min(threads, most - 2))
        // One in each thread, one ready for each, one waiting for its turn to be written for each, one being filled.
        chunkLimit = min(3 * threadLimit + 1, most)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(hasWork, nil)
        pthread_cond_init(hasProgress, nil)
    }

    deinit {
        for condition in [hasWork, hasProgress] {
            pthread_cond_destroy(condition)
            condition.deallocate()
        }
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Whether nothing was ever submitted.
    var isUnused: Bool { locked { submitted == 0 } }

    /// Waits for a chunk to fill.
    func emptyChunk() throws -> PageBuffer {
        try locked {
            while true {
                if let failure { throw failure }
                if let chunk = free.popLast() { return chunk }
                if allocated < chunkLimit {
                    allocated += 1
                    return PageBuffer(compression.chunkSize)
                }
                pthread_cond_wait(hasProgress, mutex)
            }
        }
    }

    /// Hands a chunk over to a thread.
    func submit(_ chunk: PageBuffer) throws {
        let needsThread = locked {
            waiting.append((submitted, chunk))
            submitted += 1
            if idleThreads > 0 { pthread_cond_signal(hasWork) }
            return waiting.count > idleThreads && threads.count < threadLimit
        }
        if needsThread { try startThread() }
    }

    /// Compresses the only chunk of a stream on the calling thread.
    func compressOnly(_ chunk: PageBuffer) throws {
        let compressor = try compression.makeChunkCompressor(isPortable: isPortable)
        let output = PageBuffer(compressor.bound(chunk.count))
        output.count = try compressor.compress(chunk.used, number: 0, into: output.bytes)
        try write(output, of: chunk)
    }

    /// What was written. To be asked after the end.
    var summary: ParallelCompressor.Summary {
        let (plain, compressed) = digests.finalize()
        return ParallelCompressor.Summary(
            plainDigest: plain, plainSize: ByteCount(plainSize), digest: compressed, size: ByteCount(size))
    }

    /// Hands the next output to the sink.
    private func write(_ output: PageBuffer, of chunk: PageBuffer) throws {
        digests.update(plain: chunk.used, compressed: output.used)
        plainSize += Int64(chunk.count)
        size += Int64(output.count)
        try sink(output.used)
    }

    /// Waits until everything is written, ends the threads, and throws what went wrong.
    func finish() throws {
        let failure = locked {
            while self.failure == nil, emitted < submitted { pthread_cond_wait(hasProgress, mutex) }
            return self.failure
        }
        abandon()
        if let failure { throw failure }
    }

    /// Ends the threads, whatever is left to do.
    func abandon() {
        let threads = locked {
            isClosed = true
            pthread_cond_broadcast(hasWork)
            defer { self.threads = [] }
            return self.threads
        }
        for thread in threads { pthread_join(thread, nil) }
    }

    private func locked<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Ends the work with the first error. To be called while the mutex is held.
    private func fail(_ error: any Error) {
        failure = failure ?? error
        pthread_cond_broadcast(hasWork)
        pthread_cond_signal(hasProgress)
    }
}

// MARK: - Threads

extension ChunkQueue {
    /// What one thread works with.
    private final class Worker {
        let queue: ChunkQueue
        let compressor: any ChunkCompressor

        init(queue: ChunkQueue, compressor: any ChunkCompressor) {
            self.queue = queue
            self.compressor = compressor
        }
    }

    /// A compressed chunk with what it was made from.
    private struct Compressed {
        let chunk: PageBuffer
        let output: PageBuffer
    }

    private func startThread() throws(BuildError) {
        var thread = pthread_t()
        let worker = Worker(
            queue: self, compressor: try compression.makeChunkCompressor(isPortable: isPortable))
        let argument = Unmanaged.passRetained(worker)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let worker = Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue()
                worker.queue.work(with: worker.compressor)
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            // With one thread the work goes on, only slower.
            if locked({ !threads.isEmpty }) { return }
            throw .compression("starting a thread: " + String(cString: strerror(code)))
        }
        locked { threads.append(thread) }
    }

    private func work(with compressor: any ChunkCompressor) {
        while let (number, chunk, output) = next(compressor) {
            do throws(BuildError) {
                output.count = try compressor.compress(chunk.used, number: number, into: output.bytes)
                emit(Compressed(chunk: chunk, output: output), number)
            } catch {
                locked { fail(error) }
            }
        }
    }

    /// Waits for a chunk; `nil` at the end.
    private func next(_ compressor: any ChunkCompressor) -> (Int, PageBuffer, PageBuffer)? {
        locked {
            while true {
                if isClosed || failure != nil { return nil }
                if !waiting.isEmpty {
                    let (number, chunk) = waiting.removeFirst()
                    return (number, chunk, freeOutputs.popLast() ?? PageBuffer(compressor.bound(compression.chunkSize)))
                }
                idleThreads += 1
                pthread_cond_wait(hasWork, mutex)
                idleThreads -= 1
            }
        }
    }

    /// Writes a chunk and those that waited for it, in order; or leaves it to the thread that is writing, or whose chunk
    /// comes before.
    private func emit(_ finished: Compressed, _ number: Int) {
        var next = locked {
            compressed[number] = finished
            return isEmitting ? nil : takeNext()
        }
        while let current = next {
            do {
                try write(current.output, of: current.chunk)
                next = locked {
                    emitted += 1
                    freeOutputs.append(current.output)
                    current.chunk.count = 0
                    free.append(current.chunk)
                    pthread_cond_signal(hasProgress)
                    return takeNext()
                }
            } catch {
                return locked { fail(error) }
            }
        }
    }

    /// The chunk to write next, if it is there. To be called while the mutex is held.
    private func takeNext() -> Compressed? {
        let next = failure == nil ? compressed.removeValue(forKey: emitted) : nil
        isEmitting = next != nil
        return next
    }
}
