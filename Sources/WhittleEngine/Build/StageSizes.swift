internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleSnapshot

/// Measures what steps wrote, for those who look for what makes an image large.
struct StageSizes: Sendable {
    private let store: BuildStore

    init(_ store: BuildStore) { self.store = store }

    private struct Size {
        var added: ByteCount = .zero
        var base: ByteCount = .zero
    }

    /// Reports ``WhittleGraph/StepEvent/measured(_:added:base:)`` for each of `snapshots`, in the order of the definition.
    ///
    /// - Parameter snapshots: by vertex.
    func report(
        _ snapshots: [Digest: SnapshotID], of definition: Definition, _ report: @Sendable (StepEvent) -> Void
    ) async throws {
        let sizes = try await BlockingPool.shared.runCancellable { cancellation in
            var known: [SnapshotID: Size] = [:]
            return try snapshots.mapValues { try size(after: $0, &known, cancellation) }
        }
        for vertex in definition.vertices {
            guard let size = sizes[vertex.digest] else { continue }
            report(.measured(Step(vertex), added: size.added, base: size.base))
        }
    }

    private func size(
        after snapshot: SnapshotID, _ known: inout [SnapshotID: Size], _ cancellation: Cancellation
    ) throws -> Size {
        var unknown: [SnapshotID] = []
        var next: SnapshotID? = snapshot
        while let id = next, known[id] == nil {
            unknown.append(id)
            next = try store.snapshots.parent(of: id)
        }
        var size = next.flatMap { known[$0] } ?? Size()
        for id in unknown.reversed() {
            if let layer = try store.database.layer(of: id.rawValue, format: LayerFormat.original) {
                size.base += layer.uncompressedSize
            } else {
                size.added += try bytes(in: store.snapshots.changes(of: id), cancellation)
            }
            known[id] = size
        }
        return size
    }

    /// The contents of the regular files in a directory, each file once, however many names it has.
    private func bytes(in directory: String, _ cancellation: Cancellation) throws -> ByteCount {
        var sum = ByteCount.zero
        var seen: Set<UInt64> = []
        try TreeWalk(directory).forEach(cancellation: cancellation) { entry in
            guard entry.status.isRegular else { return }
            guard entry.status.links < 2 || seen.insert(entry.status.inode).inserted else { return }
            sum += ByteCount(entry.status.size)
        }
        return sum
    }
}
