internal import WhittleArchive
internal import WhittleCache
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleSnapshot
internal import WhittleStore

/// What a finished build is made into: an image in some compression, or a directory.
struct BuildProducts: Sendable {
    let store: BuildStore
    let plan: BuildPlan
    /// The target's file system, `nil` where it is empty.
    let snapshot: SnapshotID?
    let layers: LayerBlobs
    let images: ImagePuller
    let mounts: MountedSnapshots
    let epoch: BuildEpoch
    /// Whether the build's own layers become one.
    let squashes: Bool

    /// The target as an image whose layers are compressed as asked; those of the base image stay as they are unless
    /// another compression is forced, and their times stay in any case.
    func image(_ format: ImageFormat) async throws -> ExportImage {
        let form = LayerForm(format, epoch)
        var baseForm = form
        baseForm.times = nil
        var configuration = plan.configuration
        var chain = try snapshots()
        let baseCount = configuration.diffIDs.count
        if squashes, chain.count > baseCount + 1 {
            let squashed = try await squash(Array(chain[baseCount...]), over: chain[..<baseCount].last)
            History.squash(&configuration, count: chain.count - baseCount)
            chain = chain[..<baseCount] + [squashed]
        }
        guard chain.count >= baseCount else { preconditionFailure("an image with fewer layers than its base") }
        var result: [ExportImage.Layer] = []
        var created: [Timestamp] = []
        var isEmpty: [Bool] = []
        for (position, id) in chain.enumerated() {
            let layer: LayerBlob
            if position < baseCount, !format.compression.isForced {
                layer = LayerBlob(try await baseLayer(id))
            } else {
                layer = try await layers.layer(of: id, position < baseCount ? baseForm : form)
            }
            created.append(try store.snapshots.created(id))
            isEmpty.append(layer.record.isEmpty)
            if !layer.record.isEmpty { result.append(ExportImage.Layer(layer)) }
        }
        configuration.diffIDs = result.map(\.diffID)
        History.complete(
            &configuration, created: created, isEmpty: isEmpty, baseCount: baseCount,
            epoch: plan.sourceDateEpoch)
        return ExportImage(configuration: configuration, layers: result)
    }

    /// The target's file system as a directory.
    func tree() async throws -> ExportTree {
        ExportTree(
            platform: plan.configuration.platform, directory: try await mounts.path(of: snapshot),
            times: epoch.treeTimes)
    }

    /// One snapshot with the changes of all, which is made once for each combination of them.
    private func squash(_ chain: [SnapshotID], over base: SnapshotID?) async throws -> SnapshotID {
        let owners = try chain.map { try store.snapshots.changesOwner(of: $0).rawValue }
        let key = Digest(hashing: ([base?.rawValue ?? ""] + owners).joined(separator: "\n"))
        guard let id = SnapshotID(rawValue: "squash-" + key.hex) else { preconditionFailure("digits are a name") }
        if try store.snapshots.exists(id) { return id }
        let directories = try chain.map { try store.snapshots.changes(of: $0) }
        let root = try await mounts.path(of: base)
        return try await BlockingPool.shared.runCancellable { cancellation in
            let active = try store.snapshots.prepare(parent: base)
            do {
                try LayerSquash(changes: directories, base: root).write(into: active.upper, cancellation)
                try store.snapshots.commit(active, as: id)
                return id
            } catch {
                // The error that matters is on its way; the directory goes with the scratch directory.
                try? store.snapshots.remove(active)
                throw error
            }
        }
    }

    /// The snapshots of the target, lowest first.
    private func snapshots() throws -> [SnapshotID] {
        var chain: [SnapshotID] = []
        var next = snapshot
        while let id = next {
            chain.append(id)
            next = try store.snapshots.parent(of: id)
        }
        return chain.reversed()
    }

    private func baseLayer(_ id: SnapshotID) async throws -> LayerRecord {
        if let known = try store.database.layer(of: id.rawValue, format: LayerFormat.original),
            try store.blobs.has(known.digest, size: known.size)
        {
            return known
        }
        if let fetched = try await images.bringBlob(of: id, from: plan.baseImages) { return fetched }
        // The image it came from is not known any more: the same files in our own form.
        return try await layers.layer(of: id, LayerForm(.defaultGzip, isPortable: epoch.isReproducible)).record
    }
}
