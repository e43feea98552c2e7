internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot

/// Reads a directory of this machine as the tree that an image might have, such as what `-o type=local` wrote.
struct DirectoryReader {
    let path: String
    let limits: ReadingLimits
    let cancellation: Cancellation

    /// A file by which its other names are known.
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// - Throws: `file-system`, `too-many-files`, `CancellationError`.
    func read() throws -> FileTree {
        var tree = FileTree()
        var known: [Identity: [[UInt8]]] = [:]
        var count = 0
        try TreeWalk(path).forEach(cancellation: cancellation) { item in
            count += 1
            guard count <= limits.entries else { throw BuildError.tooManyFiles(limit: limits.entries) }
            let place = item.path.components.map(\.bytes)
            let identity = Identity(device: item.status.device, inode: item.status.inode)
            if item.status.links > 1, !item.status.isDirectory {
                if let first = known[identity] {
                    return try refusing(item) { () throws(FileTree.Refusal) in
                        try tree.link(place, to: first, layer: 0)
                    }
                }
                known[identity] = place
            }
            let entry = try entry(of: item)
            try refusing(item) { () throws(FileTree.Refusal) in try tree.add(entry, at: place, layer: 0) }
        }
        return tree
    }

    private func refusing(_ item: TreeWalk.Entry, _ body: () throws(FileTree.Refusal) -> Void) throws {
        do throws(FileTree.Refusal) { try body() } catch {
            // Names of a directory are those of a directory, unless somebody changes it meanwhile.
            throw BuildError.unsafeLayer("\(item.path)", error.reason)
        }
    }

    private func entry(of item: TreeWalk.Entry) throws -> FileEntry {
        let status = item.status
        var entry = FileEntry(
            kind: Self.kind(of: status), permissions: UInt16(status.permissions), uid: status.owner.uid,
            gid: status.owner.gid,
            modified: Timestamp(seconds: status.modified.seconds, nanoseconds: Int32(status.modified.nanoseconds)))
        try describing("read", "\(path)/\(item.path)") { () throws(Errno) in
            switch entry.kind {
            case .symbolicLink: entry.linkTarget = try item.linkTarget().bytes
            case .file, .directory:
                for attribute in try item.extendedAttributes() where LayerMetadata.isKept(attribute.name) {
                    entry.attributes[attribute.name] = attribute.value
                }
            case .characterDevice, .blockDevice:
                let device = DeviceNumber(packed: status.specialDevice)
                entry.deviceMajor = device.major
                entry.deviceMinor = device.minor
            case .fifo, .socket: break
            }
        }
        if entry.kind == .file { (entry.content, entry.size) = try content(of: item) }
        return entry
    }

    private func content(of item: TreeWalk.Entry) throws -> (Digest, Int64) {
        let shown = "\(path)/\(item.path)"
        let file = try describing("open file", shown) { () throws(Errno) in try item.open() }
        var hasher = SHA256Hasher()
        var size: Int64 = 0
        try file.withDescriptor { descriptor in
            try FileReading.chunks(of: descriptor, shownAs: shown) { chunk in
                try cancellation.check()
                hasher.update(chunk)
                size += Int64(chunk.count)
            }
        }
        return (hasher.finalize(), size)
    }

    private static func kind(of status: FileStatus) -> FileEntry.Kind {
        switch status.kind {
        case .directory: .directory
        case .symbolicLink: .symbolicLink
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        case .fifo: .fifo
        case .socket: .socket
        case .regular, .unknown: .file
        }
    }
}
