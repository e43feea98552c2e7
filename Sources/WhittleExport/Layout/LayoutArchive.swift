internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Writes an image as one tar archive: an OCI image layout, which with `manifest.json` is also a docker archive.
///
/// Entries are sorted by path, belong to root and have the time 0, so equal images give equal archives. Memory is bounded
/// by a buffer, whatever the size of the layers.
struct LayoutArchive: Sendable {
    let blobs: BlobStore

    /// - Throws: `output-destination`, `blob-missing`, `blob-damaged`, `CancellationError`.
    func write(_ layout: ImageLayout, to target: OutputSink, _ cancellation: Cancellation) throws {
        // Blobs are checked by another thread meanwhile: hashing takes longer than copying.
        let copies = layout.blobs.compactMap { copy(of: $0) }
        try BlockingPool.shared.forEach(below: copies.count + 1, threads: 2) { index in
            if index > 0 {
                try copies[index - 1].verify(cancellation)
            } else {
                try writeEntries(of: layout, to: target, cancellation)
            }
        }
    }

    private func copy(of file: ImageLayout.File) -> BlobCopy? {
        guard case .blob(let digest, let size) = file.content else { return nil }
        return BlobCopy(blobs: blobs, digest: digest, size: size)
    }

    private func writeEntries(
        of layout: ImageLayout, to target: OutputSink, _ cancellation: Cancellation
    ) throws {
        var tar = TarWriter { try target.write($0) }
        for directory in ImageLayout.directories {
            try tar.begin(TarEntry(path: Array("\(directory)/".utf8), kind: .directory, permissions: 0o755))
        }
        for file in layout.files {
            try tar.begin(
                TarEntry(path: Array(file.path.utf8), kind: .regular, permissions: file.mode, size: file.size))
            switch file.content {
            case .bytes(let bytes): try tar.write(bytes)
            case .blob(let digest, let size):
                try BlobCopy(blobs: blobs, digest: digest, size: size).read(cancellation) { try tar.write($0) }
            }
        }
        try tar.finish()
    }
}
