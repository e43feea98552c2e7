internal import SystemPackage
package import WhittleCore
package import WhittleFileSystem
package import WhittlePackages

/// The packages of an image or a directory.
package struct FoundPackages: Sendable {
    package let list: PackageList
    /// The latest time of a file that told of packages; `nil` where there is none, and for images, whose time says more.
    package let newest: Timestamp?

    init(_ list: PackageList, newest: Timestamp? = nil) {
        self.list = list
        self.newest = newest
    }

    /// Reads the directory at `path` as a file system. Only what may tell of packages is opened, and of programs only the
    /// begin unless they may be of Go; nothing is hashed.
    ///
    /// - Throws: `file-system`, `CancellationError`.
    package init(inDirectory path: String, cancellation: Cancellation) throws {
        var files: [(path: String, kind: EvidenceKind, findings: Findings)] = []
        var newest: Timestamp?
        var known: Set<Identity> = []
        try TreeWalk(path).forEach(cancellation: cancellation) { item in
            guard item.status.kind == .regular, item.status.size > 0 else { return }
            let name = "\(item.path)"
            let kind = EvidenceKind(ofFileAt: name)
            // Programs with many names are read once: what they say does not depend on the name.
            if kind == .program, item.status.links > 1 {
                let identity = Identity(device: item.status.device, inode: item.status.inode)
                guard known.insert(identity).inserted else { return }
            }
            let findings = try Self.read(item, kind, name, shown: "\(path)/\(name)", cancellation)
            guard !findings.isEmpty else { return }
            files.append((name, kind, findings))
            let modified = Timestamp(seconds: item.status.modified.seconds)
            newest = max(newest ?? modified, modified)
        }
        self.init(PackageList(files), newest: newest)
    }

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private static func read(
        _ item: TreeWalk.Entry, _ kind: EvidenceKind, _ name: String, shown: String, _ cancellation: Cancellation
    ) throws -> Findings {
        let reader = EvidenceReader(kind, path: name)
        let file = try describing("open file", shown) { () throws(Errno) in try item.open() }
        try file.withDescriptor { descriptor in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { buffer.deallocate() }
            // Most files are no programs, and four bytes tell.
            var wanted = kind == .program ? 4096 : buffer.count
            while !reader.isDone {
                try cancellation.check()
                let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                let count = try describing("read", shown) { () throws(Errno) in
                    try Syscall.read(descriptor, into: piece)
                }
                if count == 0 { break }
                reader.take(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                wanted = buffer.count
            }
        }
        return reader.finish()
    }
}
