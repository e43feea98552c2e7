internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot
internal import WhittleStore

/// The life of a file system that a step changes: prepared, mounted, changed, committed or dropped.
struct WritableRoot: Sendable {
    let store: BuildStore
    let mountPoints: MountPoints
    let pool: BlockingPool

    /// Runs `body` on a mount of `parent` that it may change, and commits what it changed.
    ///
    /// Whatever ends `body`, nothing stays mounted; after a throw the changes are dropped.
    ///
    /// - Parameters:
    ///   - mountedOver: asked after `body`, what it mounted something over; directories that changed only for that are taken back.
    ///   - body: gets the directory with all files, and the one that holds what was changed, for reading.
    /// - Returns: the committed snapshot, and what `body` gave.
    func change<Value: Sendable>(
        _ parent: SnapshotID?, mountedOver: @escaping @Sendable () -> [String] = { [] },
        _ body: @Sendable (_ root: String, _ changes: String) async throws -> Value
    ) async throws -> (SnapshotID, Value) {
        let (active, root) = try await pool.run { try mount(parent) }
        let value: Value
        do {
            value = try await body(root, active.upper)
        } catch {
            // In a task of its own, so that a cancelled build cleans up too; awaited at once.
            let cleanUp = await Task { try await pool.run { try drop(active, root) } }.result
            if case .failure(let failure) = cleanUp { throw BuildError.cleanUp(failure, after: error) }
            throw error
        }
        let id = SnapshotID.unique()
        try await Task {
            try await pool.run {
                try unmount(root)
                try UnchangedDirectories(active).takeBack(above: mountedOver())
                try store.snapshots.commit(active, as: id)
            }
        }.value
        return (id, value)
    }

    private func mount(_ parent: SnapshotID?) throws -> (ActiveSnapshot, String) {
        let active = try store.snapshots.prepare(parent: parent)
        do {
            let root = try mountPoints.take()
            try Mount.overlay(lower: active.lower, upper: active.upper, work: active.work, at: root)
            return (active, root)
        } catch {
            try store.snapshots.remove(active)
            throw error
        }
    }

    private func drop(_ active: ActiveSnapshot, _ root: String) throws {
        try unmount(root)
        try store.snapshots.remove(active)
    }

    private func unmount(_ root: String) throws {
        try Mount.unmount(root)
        mountPoints.giveBack(root)
    }
}
