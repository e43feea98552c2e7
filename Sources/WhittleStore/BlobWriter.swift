internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem

/// A blob on its way into the store.
///
/// Write, then ``commit(expecting:size:)``; a writer that is released or cancelled before leaves nothing. To be used by
/// one thread at a time.
package final class BlobWriter: Sendable {
    private struct State: ~Copyable {
        var file: OwnedDescriptor?
        /// `nil` where whoever writes knows the digest.
        var hasher: SHA256Hasher?
        var size: Int64 = 0
        /// Where the part starts that the kernel was not yet asked to write back.
        var pending: Int64 = 0
    }

    /// The disk gets to work while the rest of a large blob is still being made; otherwise the sync at the end would wait
    /// for all of it.
    private static let writeBackSize: Int64 = 8 << 20

    private let store: BlobStore
    private let temporary: String
    private let state: Mutex<State>

    init(store: BlobStore, temporary: String, isDigested: Bool) throws(BuildError) {
        self.store = store
        self.temporary = temporary
        do throws(Errno) {
            let file = try Syscall.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o644)
            state = Mutex(State(file: file, hasher: isDigested ? nil : SHA256Hasher()))
        } catch {
            throw .fileSystem("create file", temporary, error)
        }
    }

    deinit { cancel() }

    /// Bytes written so far.
    package var size: ByteCount { state.withLock { ByteCount($0.size) } }

    /// Adds bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(BuildError) {
        try state.withLock { (state) throws(BuildError) in
            guard state.file != nil else { preconditionFailure("a write after the end") }
            state.hasher?.update(bytes)
            state.size += Int64(bytes.count)
            do throws(Errno) {
                try state.file?.withDescriptor { (descriptor) throws(Errno) in
                    try Syscall.writeAll(descriptor, bytes)
                    guard state.size - state.pending >= Self.writeBackSize else { return }
                    // Only a hint: a file system that cannot take it says so at the sync, if it matters.
                    try? Syscall.startWriteBack(descriptor, offset: state.pending, count: state.size - state.pending)
                    state.pending = state.size
                }
            } catch {
                throw .fileSystem("write file", temporary, error)
            }
        }
    }

    /// Puts the blob in its place under its digest. One that is there already is left.
    ///
    /// - Parameters:
    ///   - expected: the digest it must have.
    ///   - size: the size it must have.
    /// - Returns: the digest it has.
    /// - Throws: `blob-mismatch`, `file-system`; then nothing was kept.
    @discardableResult
    package func commit(expecting expected: Digest? = nil, size: ByteCount? = nil) throws(BuildError) -> Digest {
        let digest = try finish(as: nil, expecting: expected, size: size)
        try put(digest)
        return digest
    }

    /// Puts a blob, whose digest was taken while it was made, in its place.
    ///
    /// - Throws: `file-system`; then nothing was kept.
    package func commit(as digest: Digest) throws(BuildError) {
        try put(try finish(as: digest, expecting: nil, size: nil))
    }

    private func put(_ digest: Digest) throws(BuildError) {
        do throws(BuildError) {
            // Before it has its name: nobody may find it without an owner.
            try store.hold([digest])
        } catch {
            // The error that matters is the one that is thrown.
            try? Syscall.unlink(temporary)
            throw error
        }
        do throws(Errno) {
            try Syscall.rename(temporary, to: store.path(of: digest))
        } catch {
            // As above.
            try? Syscall.unlink(temporary)
            throw .fileSystem("store blob", store.path(of: digest), error)
        }
    }

    /// Drops what was written. Does nothing after ``commit(expecting:size:)``.
    package func cancel() {
        let isOpen = state.withLock { state in
            defer { state.file = nil }
            return state.file != nil
        }
        guard isOpen else { return }
        // Left behind, it would go with the process's scratch directory.
        try? Syscall.unlink(temporary)
    }

    /// Checks the whole and brings it to the disk.
    private func finish(
        as known: Digest?, expecting expected: Digest?, size: ByteCount?
    ) throws(BuildError) -> Digest {
        try state.withLock { (state) throws(BuildError) in
            guard let file = state.file.take() else { preconditionFailure("a blob committed twice") }
            do throws(BuildError) {
                guard let digest = state.hasher?.finalize() ?? known else {
                    preconditionFailure("a blob without a digest")
                }
                let found = ByteCount(state.size)
                if let size, found != size {
                    throw .blobMismatch("a blob", expected: "\(size.bytes) bytes", found: "\(found.bytes) bytes")
                }
                if let expected, digest != expected {
                    throw .blobMismatch("a blob", expected: "\(expected)", found: "\(digest)")
                }
                do throws(Errno) {
                    try file.withDescriptor { (descriptor) throws(Errno) in try Syscall.syncData(descriptor) }
                    try file.close()
                } catch {
                    throw .fileSystem("write file", temporary, error)
                }
                return digest
            } catch {
                // The error that matters is the one that is thrown.
                try? Syscall.unlink(temporary)
                throw error
            }
        }
    }
}
