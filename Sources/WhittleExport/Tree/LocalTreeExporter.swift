internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Copies a root file system into a directory of this machine.
///
/// What the directory has already stays, unless the copy has something of the same name: a file or link is replaced, a
/// directory is added to. Links in the directory are never followed, not even by a directory of the copy that has a
/// link's name, so nothing outside is ever written. Each file is written under another name and renamed.
///
/// As root the copies have the owners of the originals, otherwise they belong to the user. Permissions, times, hard links
/// and extended attributes are kept; attributes that the destination's file system does not have are left out, and so are
/// sockets.
struct LocalTreeExporter {
    /// The root file system, complete: a mount of all layers.
    let source: String
    let destination: String
    /// What becomes of the times of files; `nil` keeps them.
    var times: TimeRule?

    /// - Parameter visit: called with everything but directories before it is copied; what it throws ends the copy.
    /// - Throws: `output-destination`, `output-conflict`, `file-system` for what cannot be read, `CancellationError`.
    ///   What was copied until then stays.
    /// - Returns: the bytes of all files.
    @discardableResult
    func write(
        _ cancellation: Cancellation, visiting visit: (EntryPath) throws(BuildError) -> Void = { _ in }
    ) throws -> ByteCount {
        try OutputDirectory.make(destination)
        let writer = try LocalTreeWriter(root: destination, times, cancellation)
        var size: Int64 = 0
        try TreeWalk(source).forEach(cancellation: cancellation) { entry in
            if entry.status.isRegular { size += entry.status.size }
            if !entry.status.isDirectory { try visit(entry.path) }
            try writer.write(entry)
        }
        try writer.finish()
        return ByteCount(size)
    }
}

/// The destination's side of a copy: one directory is open at a time.
///
/// On the way up, `..` is opened and compared with what the directory above was when it was entered, so that moving
/// directories about during the copy leads nowhere else.
private final class LocalTreeWriter {
    private struct Level {
        let inode: UInt64
        let device: UInt64
        /// What the directory becomes once everything in it is written.
        let metadata: FileMetadata
    }

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let rootPath: String
    private let root: FileDescriptor
    private let rootStatus: FileStatus
    private var current: FileDescriptor
    /// The directories from below the root to ``current``.
    private var levels: [Level] = []
    /// Where the first name of a file with several names was written.
    private var linked: [FileKey: EntryPath] = [:]
    private let copier: FileCopier
    private let times: TimeRule?
    private let cancellation: Cancellation

    init(root path: String, _ times: TimeRule?, _ cancellation: Cancellation) throws(BuildError) {
        self.times = times
        rootPath = path
        self.cancellation = cancellation
        copier = FileCopier(root: path)
        do throws(Errno) {
            let opened = try Syscall.open(path, [.readOnly, .directory])
            rootStatus = try opened.withDescriptor { (descriptor) throws(Errno) in try Syscall.status(descriptor) }
            current = try opened.withDescriptor { (descriptor) throws(Errno) in
                try Syscall.open(".", [.readOnly, .directory], at: descriptor).release()
            }
            root = opened.release()
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    deinit {
        // Directories open for reading: there is nothing to report.
        try? Syscall.close(current)
        try? Syscall.close(root)
    }

    func write(_ entry: TreeWalk.Entry) throws {
        let depth = entry.path.withBytes { $0.count { $0 == UInt8(ascii: "/") } }
        while levels.count > depth { try leave() }
        let metadata = try FileMetadata(of: entry, times: times)
        switch entry.status.kind {
        case .directory: try enter(entry, metadata)
        case .regular: try writeFile(entry, metadata)
        case .socket, .unknown: break
        case .symbolicLink, .fifo, .characterDevice, .blockDevice:
            try replace(entry) { (temporary) throws(BuildError) in
                try copier.makeNode(entry, metadata, named: temporary, at: current)
            }
        }
    }

    func finish() throws(BuildError) {
        while !levels.isEmpty { try leave() }
    }

    // MARK: Directories

    private func enter(_ entry: TreeWalk.Entry, _ metadata: FileMetadata) throws(BuildError) {
        let child = try writing(entry.path) { () throws(Errno) -> FileDescriptor in
            try entry.name.withCString { (name) throws(Errno) in
                try makeDirectory(name)
                let opened = try Syscall.open(name, [.readOnly, .directory, .noFollow], at: current)
                return opened.release()
            }
        }
        // Nothing to report; see deinit.
        try? Syscall.close(current)
        current = child
        try writing(entry.path) { () throws(Errno) in
            let status = try Syscall.status(child)
            if !copier.isRoot, status.permissions & 0o700 != 0o700 {
                try Syscall.changeMode(child, to: status.permissions | 0o700)
            }
            levels.append(Level(inode: status.inode, device: status.device, metadata: metadata))
        }
    }

    /// Makes the directory `name`, in the place of anything else but a directory.
    private func makeDirectory(_ name: UnsafePointer<CChar>) throws(Errno) {
        do throws(Errno) {
            try Syscall.makeDirectory(name, mode: 0o700, at: current)
        } catch {
            guard error == .fileExists else { throw error }
            if try Syscall.status(name, at: current).isDirectory { return }
            try Syscall.unlink(name, at: current)
            try Syscall.makeDirectory(name, mode: 0o700, at: current)
        }
    }

    /// Completes the current directory and goes to the one above.
    private func leave() throws(BuildError) {
        let level = levels.removeLast()
        let directory = current
        try writing(EntryPath(".")) { () throws(Errno) in
            let parent = try Syscall.open("..", [.readOnly, .directory], at: directory)
            let status = try parent.withDescriptor { (descriptor) throws(Errno) in try Syscall.status(descriptor) }
            let expected = levels.last.map { ($0.inode, $0.device) } ?? (rootStatus.inode, rootStatus.device)
            guard (status.inode, status.device) == expected else { throw .noSuchFileOrDirectory }
            try copier.apply(level.metadata, to: directory)
            current = parent.release()
        }
        // Nothing to report; see deinit.
        try? Syscall.close(directory)
    }

    // MARK: Files

    private func writeFile(_ entry: TreeWalk.Entry, _ metadata: FileMetadata) throws {
        let key = FileKey(device: entry.status.device, inode: entry.status.inode)
        if entry.status.links > 1, let first = linked[key], link(entry, to: first) { return }
        try replace(entry) { temporary in
            try copier.copyFile(entry, metadata, to: temporary, at: current, cancellation)
        }
        if entry.status.links > 1 { linked[key] = entry.path }
    }

    /// Gives the file at `first` another name; `false` where the file system refuses, and the file must be copied.
    private func link(_ entry: TreeWalk.Entry, to first: EntryPath) -> Bool {
        let temporary = copier.temporaryName()
        // Renaming one name of a file to another name of the same file does nothing and leaves both.
        defer { try? Syscall.unlink(temporary, at: current) }
        do throws(Errno) {
            let (directory, name) = first.splitLast()
            let opened = try (directory.isEmpty ? EntryPath(".") : directory).withCString { (path) throws(Errno) in
                try Syscall.open(path, [.pathOnly, .directory], at: root, resolving: [.beneath, .noLinks])
            }
            try opened.withDescriptor { (descriptor) throws(Errno) in
                try name.withCString { (name) throws(Errno) in
                    try Syscall.link(name, at: descriptor, to: temporary, at: current)
                }
            }
            try move(temporary, to: entry)
            return true
        } catch {
            return false
        }
    }

    /// Has `body` make something under another name, and puts it in the place of what is there.
    private func replace(_ entry: TreeWalk.Entry, _ body: (String) throws -> Void) throws {
        let temporary = copier.temporaryName()
        do {
            try body(temporary)
            do throws(Errno) {
                try move(temporary, to: entry)
            } catch {
                throw error == .isDirectory || error == .fileExists
                    ? BuildError.outputConflict(shown(entry.path)) : BuildError.outputFailed(shown(entry.path), error)
            }
        } catch {
            // The first error matters; the name may not exist.
            try? Syscall.unlink(temporary, at: current)
            throw error
        }
    }

    private func move(_ temporary: String, to entry: TreeWalk.Entry) throws(Errno) {
        try entry.name.withCString { (name) throws(Errno) in
            try Syscall.rename(temporary, at: current, to: name, at: current)
        }
    }

    private func writing<Value>(_ path: EntryPath, _ body: () throws(Errno) -> Value) throws(BuildError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw BuildError.outputFailed(shown(path), error)
        }
    }

    private func shown(_ path: EntryPath) -> String { "\(rootPath)/\(path)" }
}

extension EntryPath {
    /// The path without its last component, and that component.
    fileprivate func splitLast() -> (directory: EntryPath, name: EntryPath) {
        let bytes = bytes
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (EntryPath(), self) }
        return (EntryPath(bytes: bytes[..<slash]), EntryPath(bytes: bytes[(slash + 1)...]))
    }
}
