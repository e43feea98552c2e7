internal import Glibc
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem

/// Where things are in a store.
///
/// | path | what |
/// |---|---|
/// | `version` | the number of this layout |
/// | `blobs/sha256/HEX` | blobs, complete and verified |
/// | `snapshots/ID/` | committed snapshots |
/// | `cache-mounts/` | directories of `RUN --mount=type=cache` |
/// | `volumes/NAME/` | named volumes of containers, made when first used |
/// | `contexts/HEX` | what is known of the files of a build context |
/// | `git/HEX` | bare repositories that were fetched; `git/known_hosts` the keys of ssh hosts |
/// | `index.json` | the names of images, an OCI index |
/// | `whittle.db` | cache records |
/// | `active/ID/` | what one running process works on; see ``ProcessScratch`` |
/// | `key-locks` | empty; keys are locked as bytes of it, see ``KeyLock`` |
/// | `leases.lock` | held while leases are written, or read for a collection; see ``Leases`` |
///
/// Everything is written elsewhere first and renamed into place, so what is there is whole, and several processes share
/// one store.
package struct StoreLayout: Hashable, Sendable {
    /// Absolute.
    package let root: String

    /// The layout that this program reads and writes.
    private static let version = "1"

    package var blobs: String { root + "/blobs/sha256" }
    package var snapshots: String { root + "/snapshots" }
    package var cacheMounts: String { root + "/cache-mounts" }
    package var volumes: String { root + "/volumes" }
    package var contexts: String { root + "/contexts" }
    package var repositories: String { root + "/git" }
    package var active: String { root + "/active" }
    package var keyLocks: String { root + "/key-locks" }
    package var leaseLock: String { root + "/leases.lock" }
    package var database: String { root + "/whittle.db" }
    package var imageIndex: String { root + "/index.json" }

    /// Opens the store at `root`, making what is missing. Costs two system calls where the store is there.
    ///
    /// - Throws: `store-unusable` where the directories cannot be made or are another program's; `store-version` where
    ///   another version of the layout is found.
    package init(openingAt root: String) throws(BuildError) {
        self.root = root
        let found: [UInt8]?
        do throws(BuildError) {
            found = try FileReading.bytes(ofFileAt: root + "/version", limit: 64)
        } catch {
            throw .storeUnusable(root, error)
        }
        // An empty file is what a process leaves that is killed while it makes the store.
        if let found, !found.isEmpty {
            let text = String(decoding: found, as: UTF8.self).filter { !$0.isWhitespace }
            guard text == Self.version else { throw .storeVersion(root, found: text, expected: Self.version) }
            guard access(root, W_OK) == 0 else {
                throw .storeUnusable(root, .fileSystem("write to", root, .init(rawValue: errno)))
            }
            return
        }
        do throws(BuildError) {
            try Self.makeDirectories(root, mode: 0o755)
            for path in ["/blobs", "/blobs/sha256"] { try Self.makeDirectories(root + path, mode: 0o755) }
            // What is in these may be another user's business: unpacked images, secrets' mount points.
            for path in [snapshots, cacheMounts, contexts, active] {
                try Self.makeDirectories(path, mode: 0o700)
            }
            let scratch = try ProcessScratch(in: self)
            try AtomicFile.write(Self.version + "\n", to: root + "/version", by: scratch.path)
            try scratch.remove()
        } catch {
            throw .storeUnusable(root, error)
        }
    }

    /// The store at `root`, for reading; `nil` where there is none of this layout. Nothing is made.
    package init?(readingAt root: String) {
        self.root = root
        // A store that cannot be read is as good as none for whoever only looks.
        guard let bytes = try? FileReading.bytes(ofFileAt: root + "/version", limit: 64),
            String(decoding: bytes, as: UTF8.self).filter({ !$0.isWhitespace }) == Self.version
        else { return nil }
    }

    /// Waits for the lock on `key`, which excludes every other process and task that asks for the same key.
    ///
    /// - Throws: `file-system`; `CancellationError`.
    package func lock(_ key: String) async throws -> KeyLock { try await KeyLock.acquire(key, in: keyLocks) }

    /// Takes the lock on `key` if it is free; `nil` where somebody holds it.
    ///
    /// - Throws: `file-system`.
    package func tryLock(_ key: String) throws(BuildError) -> KeyLock? { try KeyLock.tryAcquire(key, in: keyLocks) }

    /// Makes a directory and the missing ones above it.
    static func makeDirectories(_ path: String, mode: UInt32) throws(BuildError) {
        if mkdir(path, mode_t(mode)) == 0 { return }
        var code = errno
        if code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]), mode: 0o755)
            if mkdir(path, mode_t(mode)) == 0 { return }
            code = errno
        }
        // Another process may have been faster; a file of that name shows with the first use.
        guard code == EEXIST else { throw .fileSystem("make directory", path, .init(rawValue: code)) }
    }
}
