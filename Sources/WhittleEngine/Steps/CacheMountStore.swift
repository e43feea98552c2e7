internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleStore

/// The directories of `RUN --mount=type=cache`, which persist in the store.
///
/// Below `cache-mounts/`, `HEX` (SHA-256 of the identity) holds `0`, `1`, …: `0` is the directory that shared and locked mounts
/// use, and private ones take the first that nobody holds. `N.lock` beside each is held while a step uses it: shared
/// by `sharing=shared`, exclusively by the others and by the collector of garbage.
struct CacheMountStore: Sendable {
    let layout: StoreLayout
    let scratch: ProcessScratch

    /// A directory in use.
    struct Lease: Sendable {
        let path: String
        private let lock: FileLock

        init(path: String, lock: FileLock) {
            self.path = path
            self.lock = lock
        }

        func release() {
            CacheMountStore.noteUse(lock)
            lock.release()
        }
    }

    /// The time of the lock file says when the directory was last used: what the collector goes by.
    private static func noteUse(_ lock: FileLock) {
        // A use that cannot be noted makes the directory look older, and nothing else.
        try? Syscall.changeTimes(lock.path, to: .now)
    }

    /// Waits for the directory of `mount`, and makes it where it is missing.
    ///
    /// - Parameter fill: puts the first contents into a new directory.
    func acquire(
        _ mount: CacheMount, filledBy fill: @Sendable (_ directory: String) async throws -> Void
    ) async throws -> Lease {
        let directory = layout.cacheMounts + "/" + Digest(hashing: mount.identity).hex
        let (path, lock) = try await lock(mount, in: directory)
        Self.noteUse(lock)
        guard access(path, F_OK) != 0 else { return Lease(path: path, lock: lock) }
        // Several may hold the shared lock and find it missing: the first rename wins.
        let fresh = try scratch.makeDirectory("cache")
        try await fill(fresh)
        guard chown(fresh, mount.uid, mount.gid) == 0, chmod(fresh, mode_t(mount.mode)) == 0 else {
            throw BuildError.cacheMount(mount.id, String(cString: strerror(errno)))
        }
        if rename(fresh, path) != 0 {
            let code = errno
            guard code == EEXIST || code == ENOTEMPTY else {
                throw BuildError.cacheMount(mount.id, String(cString: strerror(code)))
            }
            try TreeRemoval.remove(fresh)
        }
        return Lease(path: path, lock: lock)
    }

    private func lock(_ mount: CacheMount, in directory: String) async throws -> (String, FileLock) {
        while true {
            try makeDirectory(directory)
            do { return try await lockOnce(mount, in: directory) } catch let error as BuildError {
                // A collector has just removed the directory.
                guard error.isMissingFile else { throw error }
            }
        }
    }

    private func lockOnce(_ mount: CacheMount, in directory: String) async throws -> (String, FileLock) {
        switch mount.sharing {
        case .shared:
            return (directory + "/0", try await FileLock.acquire(directory + "/0.lock", exclusive: false))
        case .locked:
            return (directory + "/0", try await FileLock.acquire(directory + "/0.lock"))
        case .private:
            var number = 0
            while true {
                let path = "\(directory)/\(number)"
                if let lock = try FileLock.tryAcquire(path + ".lock") { return (path, lock) }
                number += 1
            }
        }
    }

    private func makeDirectory(_ path: String) throws(BuildError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .cacheMount(path, String(cString: strerror(errno)))
        }
    }
}

extension CacheMount {
    /// What a directory persists under: as in BuildKit, one with another owner or mode is another directory, so that a step
    /// that runs as `USER app` does not find one that it cannot write to.
    var identity: String {
        if uid == 0, gid == 0, mode == 0o755 { return id }
        return "\(id)\0\(uid):\(gid):\(String(mode, radix: 8))"
    }
}
