internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Writes an image layout as one tar archive: entries sorted by path, owned by root, without a time, so equal images give
/// equal bytes. Memory does not grow with the image.
struct LayoutArchive {
    let blobs: BlobStore

    /// - Throws: `blob-damaged`, `output-destination`, `file-system`, `CancellationError`.
    func write(_ layout: ImageLayout, to destination: StreamDestination, _ cancellation: Cancellation) throws {
        try OutputFile.write(to: destination) { descriptor in
            let output = ArchiveOutput(descriptor, shownAs: destination.shown)
            var tar = TarWriter { try output.write($0) }
            for directory in ImageLayout.directories {
                try tar.begin(TarEntry(path: Array(directory.utf8), kind: .directory, permissions: 0o755))
            }
            for file in layout.files {
                try tar.begin(
                    TarEntry(
                        path: Array(file.path.utf8), kind: .regular, permissions: UInt16(file.mode), size: file.size))
                switch file.content {
                case .bytes(let bytes): try tar.write(bytes)
                case .blob(let digest, let size):
                    try BlobCopy(blobs: blobs, digest: digest, size: size).read(cancellation) { try tar.write($0) }
                }
            }
            try tar.finish()
        }
    }
}

/// The end of an archive's way: a descriptor, and what messages call it.
struct ArchiveOutput {
    private let descriptor: FileDescriptor
    private let name: String

    init(_ descriptor: FileDescriptor, shownAs name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BuildError) {
        do throws(Errno) { try Syscall.writeAll(descriptor, bytes) } catch {
            throw .outputFailed(name, error)
        }
    }
}

extension StreamDestination {
    /// What messages call it.
    var shown: String {
        switch self {
        case .file(let path): path
        case .standardOutput: "standard output"
        }
    }
}
