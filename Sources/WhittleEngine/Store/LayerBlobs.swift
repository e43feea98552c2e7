internal import Glibc
internal import Synchronization
internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleSnapshot
internal import WhittleStore

/// Writes the layers of steps as blobs, while the build still runs, each once.
actor LayerBlobs {
    private let store: BuildStore
    private var writing: [Key: Task<LayerBlob, any Error>] = [:]
    private var followUps: [Task<Void, any Error>] = []

    private struct Key: Hashable {
        let changes: SnapshotID
        let form: LayerForm
    }

    init(_ store: BuildStore) { self.store = store }

    /// Starts to write a layer that will be needed. Whether it fails shows in ``layer(of:_:)``.
    ///
    /// - Parameter then: what is to be done with the blob; whether it fails shows in ``finish()``.
    func begin(
        _ snapshot: SnapshotID, _ form: LayerForm, then: (@Sendable (LayerBlob) async throws -> Void)? = nil
    ) throws {
        let task = try task(for: snapshot, form)
        guard let then else { return }
        // Awaited by `finish()` or `cancel()`, one of which ends every build.
        followUps.append(Task { try await then(try await task.value) })
    }

    /// Waits until all is done that was to be done with layers.
    func finish() async throws {
        for followUp in followUps { try await followUp.value }
    }

    /// The blob with the snapshot's own changes.
    func layer(of snapshot: SnapshotID, _ form: LayerForm) async throws -> LayerBlob {
        let task = try task(for: snapshot, form)
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Stops what nobody waits for any more, and waits for its end.
    func cancel() async {
        for task in writing.values { task.cancel() }
        for followUp in followUps { followUp.cancel() }
        for task in writing.values { _ = await task.result }
        for followUp in followUps { _ = await followUp.result }
        writing = [:]
    }

    private func task(for snapshot: SnapshotID, _ form: LayerForm) throws -> Task<LayerBlob, any Error> {
        let key = Key(changes: try store.snapshots.changesOwner(of: snapshot), form: form)
        if let task = writing[key] { return task }
        let writer = LayerBlobWriter(store: store, changes: key.changes, form: form)
        // Awaited by `layer(of:_:)` or `cancel()`, one of which ends every build.
        let task = Task { try await writer.write() }
        writing[key] = task
        return task
    }
}

/// A snapshot's changes as a blob of the store.
struct LayerBlob: Sendable {
    let record: LayerRecord
    /// Whether this process took the digest while it wrote the blob.
    let isVerified: Bool

    init(_ record: LayerRecord, isVerified: Bool = false) {
        self.record = record
        self.isVerified = isVerified
    }
}

/// Writes one layer.
private struct LayerBlobWriter: Sendable {
    let store: BuildStore
    let changes: SnapshotID
    let form: LayerForm

    func write() async throws -> LayerBlob {
        if let known = try usable() { return LayerBlob(known) }
        // Nothing to write, and nothing to remember: looking costs less than a file, a lock and a row for each step.
        if try RootDirectory(store.snapshots.changes(of: changes)).names(in: "/").isEmpty { return LayerBlob(.empty) }
        let lock = try await store.layout.lock("blob-\(changes)-\(form.name)")
        defer { lock.release() }
        if let known = try usable() { return LayerBlob(known) }
        let record = try await BlockingPool.shared.runCancellable { try write($0) }
        try store.database.save(record, of: changes.rawValue, format: form.name)
        return LayerBlob(record, isVerified: true)
    }

    private func usable() throws -> LayerRecord? {
        guard let record = try store.database.layer(of: changes.rawValue, format: form.name),
            try record.isEmpty || store.blobs.has(record.digest, size: record.size)
        else { return nil }
        return record
    }

    private func write(_ cancellation: Cancellation) throws -> LayerRecord {
        let blob = try store.blobs.ingest(in: store.scratch, isDigested: true)
        let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let compressor = try ParallelCompressor(
            form.compression, threads: threads, isPortable: form.isPortable
        ) { try blob.write($0) }
        let directory = try store.snapshots.changes(of: changes)
        let entries = try LayerWriter(changesIn: directory, times: form.times).write(
            cancellation: cancellation
        ) { try compressor.write($0) }
        let summary = try compressor.finish()
        guard entries > 0 else {
            blob.cancel()
            return .empty
        }
        try blob.commit(as: summary.digest)
        return LayerRecord(
            digest: summary.digest, diffID: summary.plainDigest, size: summary.size,
            uncompressedSize: summary.plainSize, mediaType: mediaType.rawValue)
    }

    private var mediaType: MediaType {
        switch form.compression {
        case .none: .ociLayer
        case .gzip: .ociLayerGzip
        case .zstd: .ociLayerZstd
        }
    }
}

extension LayerRecord {
    /// Stands for a step that changed nothing, and makes no layer.
    static let empty = LayerRecord(
        digest: Digest(hashing: ""), diffID: Digest(hashing: ""), size: .zero, uncompressedSize: .zero, mediaType: "")

    var isEmpty: Bool { mediaType.isEmpty }
}
