internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleStore

/// Writes an image into a directory that is, or becomes, an OCI image layout.
///
/// Images that the directory holds already stay. Every file is written under another name and renamed, the index last,
/// so that a reader never finds a name whose blobs are missing, whenever the writing ends.
struct LayoutDirectory: Sendable {
    let path: String
    let blobs: BlobStore

    /// - Throws: `output-destination`, `invalid-layout`, `blob-missing`, `blob-damaged`, `CancellationError`.
    func write(_ layout: ImageLayout) async throws {
        try await BlockingPool.shared.runCancellable { cancellation in
            try OutputDirectory.make(path)
            for directory in ImageLayout.directories { try OutputDirectory.make("\(path)/\(directory)") }
            try writeFile(ImageLayout.marker, to: "oci-layout")
            for file in layout.blobs { try write(file, cancellation) }
        }
        // BuildKit locks the same name.
        let lockPath = "\(path)/index.json.lock"
        let lock = try await FileLock.acquire(lockPath)
        defer {
            // While held: who waits finds that the name has gone and makes a new one. One that stays does no harm.
            try? Syscall.unlink(lockPath)
            lock.release()
        }
        try await BlockingPool.shared.run {
            var index = try readIndex()
            LayoutIndex.insert(layout.entries, into: &index)
            try writeFile(index.encoded(), to: "index.json")
        }
    }

    private func readIndex() throws -> Index {
        let file = "\(path)/index.json"
        guard let bytes = try FileReading.bytes(ofFileAt: file, limit: 64 << 20) else { return Index(manifests: []) }
        do {
            return try Index(parsing: bytes)
        } catch {
            throw BuildError.invalidLayout(path, cause: error)
        }
    }

    private func write(_ file: ImageLayout.File, _ cancellation: Cancellation) throws {
        let target = "\(path)/\(file.path)"
        // Named by its digest and of the right length: it is the blob, or somebody else's disk is damaged.
        if let status = try OutputPath(target).status(), status.isRegular, status.size == file.size { return }
        switch file.content {
        case .bytes(let bytes): try writeFile(bytes, to: file.path)
        case .blob(let digest, let size):
            try OutputFile.write(to: .file(path: target)) { descriptor in
                let sink = OutputSink(descriptor, for: .file(path: target))
                try BlobCopy(blobs: blobs, digest: digest, size: size).verify(cancellation) { try sink.write($0) }
            }
        }
    }

    private func writeFile(_ bytes: [UInt8], to name: String) throws {
        let target = "\(path)/\(name)"
        try OutputFile.write(to: .file(path: target)) { descriptor in
            try bytes.withUnsafeBytes { try OutputSink(descriptor, for: .file(path: target)).write($0) }
        }
    }
}
