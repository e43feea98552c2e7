internal import Glibc
internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem

/// The directory below `active/` that one process works in: unfinished snapshots, blobs on their way, mount points.
///
/// The process holds a lock on it, so that others know it is alive; what a dead one left is removed by ``sweep(_:)``.
package final class ProcessScratch: Sendable {
    /// Absolute.
    package let path: String
    /// What the process uses of the store.
    package let leases: Leases
    private let lock: FileLock
    private let counter = Atomic<Int>(0)

    /// Makes a directory of the process's own.
    package convenience init(in layout: StoreLayout) throws(BuildError) {
        try self.init(in: layout) { "\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36))" }
    }

    /// - Parameter makeName: gives another name at each call.
    init(in layout: StoreLayout, _ makeName: () -> String) throws(BuildError) {
        while true {
            let path = layout.active + "/" + makeName()
            // The lock's name comes first: a directory without a lock file is a dead one. A sweep of another process can
            // take the lock in the moment between the making and the locking of its file; it then removes the file, and
            // this process goes on with another name.
            guard let lock = try FileLock.tryAcquire(path + ".lock") else { continue }
            self.path = path
            self.lock = lock
            leases = Leases(layout, directory: path)
            try StoreLayout.makeDirectories(path, mode: 0o700)
            return
        }
    }

    /// A path below that nothing has yet; nothing is made there. `kind` starts its name.
    package func makePath(_ kind: String) -> String {
        "\(path)/\(kind)-\(counter.add(1, ordering: .relaxed).newValue)"
    }

    /// Makes a directory below.
    package func makeDirectory(_ kind: String, mode: UInt32 = 0o700) throws(BuildError) -> String {
        let path = makePath(kind)
        try StoreLayout.makeDirectories(path, mode: mode)
        return path
    }

    /// Removes the directory and its lock. Mounts below must be gone.
    package func remove() throws(BuildError) {
        try TreeRemoval.remove(path)
        unlink(lock.path)
        lock.release()
    }

    /// Removes what processes that ended without cleaning up have left.
    ///
    /// - Returns: how many directories were removed.
    @discardableResult
    package static func sweep(_ layout: StoreLayout) throws(BuildError) -> Int {
        let names = Set(try names(in: layout.active).map { $0.hasSuffix(".lock") ? String($0.dropLast(5)) : $0 })
        var removed = 0
        for name in names {
            let path = layout.active + "/" + name
            // Held: its process lives. Taken here, nobody else sweeps it at the same time.
            guard let lock = try FileLock.tryAcquire(path + ".lock") else { continue }
            try TreeRemoval.remove(path)
            unlink(lock.path)
            lock.release()
            removed += 1
        }
        return removed
    }

    /// The names below `active/` whose processes live.
    package static func living(in layout: StoreLayout) throws(BuildError) -> [String] {
        var living: [String] = []
        for name in try names(in: layout.active) where name.hasSuffix(".lock") {
            let path = layout.active + "/" + name
            // Not made here where it is missing: the process has just ended then.
            guard access(path, F_OK) == 0 else { continue }
            if let lock = try FileLock.tryAcquire(path) {
                // Of a dead process: left to the next sweep, unless the file was made by the line above.
                if access(String(path.dropLast(5)), F_OK) != 0 { unlink(path) }
                lock.release()
            } else {
                living.append(String(name.dropLast(5)))
            }
        }
        return living
    }

    private static func names(in directory: String) throws(BuildError) -> [String] {
        try RootDirectory(directory).names(in: "/").map(\.description)
    }
}
