internal import Synchronization
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Writes an image as one tar archive: an OCI image layout, which with `manifest.json` is also a docker archive.
///
/// Entries are sorted by path, belong to root and have the time 0, so equal images give equal archives. Memory is bounded
/// by a buffer a thread, whatever the size of the layers.
struct LayoutArchive: Sendable {
    let blobs: BlobStore
    /// Blobs that need no check: this process took their digests.
    let verified: Set<Digest>

    /// - Throws: `output-destination`, `blob-missing`, `blob-damaged`, `CancellationError`.
    func write(_ layout: ImageLayout, to target: OutputSink, _ cancellation: Cancellation) throws {
        let checks = layout.blobs.compactMap { copy(of: $0) }.filter { !verified.contains($0.digest) }
        if try target.isSeekable() {
            let pieces = try writeHeaders(of: layout, to: target).flatMap { $0.pieces }
            try BlockingPool.shared.forEach(below: checks.count + pieces.count, threads: Self.threads) { index in
                if index < checks.count {
                    try checks[index].verify(cancellation)
                } else {
                    try pieces[index - checks.count].copy(to: target, cancellation)
                }
            }
            return
        }
        // Blobs are checked by another thread meanwhile: hashing takes longer than copying.
        try BlockingPool.shared.forEach(below: checks.count + 1, threads: Self.threads) { index in
            if index > 0 {
                try checks[index - 1].verify(cancellation)
            } else {
                try writeEntries(of: layout, to: target, cancellation)
            }
        }
    }

    /// Copying is bound by memory, which two processors keep busy.
    private static let threads = 2

    private func copy(of file: ImageLayout.File) -> BlobCopy? {
        guard case .blob(let digest, let size) = file.content else { return nil }
        return BlobCopy(blobs: blobs, digest: digest, size: size)
    }

    private func writeEntries(
        of layout: ImageLayout, to target: OutputSink, _ cancellation: Cancellation
    ) throws {
        var tar = TarWriter { try target.write($0) }
        try Self.writeEntries(of: layout, &tar) { digest, size, tar in
            try BlobCopy(blobs: blobs, digest: digest, size: size).read(cancellation) { try tar.write($0) }
        }
        try tar.finish()
    }

    /// Writes everything but the blobs, and leaves room for them.
    ///
    /// - Returns: what is to be copied where.
    private func writeHeaders(of layout: ImageLayout, to target: OutputSink) throws -> [PlacedBlob] {
        let position = Mutex<Int64>(0)
        var placed: [PlacedBlob] = []
        var tar = TarWriter { bytes in
            try target.write(bytes, at: position.withLock { $0 })
            position.withLock { $0 += Int64(bytes.count) }
        }
        try Self.writeEntries(of: layout, &tar) { digest, size, tar in
            let blob = BlobCopy(blobs: blobs, digest: digest, size: size)
            try blob.checkSize()
            placed.append(PlacedBlob(blob: blob, offset: position.withLock { $0 }))
            position.withLock { $0 += size }
            tar.leaveRoom()
        }
        try tar.finish()
        return placed
    }

    private static func writeEntries(
        of layout: ImageLayout, _ tar: inout TarWriter,
        blob: (Digest, _ size: Int64, _ tar: inout TarWriter) throws -> Void
    ) throws {
        for directory in ImageLayout.directories {
            try tar.begin(TarEntry(path: Array("\(directory)/".utf8), kind: .directory, permissions: 0o755))
        }
        for file in layout.files {
            try tar.begin(
                TarEntry(path: Array(file.path.utf8), kind: .regular, permissions: file.mode, size: file.size))
            switch file.content {
            case .bytes(let bytes): try tar.write(bytes)
            case .blob(let digest, let size): try blob(digest, size, &tar)
            }
        }
    }
}

/// A blob and where it goes in an archive.
private struct PlacedBlob: Sendable {
    let blob: BlobCopy
    let offset: Int64

    /// Small enough that two threads end at about the same time, large enough that opening the blob does not count.
    private static let pieceSize: Int64 = 8 << 20

    /// Its parts, for several threads.
    var pieces: [Piece] {
        stride(from: 0, to: blob.size, by: Int(Self.pieceSize)).map { start in
            Piece(blob: blob, range: start..<min(start + Self.pieceSize, blob.size), offset: offset + start)
        }
    }

    struct Piece: Sendable {
        let blob: BlobCopy
        let range: Range<Int64>
        let offset: Int64

        func copy(to target: OutputSink, _ cancellation: Cancellation) throws {
            try blob.read(range, cancellation) { bytes, start in
                try target.write(bytes, at: offset + start - range.lowerBound)
            }
        }
    }
}
