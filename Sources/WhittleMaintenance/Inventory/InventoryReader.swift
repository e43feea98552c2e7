internal import Glibc
internal import SystemPackage
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleSnapshot
internal import WhittleStore

/// Reads what is in a store. Blocks.
///
/// Other processes may add and remove meanwhile: what vanishes is left out, and what is new may be missing. Sizes of
/// snapshots and cache directories are measured once and kept in the database.
struct InventoryReader {
    let layout: StoreLayout
    let database: CacheDatabase

    func read() throws -> Inventory {
        var sizes = SizeBook(known: try database.recordedSizes())
        let layers = try database.recordedLayers()
        var objects = try snapshots(layers, &sizes)
        objects += try blobs(layers)
        objects += try cacheMounts(&sizes)
        objects += try files()
        objects += try repositories(&sizes)
        // Kept for the next time; a database that cannot be written (a full disk) costs that time.
        try? database.save(sizes.new)
        let held = try Leases.all(of: layout).map { $0.object }
        let mounts = objects.filter { $0.type == .cacheMount && isInUse($0.id) }.map(\.id)
        let inventory = Inventory(
            objects, named: try Self.named(layout), held: Set(held.compactMap { $0 } + mounts),
            overhead: try overhead())
        return inventory
    }

    /// The blobs of all images in the store's index, those without a name among them.
    static func named(_ layout: StoreLayout) throws -> Set<ObjectID> {
        let descriptors = try ImageNames(layout).descriptors()
        return Set(NamedBlobs(BlobStore(layout)).reachable(from: descriptors).map { .blob($0) })
    }

    // MARK: - Snapshots

    /// The IDs of the snapshots that are there.
    static func snapshotIDs(_ layout: StoreLayout) throws -> [SnapshotID] {
        try RootDirectory(layout.snapshots).names(in: "/").compactMap { SnapshotID(rawValue: $0.description) }
    }

    static func meta(of id: SnapshotID, _ layout: StoreLayout) throws -> SnapshotMeta? {
        let path = layout.snapshots + "/" + id.rawValue + "/meta.json"
        return try FileReading.bytes(ofFileAt: path, limit: 1 << 16).flatMap { SnapshotMeta(parsing: $0, of: id) }
    }

    private func snapshots(
        _ layers: [String: [(format: String, layer: LayerRecord)]], _ sizes: inout SizeBook
    ) throws -> [StoreObject] {
        let records = try database.recordedSnapshots()
        return try Self.snapshotIDs(layout).compactMap { id in
            let path = layout.snapshots + "/" + id.rawValue
            guard let status = try status(path) else { return nil }
            let meta = try Self.meta(of: id, layout)
            let own = layers[id.rawValue] ?? []
            let record = records[id.rawValue]
            let isBase = id.rawValue.hasPrefix("chain-")
            return StoreObject(
                id: .snapshot(id), type: .regular,
                size: try sizes.size(of: id.rawValue, stamp: Int64(bitPattern: status.inode), at: path),
                created: meta.map { Timestamp(seconds: $0.created) },
                lastUsed: try self.status(path + "/meta.json")?.modified.timestamp ?? Timestamp(seconds: 0),
                description: record?.name ?? own.first.map { "unpacked layer \($0.layer.digest)" } ?? "",
                needs: meta?.needs(besides: id).map { .snapshot($0) } ?? [],
                companions: own.filter { !$0.layer.mediaType.isEmpty }.map { .blob($0.layer.digest) },
                isForgotten: meta == nil || record == nil && !isBase)
        }
    }

    // MARK: - Blobs

    private func blobs(_ layers: [String: [(format: String, layer: LayerRecord)]]) throws -> [StoreObject] {
        var owners: [Digest: String] = [:]
        for (snapshot, written) in layers { for item in written { owners[item.layer.digest] = snapshot } }
        return try RootDirectory(layout.blobs).names(in: "/").compactMap { name in
            // What is no blob is the business of a check.
            guard let digest = try? Digest(parsing: "sha256:\(name)"),
                let status = try status(layout.blobs + "/\(name)")
            else { return nil }
            let owner = owners[digest]
            return StoreObject(
                id: .blob(digest), type: owner == nil ? .internal : .layer, size: ByteCount(status.blocks * 512),
                lastUsed: status.modified.timestamp, description: owner.map { "layer of \($0)" } ?? "")
        }
    }

    // MARK: - Cache mounts and files

    private func cacheMounts(_ sizes: inout SizeBook) throws -> [StoreObject] {
        let root = try RootDirectory(layout.cacheMounts)
        var objects: [StoreObject] = []
        for hex in try root.names(in: "/") {
            // Another process may remove the directory meanwhile.
            for name in (try? root.names(in: "\(hex)")) ?? [] where Int(name.description) != nil {
                let path = "\(layout.cacheMounts)/\(hex)/\(name)"
                guard let status = try status(path) else { continue }
                let used = try self.status(path + ".lock")?.modified ?? status.modified
                objects.append(
                    StoreObject(
                        id: .cacheMount("\(hex)/\(name)"), type: .cacheMount,
                        size: try sizes.size(of: "mount \(hex)/\(name)", stamp: used.stamp, at: path),
                        lastUsed: used.timestamp, description: "cache mount"))
            }
        }
        return objects
    }

    private func repositories(_ sizes: inout SizeBook) throws -> [StoreObject] {
        guard try status(layout.repositories) != nil else { return [] }
        return try RootDirectory(layout.repositories).names(in: "/").compactMap { name in
            let path = "\(layout.repositories)/\(name)"
            // Beside the repositories are the known keys of hosts.
            guard let status = try status(path), status.isDirectory else { return nil }
            return StoreObject(
                id: .repository(name.description), type: .gitCheckout,
                size: try sizes.size(of: "git \(name)", stamp: status.modified.stamp, at: path),
                lastUsed: status.modified.timestamp, description: "shared git repo")
        }
    }

    private func isInUse(_ id: ObjectID) -> Bool {
        guard case .cacheMount(let name) = id else { return false }
        // One whose lock cannot be taken for any reason is left alone.
        guard let lock = try? FileLock.tryAcquire("\(layout.cacheMounts)/\(name).lock") else { return true }
        lock.release()
        return false
    }

    private func files() throws -> [StoreObject] {
        var objects: [StoreObject] = []
        for name in try RootDirectory(layout.contexts).names(in: "/") {
            guard let status = try status(layout.contexts + "/\(name)") else { continue }
            objects.append(
                StoreObject(
                    id: .context(name.description), type: .localSource, size: ByteCount(status.blocks * 512),
                    lastUsed: status.modified.timestamp, description: "local source for context"))
        }
        for name in try RootDirectory(layout.root).names(in: "/").map(\.description) where Self.isLeftover(name) {
            guard let status = try status(layout.root + "/" + name), status.isRegular else { continue }
            objects.append(
                StoreObject(
                    id: .leftover(name), type: .internal, size: ByteCount(status.blocks * 512),
                    lastUsed: status.modified.timestamp, description: "put aside because it was damaged",
                    isForgotten: true))
        }
        return objects
    }

    /// Whether a file in the store's own directory is what an accident left.
    static func isLeftover(_ name: String) -> Bool { name.hasSuffix(".corrupt") }

    // MARK: - The rest

    private func overhead() throws -> ByteCount {
        var sum = ByteCount.zero
        let counted = [
            layout.blobs, layout.snapshots, layout.cacheMounts, layout.contexts, layout.repositories, layout.root,
        ]
        for path in counted + [layout.root + "/blobs"] { sum += ByteCount((try status(path)?.blocks ?? 0) * 512) }
        for name in try RootDirectory(layout.root).names(in: "/").map(\.description) {
            let path = layout.root + "/" + name
            if counted.contains(path) || name == "blobs" || Self.isLeftover(name) { continue }
            sum += try DiskUsage.of(path)
        }
        for hex in try RootDirectory(layout.cacheMounts).names(in: "/") {
            sum += ByteCount((try status("\(layout.cacheMounts)/\(hex)")?.blocks ?? 0) * 512)
        }
        return sum
    }

    /// `nil` where there is nothing.
    private func status(_ path: String) throws(BuildError) -> FileStatus? {
        do throws(Errno) { return try Syscall.status(path) } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw .fileSystem("read", path, error)
        }
    }
}

/// Sizes that were measured once, and those that are new.
private struct SizeBook {
    let known: [String: RecordedSize]
    var new: [String: RecordedSize] = [:]

    init(known: [String: RecordedSize]) { self.known = known }

    mutating func size(of name: String, stamp: Int64, at path: String) throws -> ByteCount {
        if let size = known[name], size.stamp == stamp { return size.size }
        let size = try DiskUsage.of(path)
        new[name] = RecordedSize(stamp: stamp, size: size)
        return size
    }
}

extension StoreItem {
    /// `nil` where the ID is none.
    var object: ObjectID? {
        switch self {
        case .blob(let digest): .blob(digest)
        case .snapshot(let id): SnapshotID(rawValue: id).map { .snapshot($0) }
        }
    }
}

extension FileTime {
    var timestamp: Timestamp { Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds)) }
    fileprivate var stamp: Int64 { seconds &* 1_000_000_000 &+ Int64(nanoseconds) }
}
