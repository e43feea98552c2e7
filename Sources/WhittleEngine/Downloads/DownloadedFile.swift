internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleStore

/// A download as the file system that steps read: one file in a directory, which is made when somebody reads it.
package final class DownloadedFile: Sendable {
    /// Equal for equal file systems; times are no part of it.
    package let identity: Digest
    /// The time of the file: what the server says, else 1970, as BuildKit has it.
    package let modified: Timestamp
    private let file: Downloads.File
    private let source: HTTPSource
    private let store: BuildStore
    private let made = Mutex<String?>(nil)

    init(_ file: Downloads.File, of source: HTTPSource, store: BuildStore) {
        self.file = file
        self.source = source
        self.store = store
        modified = file.modified ?? Timestamp(seconds: 0)
        var hasher = SHA256Hasher()
        for field in ["whittle.http.v1", file.digest.hex, source.fileName] { hasher.update(field: field) }
        identity = hasher.finalize()
    }

    /// The tree of the one file. Blocks when it is first asked for.
    func tree() throws -> SourceTree {
        SourceTree(try RootDirectory(directory(), name: "the download of '\(source.shownURL)'"), kind: .image)
    }

    /// The path of the directory that the file is in; it goes with the process. Blocks when it is first asked for.
    func directory() throws -> String {
        try made.withLock { made in
            if let made { return made }
            let directory = try store.scratch.makeDirectory("download", mode: 0o755)
            let root = try RootDirectory(directory)
            let time = FileTime(seconds: modified.seconds)
            let source = try store.blobs.open(file.digest)
            let target = try root.open(source: self.source.fileName)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileCopy.bufferSize, alignment: 4096)
            defer { buffer.deallocate() }
            try source.withDescriptor { source in
                try target.withDescriptor { target in
                    try FileCopy.copy(Syscall.status(source), from: source, to: target, buffer, nil)
                    try Syscall.changeTimes(target, to: time)
                }
            }
            try Syscall.changeTimes(root.descriptor, to: time)
            made = directory
            return directory
        }
    }
}

extension RootDirectory {
    fileprivate func open(source name: String) throws(BuildError) -> OwnedDescriptor {
        try open("/" + name, [.writeOnly, .create, .exclusive], mode: 0o600)
    }
}
