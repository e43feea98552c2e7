package import WhittleCore

/// Keeps root file systems as a tree of snapshots, each one a set of changes to its parent.
///
/// A snapshot is **active** (being written by one owner) or **committed** (frozen, known by a ``SnapshotID``). Only a
/// committed snapshot can be a parent. `prepare` makes an active one; `commit` ends it by freezing it, `remove` by dropping
/// it.
///
/// Safe to use from many tasks and processes at once. Every implementation passes the suite `SnapshotterConformance`.
///
/// Not here: mounting for steps (the engine's), tar streams (``LayerWriter``, ``LayerApplier``), what may be deleted.
package protocol Snapshotter: Sendable {
    /// Starts an active snapshot whose contents begin as those of `parent`.
    ///
    /// - Parameter parent: a committed snapshot, or `nil` for an empty root.
    /// - Throws: `snapshot-missing` where the parent or one of its parents is not there; `snapshot-too-deep` beyond the
    ///   number of layers that can be mounted; `file-system`. On any throw nothing is left behind.
    func prepare(parent: SnapshotID?) throws(BuildError) -> ActiveSnapshot

    /// Freezes `active` under `id`, with its changes over `parent`. Where `id` is there already, `active` is dropped
    /// instead.
    ///
    /// - Parameter parent: what `active` was prepared over; or, for one that was prepared empty, whatever its contents are
    ///   changes to, such as the layer below.
    func commit(_ active: ActiveSnapshot, over parent: SnapshotID?, as id: SnapshotID) throws(BuildError)

    /// Commits as `id` the changes that `source` makes to its parent, over `parent` instead. Shares the files.
    func commit(changesOf source: SnapshotID, over parent: SnapshotID?, as id: SnapshotID) throws(BuildError)

    /// Drops an active snapshot. One that is gone is no error.
    func remove(_ active: ActiveSnapshot) throws(BuildError)

    /// Whether the snapshot and all its parents are there and whole.
    func exists(_ id: SnapshotID) throws(BuildError) -> Bool

    /// The directories that make up the snapshot's file system, top first: what overlayfs takes as lower directories.
    ///
    /// - Throws: `snapshot-missing`, `file-system`.
    func layers(of id: SnapshotID) throws(BuildError) -> [String]

    /// The directory that holds just the snapshot's own changes, in the form of an overlayfs upper directory.
    func changes(of id: SnapshotID) throws(BuildError) -> String

    /// The snapshot whose changes these are: another one where they are shared.
    func changesOwner(of id: SnapshotID) throws(BuildError) -> SnapshotID

    /// When the snapshot was committed, in whole seconds.
    func created(_ id: SnapshotID) throws(BuildError) -> Timestamp

    /// The snapshot's parent, or `nil` where it is a root.
    func parent(of id: SnapshotID) throws(BuildError) -> SnapshotID?
}

extension Snapshotter {
    /// Freezes `active` under `id`, over what it was prepared over.
    package func commit(_ active: ActiveSnapshot, as id: SnapshotID) throws(BuildError) {
        try commit(active, over: active.parent, as: id)
    }
}

/// A snapshot that is being written.
package struct ActiveSnapshot: Hashable, Sendable {
    package let parent: SnapshotID?
    /// Where changes go: an overlayfs upper directory. Empty at first.
    package let upper: String
    /// overlayfs's own directory beside it.
    package let work: String
    /// The parent's directories, top first.
    package let lower: [String]
    /// Holds both.
    let directory: String
}

extension BuildError.Code {
    /// A snapshot that is needed is not in the store.
    static let snapshotMissing = Self(rawValue: "snapshot-missing")
    /// A file system would have more layers than can be mounted.
    static let snapshotTooDeep = Self(rawValue: "snapshot-too-deep")
}

extension BuildError {
    static func snapshotMissing(_ id: SnapshotID) -> BuildError {
        BuildError(
            .snapshotMissing, "using the snapshot '\(id)': it is not in the store",
            hint: "another process may have removed it; build again")
    }

    static func snapshotTooDeep(_ count: Int, limit: Int) -> BuildError {
        BuildError(
            .snapshotTooDeep, "stacking \(count) layers: the kernel mounts at most \(limit)",
            hint: "join RUN, COPY and ADD instructions, or start a stage from a copy of this one")
    }
}
