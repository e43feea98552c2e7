internal import Synchronization
internal import SystemPackage
package import WhittleCore

/// What earlier builds read in a build context: for each file its size, times, inode and mode, and the digest of its
/// contents. A file that statx(2) shows unchanged is not read again.
///
/// The index is a cache and never trusted blindly: one that cannot be read, or whose checksum is wrong, is as good as
/// none. A file that changed less than two seconds before it was listed is not recorded, because a second change within
/// the resolution of the file system's clock would not show (git calls such entries racy).
///
/// Format (all integers little endian): `WHITIDX1`, the SHA-256 of everything after it (32 bytes), the number of
/// directories (8); for each: length of its path (4), number of entries (4), bytes of all its entries (8), the path;
/// then for each entry, in byte order: inode, device, size (8 each), seconds of modification and of change (8 each),
/// their nanoseconds (4 each), mode (4), flags (2; bit 0: has extended attributes), length of the name (2), digest (32),
/// the name.
package final class FileIndex: Sendable {
    /// What is known of the contents of an entry.
    struct Content: Hashable, Sendable {
        /// Of the bytes of a file or of the target of a link; of nothing for all else.
        let digest: Digest
        /// Whether it has extended attributes of a kind that is copied.
        let hasAttributes: Bool
    }

    struct Record: Hashable, Sendable {
        let name: EntryPath
        let stamp: FileStamp
        let content: Content
    }

    /// Where the index is kept.
    package let path: String
    private let earlier: Mutex<FileIndexTable?> = Mutex(nil)

    /// The index in the file at `path`, which need not exist. Nothing is read yet.
    package init(_ path: String) { self.path = path }

    /// What is known of the entries of a directory that was just listed, by their index; `nil` for nothing.
    func contents(of directory: EntryPath, _ listing: DirectoryListing) -> [Content?]? {
        table.contents(of: directory, listing)
    }

    /// Writes what is known of `tree`, where that is more than the file holds.
    ///
    /// - Parameter directory: where the file is written before it gets its place; `nil` for beside it.
    /// - Throws: `BuildError` (`file-system`). A failure costs the next build time and nothing else.
    package func save(_ tree: SourceTree, by directory: String? = nil) throws(BuildError) {
        guard let root = tree.loadedRoot else { return }
        let earlier = table
        let now = tree.createdAt
        let limit = FileTime(seconds: now.seconds - 2, nanoseconds: now.nanoseconds)
        guard let records = FileIndexUpdate(root: root, earlier: earlier, limit: limit).records else { return }
        let bytes = FileIndexTable.encode(records)
        try AtomicFile.write(bytes, to: path, mode: 0o600, by: directory, isDurable: false)
        self.earlier.withLock { $0 = FileIndexTable(bytes) }
    }

    private var table: FileIndexTable {
        earlier.withLock { earlier in
            if let known = earlier { return known }
            // An index that cannot be read is as good as none.
            let bytes = (try? FileReading.bytes(ofFileAt: path, limit: 1 << 30)) ?? []
            let read = FileIndexTable(bytes) ?? FileIndexTable()
            earlier = read
            return read
        }
    }
}

/// What tells whether a file changed.
struct FileStamp: Hashable, Sendable {
    var inode: UInt64
    var device: UInt64
    var size: Int64
    var modified: FileTime
    var changed: FileTime
    var mode: UInt32
}

extension FileStamp {
    init(_ status: FileStatus) {
        self.init(
            inode: status.inode, device: status.device, size: status.size, modified: status.modified,
            changed: status.changed, mode: status.mode)
    }
}

/// Works out what the next index holds.
private struct FileIndexUpdate {
    private let earlier: FileIndexTable
    private let limit: FileTime
    private var visited: [EntryPath: SourceDirectory] = [:]
    private var replaced: [EntryPath: [FileIndex.Record]] = [:]
    private var isChanged = false

    init(root: SourceDirectory, earlier: FileIndexTable, limit: FileTime) {
        self.earlier = earlier
        self.limit = limit
        var pending = [root]
        while let directory = pending.popLast() {
            visited[directory.path] = directory
            replace(directory)
            pending += directory.children
        }
    }

    /// The records of every directory, or `nil` where the index can stay as it is.
    var records: [EntryPath: [FileIndex.Record]]? {
        guard isChanged else { return nil }
        var records = replaced
        for path in earlier.directories where records[path] == nil && isThere(path) {
            records[path] = earlier.records(of: path)
        }
        return records.filter { !$0.value.isEmpty }
    }

    /// A directory in which nothing was read keeps its records: those that no longer match do no harm.
    private mutating func replace(_ directory: SourceDirectory) {
        guard directory.isChanged else { return }
        var found: [FileIndex.Record] = []
        for (index, content) in directory.known.enumerated() {
            let status = directory.listing.entries[index].status
            // The time of modification can be set; that of change cannot.
            guard let content, status.changed < limit else { continue }
            found.append(
                FileIndex.Record(
                    name: directory.listing.name(index), stamp: FileStamp(status), content: content))
        }
        replaced[directory.path] = found
        if found != earlier.records(of: directory.path) { isChanged = true }
    }

    /// Whether a directory that this build did not look at still exists, as far as this build can tell.
    private func isThere(_ path: EntryPath) -> Bool {
        let components = path.components
        var prefix = EntryPath()
        for component in components {
            guard let directory = visited[prefix] else { return true }
            guard let index = directory.listing.index(of: component),
                directory.listing.entries[index].status.isDirectory
            else { return false }
            prefix.append(component)
        }
        return true
    }
}
