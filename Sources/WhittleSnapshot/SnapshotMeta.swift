internal import Glibc
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

/// What `meta.json` of a committed snapshot says; the format is described at ``OverlaySnapshotter``.
package struct SnapshotMeta: Hashable, Sendable {
    /// The snapshot below, or `nil` where this is a root.
    package var parent: SnapshotID?
    /// The snapshot whose `fs/` holds the changes: this one or another.
    package var changes: SnapshotID
    /// Seconds since 1970.
    package var created: Int64
    /// The kernel's boot ID when it was committed.
    package var boot: String

    /// The snapshots that have to be there for this one to be used.
    package func needs(besides id: SnapshotID) -> [SnapshotID] {
        (parent.map { [$0] } ?? []) + (changes == id ? [] : [changes])
    }

    func encoded(as id: SnapshotID) -> [UInt8] {
        var object = JSONObject()
        object["boot"] = .string(boot)
        object["created"] = .integer(created)
        if changes != id { object["changes"] = .string(changes.rawValue) }
        if let parent { object["parent"] = .string(parent.rawValue) }
        return JSONValue.object(object).encoded()
    }

    /// `nil` where the file is damaged, as it can be after a crash of the machine.
    package init?(parsing bytes: [UInt8], of id: SnapshotID) {
        // What is no JSON is damaged like any other.
        guard let json = try? JSONValue(parsing: bytes), let boot = json["boot"]?.string,
            let created = json["created"]?.integer
        else { return nil }
        self.init(parent: nil, changes: id, created: created, boot: boot)
        if let text = json["parent"]?.string {
            guard let parent = SnapshotID(rawValue: text) else { return nil }
            self.parent = parent
        }
        if let text = json["changes"]?.string {
            guard let changes = SnapshotID(rawValue: text) else { return nil }
            self.changes = changes
        }
    }

    init(parent: SnapshotID?, changes: SnapshotID, created: Int64, boot: String) {
        self.parent = parent
        self.changes = changes
        self.created = created
        self.boot = boot
    }

    /// The boot ID of the running kernel. Without procfs every boot looks alike: as safe as a store without the check.
    package static func currentBoot() throws(BuildError) -> String {
        let bytes = try FileReading.bytes(ofFileAt: "/proc/sys/kernel/random/boot_id", limit: 4096) ?? []
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }
}
