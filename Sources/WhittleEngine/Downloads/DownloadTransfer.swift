internal import Synchronization
internal import WhittleCache
internal import WhittleCore
internal import WhittleGraph
internal import WhittleHTTP
internal import WhittleStore

/// One download on its way into the store, over all attempts.
final class DownloadTransfer: Sendable {
    private let source: HTTPSource
    private let known: DownloadRecord?
    private let store: BuildStore
    private let limit: ByteCount?
    private let step: Step
    private let report: @Sendable (StepEvent) -> Void
    private let state = Mutex(State())

    private struct State {
        var writer: BlobWriter?
        var hasher = SHA256Hasher()
        var received: Int64 = 0
        var reported: Int64 = 0
        var isUnchanged = false
    }

    /// How often progress is reported.
    private static let interval: Int64 = 1 << 20

    init(
        _ source: HTTPSource, known: DownloadRecord?, store: BuildStore, limit: ByteCount?, step: Step,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.source = source
        self.known = known
        self.store = store
        self.limit = limit
        self.step = step
        self.report = report
    }

    /// Whether a server that knows nothing of conditions sent the entity tag that is on record; its body was not read.
    var isUnchanged: Bool { state.withLock { $0.isUnchanged } }

    /// Takes the body of a successful answer from its beginning.
    func receive(_ response: HTTPResponse) throws -> ByteSink {
        cancel()
        let isUnchanged =
            source.checksum == nil && known?.entityTag != nil && response.headers["ETag"] == known?.entityTag
        let length = response.headers["Content-Length"].flatMap { Int64($0) }
        if !isUnchanged, let length, let limit, length > limit.bytes {
            throw BuildError.downloadTooLarge(source.shownURL, limit: limit)
        }
        let writer = isUnchanged ? nil : try store.blobs.ingest(in: store.scratch, isDigested: true)
        state.withLock { $0 = State(writer: writer, isUnchanged: isUnchanged) }
        guard let writer else { return { _ in throw EnoughRead() } }
        show(0, of: length)
        return { bytes in
            let received = self.state.withLock { state in
                state.hasher.update(bytes)
                state.received += Int64(bytes.count)
                return state.received
            }
            if let limit = self.limit, received > limit.bytes {
                throw BuildError.downloadTooLarge(self.source.shownURL, limit: limit)
            }
            try writer.write(bytes)
            self.show(received, of: length)
        }
    }

    private func show(_ received: Int64, of length: Int64?) {
        let isDue = state.withLock { state in
            guard received == 0 || received - state.reported >= Self.interval else { return false }
            state.reported = received
            return true
        }
        if isDue { progress(received, of: length, isDone: false) }
    }

    private func progress(_ received: Int64, of length: Int64?, isDone: Bool) {
        report(
            .progress(
                step,
                StepProgress(
                    name: source.shownURL, current: ByteCount(received), total: length.map { ByteCount($0) },
                    isDone: isDone)))
    }

    /// Stores what has arrived. Blocks.
    ///
    /// - Throws: `checksum-mismatch`.
    func finish() throws -> Digest {
        let (writer, digest, received) = state.withLock { state in
            (state.writer.take(), state.hasher.finalize(), state.received)
        }
        guard let writer else { preconditionFailure("a success whose body was not taken") }
        if let expected = source.checksum, expected != digest {
            writer.cancel()
            throw BuildError.checksumMismatch(source.shownURL, expected: expected, found: digest)
        }
        try writer.commit(as: digest)
        progress(received, of: received, isDone: true)
        return digest
    }

    /// Drops what has arrived.
    func cancel() { state.withLock { $0.writer.take() }?.cancel() }
}
