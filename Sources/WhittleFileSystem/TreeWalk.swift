package import SystemPackage
internal import WhittleCore

/// Lists a tree in byte order: entries of a directory sorted by the bytes of their names, a directory right before what
/// is in it.
///
/// Works on descriptors, so no link or rename leads out of the tree, and neither the depth nor the length of paths has
/// a limit. Links are listed, never followed. Memory is that of the directories on the way to the current entry.
package struct TreeWalk: Sendable {
    /// One entry of the tree, valid during the call it is handed to.
    package struct Entry {
        /// From the root of the walk, without a leading slash.
        package let path: EntryPath
        package let name: EntryPath
        package let status: FileStatus
        /// The open directory that holds the entry. Lent.
        package let directory: FileDescriptor
        /// A directory that the filter left out, and that comes along because of something in it.
        package let isParentOnly: Bool

        /// Opens a regular file for reading, or a directory. What replaced the entry by a link meanwhile is `ELOOP`.
        package func open() throws(Errno) -> OwnedDescriptor {
            try name.withCString { (name) throws(Errno) in
                try Syscall.open(name, [.readOnly, .noFollow, .nonBlocking], at: directory)
            }
        }

        /// The text of a link.
        package func linkTarget() throws(Errno) -> EntryPath {
            try name.withCString { (name) throws(Errno) in try Syscall.linkTarget(name, at: directory) }
        }

        /// All extended attributes, sorted by name.
        package func extendedAttributes() throws(Errno) -> [ExtendedAttribute] {
            try ExtendedAttributes.list(name, at: directory)
        }
    }

    private let path: String
    private let filter: TreeFilter?

    /// A walk of the directory at `path`, which itself is not an entry.
    package init(_ path: String, filter: TreeFilter? = nil) {
        self.path = path
        self.filter = filter
    }

    /// Calls `body` for each entry.
    ///
    /// - Throws: what `body` throws; `BuildError` (`file-system`) with the path that could not be read;
    ///   `CancellationError`, looked for at each directory.
    package func forEach(
        cancellation: Cancellation? = nil, _ body: (Entry) throws -> Void
    ) throws {
        let root = try describing("open directory", path) { () throws(Errno) -> OwnedDescriptor in
            try Syscall.open(path, [.readOnly, .directory])
        }
        try root.withDescriptor { descriptor in
            var levels = WalkLevels(root: descriptor, rootPath: path)
            defer { levels.closeAll() }
            try levels.enterRoot()
            while true {
                try cancellation?.check()
                guard try levels.step(filter: filter, body) else { return }
            }
        }
    }
}

/// The directories on the way to the current entry of a ``TreeWalk``.
///
/// Each is read whole when it is entered. At most ``openLimit`` of them stay open; one closer to the root is opened
/// again by its path if the walk comes back to it and it has entries left.
private struct WalkLevels {
    private struct Level {
        let listing: DirectoryListing
        var next = 0
        /// `nil` while closed.
        var descriptor: FileDescriptor?
        /// Bytes of the path of this directory.
        let pathLength: Int
        let state: (any Sendable)?
        /// Entry of the parent that is still to be reported, for a directory that was not taken itself.
        var isPending: Bool
        /// Of the directory itself: what is opened again must be the same.
        let inode: UInt64
        let device: UInt64
    }

    private static let openLimit = 64

    private let root: FileDescriptor
    private let rootPath: String
    private var path = EntryPath()
    private var levels: [Level] = []

    init(root: FileDescriptor, rootPath: String) {
        self.root = root
        self.rootPath = rootPath
    }

    mutating func enterRoot() throws(BuildError) {
        try describing("read directory", rootPath) { () throws(Errno) in
            let listing = try DirectoryListing(reading: root)
            let status = try Syscall.status(root)
            levels.append(
                Level(
                    listing: listing, descriptor: root, pathLength: 0, state: nil, isPending: false,
                    inode: status.inode, device: status.device))
        }
    }

    /// The root's descriptor is the caller's.
    mutating func closeAll() {
        for level in levels.dropFirst() { close(level) }
        levels = []
    }

    private func close(_ level: Level) {
        // It was open for reading: there is nothing to report.
        if let descriptor = level.descriptor { try? Syscall.close(descriptor) }
    }

    /// Reports the rest of the last level up to its next subdirectory, and enters that; or leaves the level.
    /// `false` when the walk is over.
    mutating func step(filter: TreeFilter?, _ body: (TreeWalk.Entry) throws -> Void) throws -> Bool {
        guard let last = levels.indices.last else { return false }
        try reopen(last)
        while levels[last].next < levels[last].listing.entries.count {
            let index = levels[last].next
            levels[last].next += 1
            let status = levels[last].listing.entries[index].status
            levels[last].listing.withName(index) { path.append($0) }
            let verdict = filter?.judge(path.description, status.isDirectory, levels[last].state) ?? .take
            if verdict.isTaken {
                try reportPending(body)
                try report(levels[last], index, isParentOnly: false, body)
            }
            if status.isDirectory, verdict.isSearched {
                try enter(index, of: last, status, state: verdict.state, isPending: !verdict.isTaken)
                return true
            }
            path.truncate(to: levels[last].pathLength)
        }
        leave()
        return !levels.isEmpty
    }

    private func report(
        _ level: Level, _ index: Int, isParentOnly: Bool, _ body: (TreeWalk.Entry) throws -> Void
    ) throws {
        guard let descriptor = level.descriptor else { preconditionFailure("the level was opened") }
        try body(
            TreeWalk.Entry(
                path: path, name: level.listing.name(index), status: level.listing.entries[index].status,
                directory: descriptor, isParentOnly: isParentOnly))
    }

    /// Reports directories that come along because of the entry that is about to be reported.
    private mutating func reportPending(_ body: (TreeWalk.Entry) throws -> Void) throws {
        guard let last = levels.last, last.isPending else { return }
        let full = path
        for depth in levels.indices where levels[depth].isPending {
            levels[depth].isPending = false
            try reopen(depth - 1)
            path.truncate(to: levels[depth].pathLength)
            try report(levels[depth - 1], levels[depth - 1].next - 1, isParentOnly: true, body)
            path = full
        }
        try reopen(levels.count - 1)
    }

    private mutating func enter(
        _ index: Int, of parent: Int, _ status: FileStatus, state: (any Sendable)?, isPending: Bool
    ) throws(BuildError) {
        try describing("read directory", shown) { () throws(Errno) in
            guard let directory = levels[parent].descriptor else { preconditionFailure("the level was opened") }
            let name = levels[parent].listing.name(index)
            let opened = try name.withCString { (name) throws(Errno) in
                try Syscall.open(name, [.readOnly, .directory, .noFollow], at: directory)
            }
            let listing = try opened.withDescriptor { (descriptor) throws(Errno) in
                try DirectoryListing(reading: descriptor)
            }
            levels.append(
                Level(
                    listing: listing, descriptor: opened.release(), pathLength: path.count, state: state,
                    isPending: isPending, inode: status.inode, device: status.device))
        }
        // The root stays open, and so do the last ones.
        let surplus = levels.count - Self.openLimit
        if surplus >= 1 {
            close(levels[surplus])
            levels[surplus].descriptor = nil
        }
    }

    private mutating func leave() {
        let left = levels.removeLast()
        if !levels.isEmpty { close(left) }
        if let last = levels.last { path.truncate(to: last.pathLength) }
    }

    /// Opens a level again, from the root down, and with it half of ``openLimit`` levels above: a walk that comes back
    /// from the depth needs them next.
    private mutating func reopen(_ index: Int) throws(BuildError) {
        guard levels[index].descriptor == nil else { return }
        var current = root
        for depth in 1...index {
            if let descriptor = levels[depth].descriptor {
                current = descriptor
                continue
            }
            let above = current
            let isBorrowed = levels[depth - 1].descriptor != nil
            current = try describing("open directory", shown) { () throws(Errno) -> FileDescriptor in
                try openAgain(depth, at: above)
            }
            if !isBorrowed {
                // Open for reading, and only for this way down: there is nothing to report.
                try? Syscall.close(above)
            }
            if depth > index - Self.openLimit / 2 { levels[depth].descriptor = current }
        }
    }

    private func openAgain(_ depth: Int, at parent: FileDescriptor) throws(Errno) -> FileDescriptor {
        let name = levels[depth - 1].listing.name(levels[depth - 1].next - 1)
        let opened = try name.withCString { (name) throws(Errno) in
            try Syscall.open(name, [.readOnly, .directory, .noFollow], at: parent)
        }
        let status = try opened.withDescriptor { (descriptor) throws(Errno) in try Syscall.status(descriptor) }
        // Somebody moved the directory away: the walk would go on somewhere else.
        guard status.inode == levels[depth].inode, status.device == levels[depth].device else {
            throw .noSuchFileOrDirectory
        }
        return opened.release()
    }

    private var shown: String { path.isEmpty ? rootPath : "\(rootPath)/\(path)" }
}
