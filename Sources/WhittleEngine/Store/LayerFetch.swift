internal import SystemPackage
internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleSnapshot
internal import WhittleStore

/// Brings layers of one image into the store: fetched and unpacked in one go, several side by side.
struct LayerFetch: Sendable {
    let store: BuildStore
    let source: any WhittleRegistry.ImageSource
    let step: Step
    /// What a layer may unpack to; `nil` for anything.
    let limit: ByteCount?
    let report: @Sendable (StepEvent) -> Void

    /// A layer that is unpacked and not yet committed.
    private struct Unpacked: Sendable {
        let position: Int
        /// `nil` where the store had it already.
        let active: ActiveSnapshot?
        var implicit = ImplicitDirectories()
        let lock: KeyLock
    }

    /// Makes snapshots of all layers, each over the one below.
    ///
    /// The locks of the layers are held until all are committed, and are taken from the lowest up. Two images share layers
    /// from the lowest up or not at all, so whoever waits for a lock holds none that its holder wants.
    func bring(_ layers: [BaseLayer], atOnce limit: Int) async throws {
        var unpacked: [Unpacked] = []
        defer { for layer in unpacked { layer.lock.release() } }
        do {
            try await withThrowingTaskGroup(of: Unpacked.self) { group in
                var next = 0
                while next < layers.count || !group.isEmpty {
                    while next < layers.count, next - unpacked.count < limit {
                        let position = next
                        let lock = try await store.layout.lock("layer-" + layers[position].chainID.hex)
                        group.addTask { try await unpack(layers[position], at: position, lock) }
                        next += 1
                    }
                    if let layer = try await group.next() { unpacked.append(layer) }
                }
            }
            for layer in unpacked.sorted(by: { $0.position < $1.position }) {
                guard let active = layer.active else { continue }
                let below = layer.position > 0 ? SnapshotID(chainID: layers[layer.position - 1].chainID) : nil
                if let below, !layer.implicit.isEmpty {
                    let lower = try store.snapshots.layers(of: below)
                    try await BlockingPool.shared.run { try layer.implicit.inherit(in: active.upper, from: lower) }
                }
                try store.snapshots.commit(active, over: below, as: SnapshotID(chainID: layers[layer.position].chainID))
            }
        } catch {
            // What cannot be removed goes with the process's scratch directory.
            for layer in unpacked { if let active = layer.active { try? store.snapshots.remove(active) } }
            throw error
        }
    }

    /// The lock is given back at once where this throws.
    private func unpack(_ layer: BaseLayer, at position: Int, _ lock: KeyLock) async throws -> Unpacked {
        do {
            if try store.snapshots.exists(SnapshotID(chainID: layer.chainID)) {
                return Unpacked(position: position, active: nil, lock: lock)
            }
            let active = try store.snapshots.prepare(parent: nil)
            let implicit: ImplicitDirectories
            do {
                implicit = try await fill(active, with: layer)
            } catch let error as BuildError {
                // As above.
                try? store.snapshots.remove(active)
                throw BuildError.unpackingLayer(layer.descriptor.digest, error)
            } catch {
                // As above.
                try? store.snapshots.remove(active)
                throw error
            }
            return Unpacked(position: position, active: active, implicit: implicit, lock: lock)
        } catch {
            lock.release()
            throw error
        }
    }

    private func fill(_ active: ActiveSnapshot, with layer: BaseLayer) async throws -> ImplicitDirectories {
        let unpacker = try LayerUnpacker(into: active.upper, limit: limit)
        let meter = TransferMeter(layer.descriptor, of: step, report: report)
        let size = ByteCount(layer.descriptor.size)
        if try store.blobs.has(layer.descriptor.digest, size: size) {
            let blobs = store.blobs
            try await BlockingPool.shared.runCancellable { cancellation in
                try Self.read(blobs.open(layer.descriptor.digest), cancellation) {
                    try unpacker.feed($0)
                    meter.add($0.count)
                }
            }
        } else {
            let writer = try store.blobs.ingest(in: store.scratch)
            do {
                try await source.read(layer.descriptor) { bytes in
                    try writer.write(bytes)
                    try unpacker.feed(bytes)
                    meter.add(bytes.count)
                }
            } catch {
                writer.cancel()
                throw error
            }
            _ = try await BlockingPool.shared.run { try writer.commit(expecting: layer.descriptor.digest, size: size) }
        }
        let (diffID, count) = try unpacker.finish()
        guard diffID == layer.diffID else {
            throw BuildError.layerMismatch(layer.descriptor.digest, expected: layer.diffID, found: diffID)
        }
        try store.database.save(
            record(of: layer, uncompressedSize: count), of: SnapshotID(chainID: layer.chainID).rawValue,
            format: LayerFormat.original)
        meter.finish()
        return unpacker.implicitDirectories
    }

    /// Makes sure that the blob is in the store.
    func fetchBlob(_ layer: BaseLayer) async throws -> LayerRecord {
        let size = ByteCount(layer.descriptor.size)
        if try !store.blobs.has(layer.descriptor.digest, size: size) {
            let writer = try store.blobs.ingest(in: store.scratch)
            try await source.read(layer.descriptor) { try writer.write($0) }
            _ = try await BlockingPool.shared.run { try writer.commit(expecting: layer.descriptor.digest, size: size) }
        }
        let known = try store.database.layer(
            of: SnapshotID(chainID: layer.chainID).rawValue, format: LayerFormat.original)
        return known ?? record(of: layer, uncompressedSize: .zero)
    }

    private func record(of layer: BaseLayer, uncompressedSize: ByteCount) -> LayerRecord {
        LayerRecord(
            digest: layer.descriptor.digest, diffID: layer.diffID, size: ByteCount(layer.descriptor.size),
            uncompressedSize: uncompressedSize, mediaType: layer.descriptor.mediaType.rawValue)
    }

    static func read(
        _ file: consuming OwnedDescriptor, _ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        try file.withDescriptor { descriptor in
            while true {
                try cancellation.check()
                let count = try Syscall.read(descriptor, into: buffer)
                if count == 0 { return }
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }
}

/// Unpacks a layer blob as it streams, and digests what it unpacks to.
// SAFETY: one transfer feeds it, one call after the other; `finish` comes after the last.
private final class LayerUnpacker: @unchecked Sendable {
    private var decompressor: Decompressor
    private let stage: Stage
    /// What is wrong with the bytes, where something is. It is told at the end: if they are not those that the digest
    /// promises, that is the better answer, and only the whole blob can show it.
    private var failure: BuildError?

    /// What decompressed bytes go through.
    private final class Stage {
        var hasher = SHA256Hasher()
        var count: Int64 = 0
        var reader: TarReader<LayerApplier>
        let limit: ByteCount

        init(_ applier: LayerApplier, limit: ByteCount) {
            reader = TarReader(applier)
            self.limit = limit
        }

        func take(_ bytes: UnsafeRawBufferPointer) throws {
            hasher.update(bytes)
            count += Int64(bytes.count)
            // Besides the files, which the applier counts: headers of empty files, and what comes after the last entry.
            guard count <= limit.bytes else { throw BuildError.layerTooLarge(limit: limit) }
            try reader.feed(bytes)
        }
    }

    init(into directory: String, limit: ByteCount?) throws {
        let limit = limit ?? ByteCount(Int64.max)
        let stage = Stage(try LayerApplier(into: directory, limit: limit), limit: limit)
        self.stage = stage
        decompressor = Decompressor { try stage.take($0) }
    }

    /// - Throws: what the file system refuses; of damaged bytes only ``finish()`` tells.
    func feed(_ bytes: UnsafeRawBufferPointer) throws {
        guard failure == nil else { return }
        do {
            try decompressor.feed(bytes)
        } catch let error as BuildError where Self.damages.contains(error.code) {
            failure = error
        }
    }

    private static let damages: Set<BuildError.Code> = [.malformedCompression, .malformedArchive, .unsafeLayer]

    /// - Returns: digest and size of the uncompressed layer.
    func finish() throws -> (Digest, ByteCount) {
        if let failure { throw failure }
        try decompressor.finish()
        try stage.reader.finish()
        try stage.reader.consumer.finish()
        return (stage.hasher.finalize(), ByteCount(stage.count))
    }

    var implicitDirectories: ImplicitDirectories { stage.reader.consumer.implicitDirectories }
}
