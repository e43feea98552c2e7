internal import Glibc
internal import SystemPackage
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot
internal import WhittleStore

/// Takes objects out of a store while other processes use it. Blocks.
struct StoreRemoval {
    private let layout: StoreLayout
    private let database: CacheDatabase
    private let inventory: Inventory
    private let known: Set<SnapshotID>
    private let keepsNamed: Bool

    /// Builds wait while names are taken away; so many at a time take about a millisecond.
    private static let batch = 64

    /// - Parameter keepsNamed: `false` removes also what named images need: for what is damaged.
    init(layout: StoreLayout, database: CacheDatabase, inventory: Inventory, keepsNamed: Bool = true) throws {
        self.layout = layout
        self.database = database
        self.inventory = inventory
        self.keepsNamed = keepsNamed
        known = Set(
            inventory.objects.keys.compactMap { if case .snapshot(let id) = $0 { id } else { nil } })
    }

    /// Removes objects, in an order in which nothing comes before what needs it.
    ///
    /// - Returns: those that were removed; the others are in use by now, or gone.
    func remove(_ objects: [StoreObject], cancellation: Cancellation) throws -> [StoreObject] {
        guard !objects.isEmpty else { return [] }
        let scratch = try ProcessScratch(in: layout)
        var removed: [StoreObject] = []
        do {
            for start in stride(from: 0, to: objects.count, by: Self.batch) {
                try cancellation.check()
                let part = objects[start..<min(start + Self.batch, objects.count)]
                removed += try remove(Array(part), scratch)
            }
            // Rows that were not forgotten on a full disk are now; what has no meaning any more goes with them.
            try database.forgetUnusedContents()
            try database.compact()
        } catch {
            // The error that matters is the one above; the directory is swept later.
            try? scratch.remove()
            throw error
        }
        try scratch.remove()
        return removed
    }

    private func remove(_ objects: [StoreObject], _ scratch: ProcessScratch) throws -> [StoreObject] {
        var removed: [StoreObject] = []
        let snapshots = try Leases.withAll(of: layout) { leases in
            let kept = try kept(leases)
            let victims = objects.filter { !kept.contains($0.id) }
            let snapshots = victims.compactMap { object -> String? in
                if case .snapshot(let id) = object.id { id.rawValue } else { nil }
            }
            // Before the files go: whoever makes the snapshot anew writes new rows, and waits for this lock until then.
            // On a full disk there may be room for it only afterwards; a row that leads nowhere does no harm until then.
            let isForgotten = (try? database.forget(snapshots: snapshots)) != nil
            for object in victims where try putAside(object.id, scratch) { removed.append(object) }
            return isForgotten ? [] : snapshots
        }
        try TreeRemoval.removeContents(of: scratch.path)
        try database.forget(snapshots: snapshots)
        return removed
    }

    /// What may not go, as of now: leases and names may have come since the inventory was made, and snapshots that need
    /// others.
    private func kept(_ leases: Set<StoreItem>) throws -> Set<ObjectID> {
        var roots = Set(leases.compactMap(\.object))
        if keepsNamed { roots.formUnion(try InventoryReader.named(layout)) }
        for id in try InventoryReader.snapshotIDs(layout) where !known.contains(id) {
            let needs = try InventoryReader.meta(of: id, layout)?.needs(besides: id) ?? []
            roots.formUnion(needs.map { .snapshot($0) })
        }
        return inventory.closure(of: roots)
    }

    /// - Returns: whether it was there.
    private func putAside(_ id: ObjectID, _ scratch: ProcessScratch) throws -> Bool {
        switch id {
        case .snapshot(let id): try move(layout.snapshots + "/" + id.rawValue, scratch)
        case .blob(let digest): try move(layout.blobs + "/" + digest.hex, scratch)
        case .context(let name): try move(layout.contexts + "/" + name, scratch)
        case .repository(let name): try putAsideRepository(name, scratch)
        case .leftover(let name): try move(layout.root + "/" + name, scratch)
        case .cacheMount(let name): try putAsideMount(layout.cacheMounts + "/" + name, scratch)
        }
    }

    private func putAsideRepository(_ name: String, _ scratch: ProcessScratch) throws -> Bool {
        // Held: a build uses it.
        guard let lock = try layout.tryLock("git-" + name) else { return false }
        defer { lock.release() }
        return try move(layout.repositories + "/" + name, scratch)
    }

    private func putAsideMount(_ path: String, _ scratch: ProcessScratch) throws -> Bool {
        // Held: a step uses it.
        guard let lock = try FileLock.tryAcquire(path + ".lock") else { return false }
        defer { lock.release() }
        guard try move(path, scratch) else { return false }
        // Whoever waits for the lock finds that the name has gone and makes a new one.
        unlink(lock.path)
        // Fails where other directories of the same id are left.
        if let slash = path.lastIndex(of: "/") { rmdir(String(path[..<slash])) }
        return true
    }

    private func move(_ path: String, _ scratch: ProcessScratch) throws -> Bool {
        do throws(Errno) {
            try Syscall.rename(path, to: scratch.makePath("removed"))
            return true
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw BuildError.fileSystem("remove", path, error)
        }
    }
}
