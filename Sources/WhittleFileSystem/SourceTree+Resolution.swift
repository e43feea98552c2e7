internal import SystemPackage
internal import WhittleCore

/// Something in a ``SourceTree``.
struct SourceEntry: Sendable {
    /// The directory that holds it and its place there; `nil` for the root of the tree.
    let position: (directory: SourceDirectory, index: Int)?

    /// From the root of the tree, without links.
    var path: EntryPath {
        position.map { $0.directory.path.appending($0.directory.listing.name($0.index)) } ?? EntryPath()
    }

    /// `nil` for the root of the tree, which is a directory.
    var status: FileStatus? { position.map { $0.directory.listing.entries[$0.index].status } }
    var isDirectory: Bool { status?.isDirectory ?? true }
}

/// Why a path of a ``SourceTree`` leads nowhere.
enum SourceResolution {
    case found(SourceEntry)
    /// The deepest directory that exists, and the component that it lacks (or that is no directory).
    case missing(in: SourceDirectory, name: String, remainder: [String])
}

extension SourceTree {
    /// Finds what `path` leads to; links on the way are followed inside the tree, and one at the end if asked for.
    ///
    /// - Throws: `BuildError` (`path-escapes`, `file-system`).
    func resolve(_ path: String, followingLast: Bool) throws(BuildError) -> SourceResolution {
        var walk = SourceWalk(original: path, pending: EntryPath(path).components.reversed())
        return try resolve(&walk, followingLast: followingLast)
    }

    private func resolve(_ walk: inout SourceWalk, followingLast: Bool) throws(BuildError) -> SourceResolution {
        var current = try rootDirectory()
        while let name = walk.pending.popLast() {
            if name == ".." {
                current = try leave(&walk, from: current)
                continue
            }
            guard let index = current.listing.index(of: name), try exists(index, in: current) else {
                return try missing(name, in: current, walk)
            }
            let status = current.listing.entries[index].status
            if status.isLink, followingLast || !walk.pending.isEmpty {
                try follow(index, of: current, &walk)
                if walk.levels.isEmpty { current = try rootDirectory() }
            } else if walk.pending.isEmpty {
                return .found(SourceEntry(position: (current, index)))
            } else if status.isDirectory {
                walk.levels.append((current, index))
                current = try directory(index, of: current)
            } else {
                return try missing(name, in: current, walk)
            }
        }
        return .found(SourceEntry(position: walk.levels.last))
    }

    private func leave(
        _ walk: inout SourceWalk, from current: SourceDirectory
    ) throws(BuildError) -> SourceDirectory {
        if let level = walk.levels.popLast() { return level.0 }
        guard root.rule == .contained else { return current }
        throw BuildError.pathEscapes(walk.original, link: walk.lastLink, root: root.name)
    }

    private func follow(
        _ index: Int, of directory: SourceDirectory, _ walk: inout SourceWalk
    ) throws(BuildError) {
        let name = directory.listing.name(index)
        let path = directory.path.appending(name)
        walk.linksLeft -= 1
        guard walk.linksLeft >= 0 else {
            throw root.failure("open", walk.original, .tooManySymbolicLinkLevels)
        }
        let target = try linkTarget(name, in: directory)
        let link = (path: "/\(path)", target: "\(target)")
        walk.lastLink = link
        if target.isAbsolute {
            walk.lastAbsoluteLink = link
            walk.levels = []
        }
        walk.pending.append(contentsOf: target.components.reversed())
    }

    /// The text of a link.
    func linkTarget(_ name: EntryPath, in directory: SourceDirectory) throws(BuildError) -> EntryPath {
        let opened = try openDirectory(directory.path)
        do throws(Errno) {
            return try opened.withDescriptor { (descriptor) throws(Errno) in
                try name.withCString { (name) throws(Errno) in try Syscall.linkTarget(name, at: descriptor) }
            }
        } catch {
            throw root.failure("read link", "\(directory.path.appending(name))", error)
        }
    }

    private func missing(
        _ name: EntryPath, in directory: SourceDirectory, _ walk: SourceWalk
    ) throws(BuildError) -> SourceResolution {
        // An absolute link in the build context was meant for the host's root, not for the context.
        if root.rule == .contained, let link = walk.lastAbsoluteLink {
            throw BuildError.pathEscapes(walk.original, link: link, root: root.name)
        }
        return .missing(
            in: directory, name: "\(name)", remainder: walk.pending.reversed().map { "\($0)" })
    }
}

/// Where the resolution of one path is.
private struct SourceWalk {
    let original: String
    /// Components still to go, the next one last.
    var pending: [EntryPath]
    /// The directories on the way, each with the entry in it that was entered.
    var levels: [(SourceDirectory, Int)] = []
    var linksLeft = 40
    var lastLink: (path: String, target: String)?
    var lastAbsoluteLink: (path: String, target: String)?
}
