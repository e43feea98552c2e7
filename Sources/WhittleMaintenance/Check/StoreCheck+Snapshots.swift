internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot
internal import WhittleStore

extension StoreCheck {
    /// Looks whether each snapshot is whole, has what it stands on, and still gives the layer that was made of it.
    func checkSnapshots(_ findings: inout Findings, _ cancellation: Cancellation) throws {
        let ids = try InventoryReader.snapshotIDs(layout).sorted { $0.rawValue < $1.rawValue }
        findings.report.snapshotCount = ids.count
        var metas: [SnapshotID: SnapshotMeta] = [:]
        var problems: [SnapshotID: String] = [:]
        var lost = 0
        let boot = try SnapshotMeta.currentBoot()
        for id in ids {
            let path = layout.snapshots + "/" + id.rawValue
            guard let meta = try InventoryReader.meta(of: id, layout) else {
                if access(path, F_OK) == 0 { problems[id] = "its 'meta.json' is missing or damaged" }
                continue
            }
            metas[id] = meta
            if meta.changes == id, access(path + "/fs", F_OK) != 0 { problems[id] = "its files are missing" }
            if meta.boot != boot, access(path + "/synced", F_OK) != 0 { lost += 1 }
        }
        if lost > 0 {
            findings.report.notes.append(
                "\(lost) snapshots were made shortly before the machine went down and are not used: "
                    + "'whittle prune' removes them")
        }
        let written = findings.isDatabaseDamaged ? [:] : try database.recordedLayers()
        for (id, finding) in try changedContents(of: metas.filter { problems[$0.key] == nil }, written, cancellation) {
            problems[id] = finding
        }
        for id in ids where problems[id] == nil {
            if let finding = lack(of: id, metas, problems) { problems[id] = finding }
        }
        for (id, finding) in problems.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            findings.note("snapshot \(id)", finding, removing: .snapshot(id))
        }
    }

    /// What is wrong with what `id` stands on, directly or not.
    private func lack(
        of id: SnapshotID, _ metas: [SnapshotID: SnapshotMeta], _ problems: [SnapshotID: String]
    ) -> String? {
        var seen: Set<SnapshotID> = [id]
        var open = metas[id]?.needs(besides: id) ?? []
        while let needed = open.popLast() {
            guard seen.insert(needed).inserted else {
                if needed == id { return "it stands on itself" }
                continue
            }
            if problems[needed] != nil { return "it stands on the damaged snapshot \(needed)" }
            guard let meta = metas[needed] else {
                // Made or removed since the directory was listed: not looked at.
                if access(layout.snapshots + "/" + needed.rawValue, F_OK) == 0 { continue }
                return "it stands on the snapshot \(needed), which is missing"
            }
            open += meta.needs(besides: needed)
        }
        return nil
    }

    /// Writes again the layers that this program once wrote, and compares their digests.
    private func changedContents(
        of metas: [SnapshotID: SnapshotMeta], _ layers: [String: [(format: String, layer: LayerRecord)]],
        _ cancellation: Cancellation
    ) throws -> [SnapshotID: String] {
        let written: [(SnapshotID, LayerRecord)] = metas.keys.compactMap { id in
            guard metas[id]?.changes == id,
                let own = layers[id.rawValue]?.first(where: { LayerFormat.isOwn($0.format) })
            else { return nil }
            return (id, own.layer)
        }
        let problems = Mutex<[SnapshotID: String]>([:])
        try BlockingPool.shared.forEach(below: written.count, threads: threads) { index in
            let (id, layer) = written[index]
            if let finding = try difference(of: id, from: layer, cancellation) {
                problems.withLock { $0[id] = finding }
            }
        }
        return problems.withLock { $0 }
    }

    private func difference(
        of id: SnapshotID, from layer: LayerRecord, _ cancellation: Cancellation
    ) throws -> String? {
        let hasher = LayerHasher()
        do {
            let writer = LayerWriter(changesIn: layout.snapshots + "/" + id.rawValue + "/fs")
            let entries = try writer.write(cancellation: cancellation) { hasher.state.update($0) }
            // A step that changed nothing has no layer.
            if layer.mediaType.isEmpty { return entries == 0 ? nil : "its files changed after it was made" }
        } catch let error as BuildError {
            // Another process has removed it meanwhile.
            if access(layout.snapshots + "/" + id.rawValue, F_OK) != 0 { return nil }
            return "its files cannot be read: \(error.message)"
        }
        return hasher.state.finalize() == layer.diffID ? nil : "its files changed after it was made"
    }
}

/// Digests the stream of one layer.
private final class LayerHasher {
    var state = SHA256Hasher()
}
