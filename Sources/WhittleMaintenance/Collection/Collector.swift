internal import WhittleCache
package import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI
internal import WhittleSnapshot
internal import WhittleStore

/// Removes what a store can do without, beside running builds.
///
/// Several collectors take turns. What one process looks for while another collects is either there and stays as long as
/// the process lives, or is gone; see ``WhittleStore/Leases``. A collector that is killed leaves nothing half removed: what
/// goes is renamed into its own scratch directory first, and that is swept by the next process.
package struct Collector: Sendable {
    private let layout: StoreLayout
    private let database: CacheDatabase

    /// Opens the store at `root`, making it where it is missing.
    ///
    /// - Throws: `store-unusable`, `store-version`, `cache-database`.
    package init(storeAt root: String) throws {
        layout = try StoreLayout(openingAt: root)
        database = try CacheDatabase(path: layout.database)
    }

    /// What is in the store now.
    package func inventory() async throws -> Inventory {
        let reader = InventoryReader(layout: layout, database: database)
        return try await BlockingPool.shared.run { try reader.read() }
    }

    /// Removes what `policy` asks for.
    ///
    /// - Throws: `file-system`, `cache-database`; what was removed by then is gone. `CancellationError`.
    package func collect(_ policy: CollectionPolicy) async throws -> CollectionReport {
        let lock = try await layout.lock("collector")
        defer { lock.release() }
        if !policy.isDryRun {
            let layout = layout
            _ = try await BlockingPool.shared.run { try ProcessScratch.sweep(layout) }
        }
        let inventory = try await inventory()
        let plan = CollectionPlan(inventory, policy)
        guard !policy.isDryRun else {
            return CollectionReport(removed: plan.victims, inventory: inventory, limit: policy.limit)
        }
        let removal = try StoreRemoval(layout: layout, database: database, inventory: inventory)
        let removed = try await BlockingPool.shared.runCancellable { cancellation in
            try removal.remove(plan.victims, cancellation: cancellation)
        }
        return CollectionReport(removed: removed, inventory: inventory, limit: policy.limit)
    }

    /// Removes the blobs of images that lost their name, unless another image or the cache has them.
    ///
    /// - Parameter images: what the names stood for.
    package func collectImages(_ images: [Descriptor]) async throws -> CollectionReport {
        let blobs = BlobStore(layout)
        let lost = NamedBlobs(blobs).reachable(from: images)
        var cached: Set<Digest> = []
        let present = Set(try InventoryReader.snapshotIDs(layout).map(\.rawValue))
        for (snapshot, layers) in try database.recordedLayers() where present.contains(snapshot) {
            cached.formUnion(layers.map(\.layer.digest))
        }
        let candidates = Set(lost.subtracting(cached).map { ObjectID.blob($0) })
        return try await collect(CollectionPolicy(includesShared: true, candidates: candidates))
    }
}

/// What a collection did.
package struct CollectionReport: Sendable {
    /// In the order of removal.
    package let removed: [StoreObject]
    /// What is left of the whole store.
    package let remaining: ByteCount
    /// The limit that could not be reached, with what stands against it.
    package let excess: Excess?

    /// Why a store is larger than it should be.
    package struct Excess: Sendable {
        package let limit: ByteCount
        /// Of what running builds use.
        package let inUse: ByteCount
        /// Of what named images consist of, and no running build uses.
        package let named: ByteCount
    }

    init(removed: [StoreObject], inventory: Inventory, limit: ByteCount?) {
        self.removed = removed
        let freed = removed.reduce(Int64(0)) { $0 + $1.size.bytes }
        remaining = ByteCount(inventory.total.bytes - freed)
        guard let limit, remaining > limit else {
            excess = nil
            return
        }
        let inUse = inventory.inUse
        func size(_ ids: Set<ObjectID>) -> ByteCount {
            ids.reduce(.zero) { $0 + (inventory.objects[$1]?.size ?? .zero) }
        }
        excess = Excess(
            limit: limit, inUse: size(inUse), named: size(inventory.closure(of: inventory.named).subtracting(inUse)))
    }

    /// Disk space that was freed.
    package var reclaimed: ByteCount { removed.reduce(.zero) { $0 + $1.size } }
}
