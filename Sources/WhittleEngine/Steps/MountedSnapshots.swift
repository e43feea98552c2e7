internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot
internal import WhittleStore

/// Committed snapshots mounted for reading, each once for the whole build.
actor MountedSnapshots {
    private let snapshots: OverlaySnapshotter
    private let scratch: ProcessScratch
    private var paths: [SnapshotID?: String] = [:]
    private var mounted: [String] = []

    init(_ store: BuildStore) {
        snapshots = store.snapshots
        scratch = store.scratch
    }

    /// The directory where `id` is mounted read-only; an empty directory for `nil`. Stays until ``unmountAll()``.
    func path(of id: SnapshotID?) throws -> String {
        if let path = paths[id] { return path }
        let directory = try scratch.makeDirectory("mount", mode: 0o755)
        if let id {
            let layers = try snapshots.layers(of: id)
            try Mount.readOnlyOverlay(layers, at: directory)
            mounted.append(directory)
        }
        paths[id] = directory
        return directory
    }

    /// Takes all mounts away. Errors do not stop it; the first one is thrown at the end.
    func unmountAll() throws {
        var failure: (any Error)?
        for path in mounted.reversed() {
            do { try Mount.unmount(path) } catch { failure = failure ?? error }
        }
        mounted = []
        paths = [:]
        if let failure { throw failure }
    }
}
