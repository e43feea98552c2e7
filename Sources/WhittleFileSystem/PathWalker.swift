internal import SystemPackage
internal import WhittleCore

/// Resolves a path below an open root component by component, so that no `..`, link or rename can lead out of it.
///
/// Holds a descriptor for each level that it is in, so `..` goes back to where it came from. It is used where a missing
/// directory is to be made, where openat2(2) does not exist, and to find the link that leads out of the root.
final class PathWalker {
    /// What to do about a component that does not exist.
    enum Missing {
        case stop
        case create(DirectoryCreation)
    }

    enum Found {
        /// The path is the root itself.
        case root
        /// The last level has this entry.
        case entry(EntryPath, FileStatus)
        /// The last level has no such entry; nothing is left of the path after it.
        case missing(EntryPath)
    }

    private struct Level {
        let descriptor: FileDescriptor
        let name: EntryPath
    }

    private let root: RootDirectory
    private let original: String
    private var levels: [Level] = []
    /// Components still to go, the next one last.
    private var pending: [EntryPath]
    private var linksLeft = 40
    private var lastAbsoluteLink: (path: String, target: String)?
    /// Paths, from the root, of directories that were made.
    private(set) var created: [String] = []

    init(root: RootDirectory, path: String) {
        self.root = root
        original = path
        pending = EntryPath(path).components.reversed()
    }

    deinit {
        for level in levels {
            // An O_PATH descriptor has nothing to report.
            try? Syscall.close(level.descriptor)
        }
    }

    /// The directory that the walk is in.
    var directory: FileDescriptor { levels.last?.descriptor ?? root.descriptor }

    /// The path of that directory from the root, without links; `/` for the root.
    var directoryPath: String { "/" + levels.map { "\($0.name)" }.joined(separator: "/") }

    /// Walks to the end of the path. Afterwards ``directory`` is the one that holds what was found.
    func resolve(followingLast: Bool, missing: Missing) throws(BuildError) -> Found {
        while let name = pending.popLast() {
            if name == ".." {
                try leave()
                continue
            }
            guard let status = try status(of: name) else {
                guard try handleMissing(name, missing) else { return .missing(name) }
                continue
            }
            if status.isLink, followingLast || !pending.isEmpty {
                try follow(name)
            } else if pending.isEmpty {
                if case .create = missing, !status.isDirectory { throw failure("create directory", .notDirectory) }
                return .entry(name, status)
            } else {
                try enter(name, status)
            }
        }
        return try arrived()
    }

    /// The path ended with `..` or with a link to a directory on the way: what was found is the last level itself.
    private func arrived() throws(BuildError) -> Found {
        guard let last = levels.popLast() else { return .root }
        do throws(Errno) {
            let status = try Syscall.status(last.descriptor)
            try Syscall.close(last.descriptor)
            return .entry(last.name, status)
        } catch {
            throw failure("read", error)
        }
    }

    private func leave() throws(BuildError) {
        guard let level = levels.popLast() else {
            if root.rule == .contained {
                throw BuildError.pathEscapes(original, link: lastLink, root: root.name)
            }
            return
        }
        // An O_PATH descriptor has nothing to report.
        try? Syscall.close(level.descriptor)
    }

    private var lastLink: (path: String, target: String)?

    private func status(of name: EntryPath) throws(BuildError) -> FileStatus? {
        do throws(Errno) {
            return try name.withCString { (name) throws(Errno) in try Syscall.status(name, at: directory) }
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw failure("read", error)
        }
    }

    private func enter(_ name: EntryPath, _ status: FileStatus) throws(BuildError) {
        guard status.isDirectory else { throw failure("open", .notDirectory) }
        do throws(Errno) {
            let opened = try name.withCString { (name) throws(Errno) in
                try Syscall.open(name, [.pathOnly, .directory, .noFollow], at: directory)
            }
            levels.append(Level(descriptor: opened.release(), name: name))
        } catch {
            throw failure("open", error)
        }
    }

    private func follow(_ name: EntryPath) throws(BuildError) {
        linksLeft -= 1
        guard linksLeft >= 0 else { throw failure("open", .tooManySymbolicLinkLevels) }
        let target: EntryPath
        do throws(Errno) {
            target = try name.withCString { (name) throws(Errno) in try Syscall.linkTarget(name, at: directory) }
        } catch {
            throw failure("read link", error)
        }
        let link = (path: path(of: name), target: "\(target)")
        lastLink = link
        if target.isAbsolute {
            lastAbsoluteLink = link
            while let level = levels.popLast() {
                // An O_PATH descriptor has nothing to report.
                try? Syscall.close(level.descriptor)
            }
        }
        pending.append(contentsOf: target.components.reversed())
    }

    /// Makes the directory, or says that the walk ends here.
    private func handleMissing(_ name: EntryPath, _ missing: Missing) throws(BuildError) -> Bool {
        switch missing {
        case .create(let creation):
            let path = path(of: name)
            try describing("create directory", path) { () throws(Errno) in
                try creation.make(name, at: directory)
            }
            created.append(path)
            pending.append(name)
            return true
        case .stop:
            // An absolute link in the build context was meant for the host's root, not for the context.
            if root.rule == .contained, let link = lastAbsoluteLink {
                throw BuildError.pathEscapes(original, link: link, root: root.name)
            }
            guard pending.isEmpty else { throw failure("open", .noSuchFileOrDirectory) }
            return false
        }
    }

    private func path(of name: EntryPath) -> String {
        levels.isEmpty ? "/\(name)" : "\(directoryPath)/\(name)"
    }

    private func failure(_ operation: String, _ error: Errno) -> BuildError {
        root.failure(operation, original, error)
    }
}
