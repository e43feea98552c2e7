internal import SystemPackage
internal import WhittleCore

extension ContentDigester {
    /// A stretch of entries of one directory whose contents are not known.
    private struct Unit: Sendable {
        let directory: SourceDirectory
        let indices: [Int]
    }

    /// Entries a thread takes at once: enough that opening their directory does not count, few enough that a big
    /// directory is shared.
    private static let unitSize = 128

    /// Reads what no index knows of the selection.
    static func readContents(of plan: CopyPlan, _ cancellation: Cancellation?) throws {
        var units: [Unit] = []
        func add(_ indices: [Int], of directory: SourceDirectory) {
            let known = directory.known
            let unknown = indices.filter { known[$0] == nil }
            for start in stride(from: 0, to: unknown.count, by: unitSize) {
                let end = min(start + unitSize, unknown.count)
                units.append(Unit(directory: directory, indices: Array(unknown[start..<end])))
            }
        }
        for item in plan.items {
            if let position = item.entry.position { add([position.index], of: position.directory) }
            for selected in item.selection { add(selected.entries.map(\.index), of: selected.directory) }
        }
        let all = units
        let tree = plan.tree
        try BlockingPool.shared.forEach(below: all.count, threads: 2) { index in
            try read(all[index], tree, cancellation)
        }
    }

    private static func read(_ unit: Unit, _ tree: SourceTree, _ cancellation: Cancellation?) throws {
        let opened = try tree.openDirectory(unit.directory.path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
        defer { buffer.deallocate() }
        let found = try opened.withDescriptor { descriptor in
            try unit.indices.map { index in
                try cancellation?.check()
                let content = try read(index, of: unit.directory, at: descriptor, tree, buffer, cancellation)
                return (index: index, content: content)
            }
        }
        unit.directory.learn(found)
    }

    private static func read(
        _ index: Int, of directory: SourceDirectory, at descriptor: FileDescriptor, _ tree: SourceTree,
        _ buffer: UnsafeMutableRawBufferPointer, _ cancellation: Cancellation?
    ) throws -> FileIndex.Content {
        let listed = directory.listing.entries[index].status
        let name = directory.listing.name(index)
        do throws(Errno) {
            switch listed.kind {
            case .regular: break
            case .symbolicLink:
                let target = try name.withCString { (name) throws(Errno) in
                    try Syscall.linkTarget(name, at: descriptor)
                }
                let hasAttributes = try !CopiedAttributes.list(name, at: descriptor, tree.kind).isEmpty
                return FileIndex.Content(digest: Digest(hashing: target.bytes), hasAttributes: hasAttributes)
            default:
                let hasAttributes = try !CopiedAttributes.list(name, at: descriptor, tree.kind).isEmpty
                return FileIndex.Content(digest: nothing, hasAttributes: hasAttributes)
            }
        } catch {
            throw tree.root.failure("read", "\(directory.path.appending(name))", error)
        }
        let path = directory.path.appending(name)
        return try readFile(name, path, listed, at: descriptor, tree, buffer, cancellation)
    }

    private static let nothing = Digest(hashing: "")

    private static func readFile(
        _ name: EntryPath, _ path: EntryPath, _ listed: FileStatus, at directory: FileDescriptor, _ tree: SourceTree,
        _ buffer: UnsafeMutableRawBufferPointer, _ cancellation: Cancellation?
    ) throws -> FileIndex.Content {
        var hasher = SHA256Hasher()
        do {
            let file = try name.withCString { (name) throws(Errno) in
                try Syscall.open(name, [.readOnly, .noFollow, .nonBlocking], at: directory)
            }
            return try file.withDescriptor { descriptor in
                var left = listed.size
                // One call more than needed would only find the end: the size is checked below.
                while left > 0 {
                    try cancellation?.check()
                    let count = try Syscall.read(descriptor, into: buffer)
                    if count == 0 { break }
                    hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    left -= Int64(count)
                }
                let hasAttributes = try !CopiedAttributes.list(descriptor, tree.kind).isEmpty
                guard try Syscall.status(descriptor).isUnchanged(since: listed) else {
                    throw BuildError.sourceChanged("\(path)")
                }
                return FileIndex.Content(digest: hasher.finalize(), hasAttributes: hasAttributes)
            }
        } catch let error as Errno {
            // A link took the place of the file, or it is gone.
            if error == .tooManySymbolicLinkLevels || error == .noSuchFileOrDirectory {
                throw BuildError.sourceChanged("\(path)")
            }
            throw tree.root.failure("read", "\(path)", error)
        }
    }
}
