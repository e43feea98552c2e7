internal import SystemPackage
package import WhittleCore
package import WhittleFileSystem

/// Blobs by digest, on disk.
///
/// What has a name here is complete, verified and was on disk before it got the name. Safe to use from many threads and
/// processes at once.
package struct BlobStore: Sendable {
    private let layout: StoreLayout
    private let leases: Leases?

    /// - Parameter leases: where the process notes the blobs it asks for, so that they stay while it runs; `nil` for one
    ///   that only looks.
    package init(_ layout: StoreLayout, leases: Leases? = nil) {
        self.layout = layout
        self.leases = leases
    }

    /// The file of a blob, whether or not it is there.
    package func path(of digest: Digest) -> String { layout.blobs + "/" + digest.hex }

    /// Keeps blobs, whether or not they are there yet, from being collected while the process runs.
    package func hold(_ digests: [Digest]) throws(BuildError) { try leases?.hold(digests.map { .blob($0) }) }

    /// The size of a blob, or `nil` where the store does not have it.
    package func size(of digest: Digest) throws(BuildError) -> ByteCount? {
        try hold([digest])
        let path = path(of: digest)
        do throws(Errno) {
            return ByteCount(try Syscall.status(path).size)
        } catch {
            guard error != .noSuchFileOrDirectory else { return nil }
            throw .fileSystem("read", path, error)
        }
    }

    /// Whether the store has the blob with this size. One of another size is damaged and counts as missing.
    package func has(_ digest: Digest, size: ByteCount) throws(BuildError) -> Bool {
        try self.size(of: digest) == size
    }

    /// Opens a blob for reading.
    ///
    /// - Throws: `blob-missing`, `file-system`.
    package func open(_ digest: Digest) throws(BuildError) -> OwnedDescriptor {
        try hold([digest])
        let path = path(of: digest)
        do throws(Errno) {
            return try Syscall.open(path, [.readOnly])
        } catch {
            throw error == .noSuchFileOrDirectory ? .blobMissing(digest, path) : .fileSystem("open", path, error)
        }
    }

    /// The bytes of a small blob: a manifest, a configuration.
    ///
    /// - Throws: `blob-missing`; `blob-mismatch` where the bytes do not have the digest; `file-system` also for one of
    ///   more than `limit` bytes.
    package func bytes(of digest: Digest, limit: Int = 16 << 20) throws(BuildError) -> [UInt8] {
        try hold([digest])
        let path = path(of: digest)
        guard let bytes = try FileReading.bytes(ofFileAt: path, limit: limit) else { throw .blobMissing(digest, path) }
        let found = Digest(hashing: bytes)
        guard found == digest else {
            throw .blobMismatch("the blob '\(path)'", expected: "\(digest)", found: "\(found)")
        }
        return bytes
    }

    /// Starts a blob in `scratch`.
    ///
    /// - Parameter isDigested: whether the caller takes the digest itself, and ends with ``BlobWriter/commit(as:)``.
    package func ingest(in scratch: ProcessScratch, isDigested: Bool = false) throws(BuildError) -> BlobWriter {
        try BlobWriter(store: self, temporary: scratch.makePath("ingest"), isDigested: isDigested)
    }

    /// Stores a small blob.
    ///
    /// - Returns: its digest.
    @discardableResult
    package func store(_ bytes: [UInt8], in scratch: ProcessScratch) throws(BuildError) -> Digest {
        let digest = Digest(hashing: bytes)
        if try has(digest, size: ByteCount(bytes.count)) { return digest }
        let writer = try ingest(in: scratch)
        try bytes.withUnsafeBufferPointer { (buffer) throws(BuildError) in
            try writer.write(UnsafeRawBufferPointer(buffer))
        }
        return try writer.commit()
    }

    /// Makes a blob of a finished file, which moves into the store. A file that is not there any more was taken before.
    ///
    /// - Parameter digest: that of its bytes, which the caller has taken.
    package func adopt(_ file: String, as digest: Digest) throws(BuildError) {
        // Before it has its name: nobody may find it without an owner.
        try hold([digest])
        do throws(Errno) {
            let opened = try Syscall.open(file, [.readWrite])
            try opened.withDescriptor { (descriptor) throws(Errno) in
                try Syscall.syncData(descriptor)
                try Syscall.changeMode(descriptor, to: 0o644)
            }
            try opened.close()
            try Syscall.rename(file, to: path(of: digest))
        } catch {
            if error == .noSuchFileOrDirectory, try size(of: digest) != nil { return }
            throw .fileSystem("store blob", path(of: digest), error)
        }
    }
}
