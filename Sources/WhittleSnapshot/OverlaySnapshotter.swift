internal import Glibc
internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem
package import WhittleStore

/// Snapshots as overlayfs directories: the upper directory of a step is its diff, and nothing is copied at commit.
///
/// On disk a committed snapshot is `snapshots/ID/` with `meta.json` and `fs/`. `meta.json` is an object: `parent` (an ID or
/// absent), `changes` (the ID whose `fs/` holds the changes, where that is not this one), `boot` (the kernel's boot ID)
/// and `created` (seconds since 1970). The directory is built in the process's scratch directory and gets its name by one
/// rename, so a snapshot that has a name is complete.
///
/// **A crash of the machine** can lose file contents that were not written back yet. Nothing is synced at commit, which
/// would cost more than the step. Instead a snapshot of an earlier boot counts only if it was marked as written back
/// (file `synced`): whoever first uses a snapshot older than ``writeBackTime`` in the boot that made it leaves that mark,
/// since the kernel has written it back by then. A snapshot that is not marked is treated as missing and made again.
package final class OverlaySnapshotter: Snapshotter {
    /// Dirty pages are written back after 30 s (`vm.dirty_expire_centisecs`) at the next wake-up of the flusher; this is
    /// that with a wide margin.
    static let writeBackTime: Int64 = 120

    private let layout: StoreLayout
    private let scratch: ProcessScratch
    private let boot: String
    /// What was read of snapshots that are whole. They never change, but another process may remove them.
    private let known = Mutex<[SnapshotID: SnapshotMeta]>([:])

    /// - Parameter boot: the kernel's boot ID; read from the system where `nil`.
    package init(_ layout: StoreLayout, scratch: ProcessScratch, boot: String? = nil) throws(BuildError) {
        self.layout = layout
        self.scratch = scratch
        self.boot = if let boot { boot } else { try SnapshotMeta.currentBoot() }
    }

    package func prepare(parent: SnapshotID?) throws(BuildError) -> ActiveSnapshot {
        let lower: [String] = if let parent { try layers(of: parent) } else { [] }
        guard lower.count < Mount.overlayLowerLimit else {
            throw .snapshotTooDeep(lower.count + 1, limit: Mount.overlayLowerLimit)
        }
        let directory = try scratch.makeDirectory("snapshot")
        let active = ActiveSnapshot(
            parent: parent, upper: directory + "/fs", work: directory + "/work", lower: lower, directory: directory)
        do throws(Errno) {
            try Syscall.makeDirectory(active.upper, mode: 0o755)
            try Syscall.makeDirectory(active.work, mode: 0o700)
        } catch {
            // The error that matters is the one above; the directory goes with the scratch directory.
            try? TreeRemoval.remove(directory)
            throw .fileSystem("make directory", directory, error)
        }
        return active
    }

    package func commit(_ active: ActiveSnapshot, over parent: SnapshotID?, as id: SnapshotID) throws(BuildError) {
        try TreeRemoval.remove(active.work)
        try commit(active.directory, SnapshotMeta(parent: parent, changes: id, created: Self.now, boot: boot), as: id)
    }

    package func commit(
        changesOf source: SnapshotID, over parent: SnapshotID?, as id: SnapshotID
    ) throws(BuildError) {
        let meta = SnapshotMeta(
            parent: parent, changes: try held(source).changes, created: Self.now, boot: boot)
        let depth = 1 + (parent == nil ? 0 : try layers(of: parent ?? id).count)
        guard depth <= Mount.overlayLowerLimit else {
            throw .snapshotTooDeep(depth, limit: Mount.overlayLowerLimit)
        }
        try commit(try scratch.makeDirectory("snapshot"), meta, as: id)
    }

    package func remove(_ active: ActiveSnapshot) throws(BuildError) {
        try TreeRemoval.remove(active.directory)
    }

    package func exists(_ id: SnapshotID) throws(BuildError) -> Bool {
        do throws(BuildError) {
            _ = try layers(of: id)
            return true
        } catch {
            guard error.code == .snapshotMissing else { throw error }
            return false
        }
    }

    package func layers(of id: SnapshotID) throws(BuildError) -> [String] {
        var directories: [String] = []
        // Holding the top one holds those below.
        var next: SnapshotID? = id
        _ = try held(id)
        while let current = next {
            let meta = try meta(of: current)
            directories.append(directory(of: meta.changes) + "/fs")
            next = meta.parent
        }
        return directories
    }

    package func changes(of id: SnapshotID) throws(BuildError) -> String {
        directory(of: try held(id).changes) + "/fs"
    }

    package func changesOwner(of id: SnapshotID) throws(BuildError) -> SnapshotID { try held(id).changes }

    package func created(_ id: SnapshotID) throws(BuildError) -> Timestamp {
        Timestamp(seconds: try held(id).created)
    }

    private static var now: Int64 { Int64(time(nil)) }

    package func parent(of id: SnapshotID) throws(BuildError) -> SnapshotID? { try held(id).parent }

    private func directory(of id: SnapshotID) -> String { layout.snapshots + "/" + id.rawValue }
}

// MARK: - meta.json

extension OverlaySnapshotter {
    private func commit(_ source: String, _ meta: SnapshotMeta, as id: SnapshotID) throws(BuildError) {
        do throws(BuildError) {
            // Not durable by itself: see the type's comment.
            try AtomicFile.write(meta.encoded(as: id), to: source + "/meta.json", isDurable: false)
            // Before it has its name: nobody may find it without an owner.
            try scratch.leases.hold([.snapshot(id.rawValue)])
            do throws(Errno) {
                try Syscall.renameNew(source, to: directory(of: id))
            } catch {
                guard error == .fileExists || error == .directoryNotEmpty else {
                    throw BuildError.fileSystem("commit snapshot", directory(of: id), error)
                }
                if try exists(id) {
                    try TreeRemoval.remove(source)
                    return
                }
                try replaceDamaged(id, with: source)
            }
        } catch {
            // The error that matters is the one above; the directory goes with the scratch directory.
            try? TreeRemoval.remove(source)
            throw error
        }
        known.withLock { $0[id] = meta }
    }

    /// Puts `source` in the place of a snapshot that does not count any more.
    private func replaceDamaged(_ id: SnapshotID, with source: String) throws(BuildError) {
        let aside = scratch.makePath("damaged")
        do throws(Errno) {
            try Syscall.rename(directory(of: id), to: aside)
            try Syscall.renameNew(source, to: directory(of: id))
        } catch {
            throw .fileSystem("commit snapshot", directory(of: id), error)
        }
        try TreeRemoval.remove(aside)
    }

    /// Reads a snapshot that is from now on kept from being collected, with those below it.
    private func held(_ id: SnapshotID) throws(BuildError) -> SnapshotMeta {
        try scratch.leases.hold([.snapshot(id.rawValue)])
        return try meta(of: id)
    }

    private func meta(of id: SnapshotID) throws(BuildError) -> SnapshotMeta {
        if let meta = known.withLock({ $0[id] }) { return meta }
        let path = directory(of: id)
        guard let bytes = try FileReading.bytes(ofFileAt: path + "/meta.json", limit: 1 << 16),
            let meta = SnapshotMeta(parsing: bytes, of: id)
        else { throw .snapshotMissing(id) }
        if meta.boot != boot {
            guard access(path + "/synced", F_OK) == 0 else { throw .snapshotMissing(id) }
        } else if Self.now - meta.created > Self.writeBackTime, access(path + "/synced", F_OK) != 0 {
            try describing("create file", path + "/synced") { () throws(Errno) in
                _ = try Syscall.open(path + "/synced", [.writeOnly, .create], mode: 0o644)
            }
        }
        // A shared `fs/` must be there as well, and count by itself.
        if meta.changes != id {
            _ = try self.meta(of: meta.changes)
        } else if access(path + "/fs", F_OK) != 0 {
            throw .snapshotMissing(id)
        }
        known.withLock { $0[id] = meta }
        return meta
    }
}
