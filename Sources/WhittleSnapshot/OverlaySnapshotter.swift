internal import Glibc
internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
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
    private let known = Mutex<[SnapshotID: Meta]>([:])

    private struct Meta: Hashable, Sendable {
        var parent: SnapshotID?
        var changes: SnapshotID
        /// Seconds since 1970.
        var created: Int64
    }

    /// - Parameter boot: the kernel's boot ID; read from the system where `nil`.
    package init(_ layout: StoreLayout, scratch: ProcessScratch, boot: String? = nil) throws(BuildError) {
        self.layout = layout
        self.scratch = scratch
        if let boot {
            self.boot = boot
        } else {
            // Without the file (a sandbox without procfs) every boot looks alike: as safe as a store without the check.
            let bytes = try FileReading.bytes(ofFileAt: "/proc/sys/kernel/random/boot_id", limit: 4096) ?? []
            self.boot = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        }
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
        try commit(active.directory, Meta(parent: parent, changes: id, created: Self.now), as: id)
    }

    package func commit(
        changesOf source: SnapshotID, over parent: SnapshotID?, as id: SnapshotID
    ) throws(BuildError) {
        let meta = Meta(parent: parent, changes: try self.meta(of: source).changes, created: Self.now)
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
        var next: SnapshotID? = id
        while let current = next {
            let meta = try meta(of: current)
            directories.append(directory(of: meta.changes) + "/fs")
            next = meta.parent
        }
        return directories
    }

    package func changes(of id: SnapshotID) throws(BuildError) -> String {
        directory(of: try meta(of: id).changes) + "/fs"
    }

    package func changesOwner(of id: SnapshotID) throws(BuildError) -> SnapshotID { try meta(of: id).changes }

    package func created(_ id: SnapshotID) throws(BuildError) -> Timestamp {
        Timestamp(seconds: try meta(of: id).created)
    }

    private static var now: Int64 { Int64(time(nil)) }

    package func parent(of id: SnapshotID) throws(BuildError) -> SnapshotID? { try meta(of: id).parent }

    private func directory(of id: SnapshotID) -> String { layout.snapshots + "/" + id.rawValue }
}

// MARK: - meta.json

extension OverlaySnapshotter {
    private func commit(_ source: String, _ meta: Meta, as id: SnapshotID) throws(BuildError) {
        var object = JSONObject()
        object["boot"] = .string(boot)
        object["created"] = .integer(meta.created)
        if meta.changes != id { object["changes"] = .string(meta.changes.rawValue) }
        if let parent = meta.parent { object["parent"] = .string(parent.rawValue) }
        do throws(BuildError) {
            // Not durable by itself: see the type's comment.
            try AtomicFile.write(JSONValue.object(object).encoded(), to: source + "/meta.json", isDurable: false)
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

    private func meta(of id: SnapshotID) throws(BuildError) -> Meta {
        if let meta = known.withLock({ $0[id] }) { return meta }
        let path = directory(of: id)
        guard let bytes = try FileReading.bytes(ofFileAt: path + "/meta.json", limit: 1 << 16),
            let (meta, boot) = Self.parse(bytes, of: id)
        else { throw .snapshotMissing(id) }
        if boot != self.boot {
            guard access(path + "/synced", F_OK) == 0 else { throw .snapshotMissing(id) }
        } else if Self.now - meta.created > Self.writeBackTime, access(path + "/synced", F_OK) != 0 {
            try AtomicFile.write("", to: path + "/synced", isDurable: false)
        }
        // A shared `fs/` must be there as well, and count by itself.
        if meta.changes != id { _ = try self.meta(of: meta.changes) }
        known.withLock { $0[id] = meta }
        return meta
    }

    /// `nil` where the file is damaged, as it can be after a crash of the machine.
    private static func parse(_ bytes: [UInt8], of id: SnapshotID) -> (Meta, boot: String)? {
        guard let json = try? JSONValue(parsing: bytes), let boot = json["boot"]?.string,
            let created = json["created"]?.integer
        else { return nil }
        var meta = Meta(parent: nil, changes: id, created: created)
        if let text = json["parent"]?.string {
            guard let parent = SnapshotID(rawValue: text) else { return nil }
            meta.parent = parent
        }
        if let text = json["changes"]?.string {
            guard let changes = SnapshotID(rawValue: text) else { return nil }
            meta.changes = changes
        }
        return (meta, boot)
    }
}
