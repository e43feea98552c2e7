internal import Synchronization
internal import SystemPackage
internal import WhittleCore

/// A tree that files are copied from, as it was when it was first looked at.
///
/// Directories are read when they are needed, once, and then stay in memory: several `COPY` of one build context, and
/// the digests of what they select, cost one walk together. What was listed and what is copied later are compared, so a
/// file that changes in between is an error and never a wrong cache hit. Safe to use from many threads.
package final class SourceTree: Sendable {
    /// Whose the files are.
    package enum Kind: Sendable {
        /// A directory of the user: all files count as root's, sockets and device nodes do not exist, and of extended
        /// attributes only capabilities and `user.` ones matter.
        case context
        /// The file system of an image: everything is as it is.
        case image
    }

    package let root: RootDirectory
    package let kind: Kind
    /// Leaves out what ignore patterns exclude.
    let filter: TreeFilter?
    let index: FileIndex?
    /// The clock before anything was listed.
    let createdAt: FileTime
    private let top = Mutex<SourceDirectory?>(nil)

    /// - Parameters:
    ///   - filter: paths it leaves out do not exist.
    ///   - index: digests of earlier builds.
    package convenience init(
        _ root: RootDirectory, kind: Kind, filter: TreeFilter? = nil, index: FileIndex? = nil
    ) {
        self.init(root, kind: kind, filter: filter, index: index, at: .now)
    }

    /// As the other; the clock is the caller's.
    init(
        _ root: RootDirectory, kind: Kind, filter: TreeFilter? = nil, index: FileIndex? = nil, at now: FileTime
    ) {
        self.root = root
        createdAt = now
        self.kind = kind
        self.filter = filter
        self.index = index
    }

    /// The root directory of the tree.
    func rootDirectory() throws(BuildError) -> SourceDirectory {
        if let known = top.withLock({ $0 }) { return known }
        let read = try read(EntryPath(), state: nil)
        return top.withLock { top in
            if top == nil { top = read }
            return top ?? read
        }
    }

    /// The root directory where something looked at it.
    var loadedRoot: SourceDirectory? { top.withLock { $0 } }

    /// The directory that is the entry at `index` of `parent`.
    func directory(_ index: Int, of parent: SourceDirectory) throws(BuildError) -> SourceDirectory {
        if let known = parent.child(index) { return known }
        let state = parent.listing.state(index)
        return parent.adopt(try read(parent.path.appending(parent.listing.name(index)), state: state), at: index)
    }

    private func read(_ path: EntryPath, state: (any Sendable)?) throws(BuildError) -> SourceDirectory {
        let opened = try openDirectory(path)
        let listing = try describing("read directory", shown(path)) { () throws(Errno) in
            try opened.withDescriptor { (descriptor) throws(Errno) in
                try DirectoryListing(reading: descriptor, filter: filter, path: path, state: state)
            }
        }
        return SourceDirectory(path: path, listing: listing, known: index?.contents(of: path, listing))
    }

    /// Opens a directory that was listed, for reading. A link that took its place meanwhile is an error.
    func openDirectory(_ path: EntryPath) throws(BuildError) -> OwnedDescriptor {
        do throws(Errno) {
            return try DescriptorPath.openDirectory(path, at: root.descriptor)
        } catch {
            throw root.failure("open directory", "\(path)", error)
        }
    }

    /// Whether an entry exists: it was taken, or it is a directory that has something that was.
    func exists(_ index: Int, in directory: SourceDirectory) throws(BuildError) -> Bool {
        let entry = directory.listing.entries[index]
        if isForeign(entry.status) { return false }
        if entry.isTaken { return true }
        // The filter kept it only to look below it.
        var pending = [try self.directory(index, of: directory)]
        while let next = pending.popLast() {
            for (index, entry) in next.listing.entries.enumerated() {
                if entry.isTaken, !isForeign(entry.status) { return true }
                if entry.status.isDirectory { pending.append(try self.directory(index, of: next)) }
            }
        }
        return false
    }

    /// Whether something is no part of the tree by its nature.
    func isForeign(_ status: FileStatus) -> Bool {
        switch status.kind {
        case .socket, .unknown: true
        // Device 0 is how overlayfs writes a deletion.
        case .characterDevice, .blockDevice: kind == .context || status.specialDevice == 0
        case .regular, .directory, .symbolicLink, .fifo: false
        }
    }

    /// The owner that a file of the tree counts as having.
    func owner(of status: FileStatus) -> FileOwner { kind == .context ? .root : status.owner }

    /// `path` as errors show it, from the root of the tree.
    func shown(_ path: EntryPath) -> String { path.isEmpty ? "/" : "\(path)" }
}

/// A directory of a ``SourceTree`` in memory.
final class SourceDirectory: Sendable {
    /// From the root of the tree; empty for the root.
    let path: EntryPath
    let listing: DirectoryListing
    private struct Contents {
        var children: [Int: SourceDirectory] = [:]
        var known: [FileIndex.Content?]?
        var isChanged = false
    }
    private let contents: Mutex<Contents>

    init(path: EntryPath, listing: DirectoryListing, known: [FileIndex.Content?]?) {
        self.path = path
        self.listing = listing
        contents = Mutex(Contents(known: known))
    }

    /// The directory at `index`, where it was read.
    func child(_ index: Int) -> SourceDirectory? { contents.withLock { $0.children[index] } }

    /// Keeps `child`, unless another thread was faster; gives the one that is kept.
    func adopt(_ child: SourceDirectory, at index: Int) -> SourceDirectory {
        contents.withLock { contents in
            if let first = contents.children[index] { return first }
            contents.children[index] = child
            return child
        }
    }

    /// The directories in this one that were read.
    var children: [SourceDirectory] { contents.withLock { Array($0.children.values) } }

    /// What is known of the contents of the entries, by index.
    var known: [FileIndex.Content?] {
        contents.withLock { $0.known ?? [FileIndex.Content?](repeating: nil, count: listing.entries.count) }
    }

    /// Notes what was just read.
    func learn(_ found: [(index: Int, content: FileIndex.Content)]) {
        contents.withLock { contents in
            var known = contents.known ?? [FileIndex.Content?](repeating: nil, count: listing.entries.count)
            for (index, content) in found { known[index] = content }
            contents.known = known
            contents.isChanged = true
        }
    }

    /// Whether something was learned that the index did not know.
    var isChanged: Bool { contents.withLock { $0.isChanged } }
}
