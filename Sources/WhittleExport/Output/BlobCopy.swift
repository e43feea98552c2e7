internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Copies a blob out of the store.
struct BlobCopy: Sendable {
    let blobs: BlobStore
    let digest: Digest
    /// What the blob's descriptor says.
    let size: Int64

    /// Bytes moved at a time: the memory that a copy takes, and how long a cancellation may wait.
    private static let chunk = 1 << 20

    /// Writes the blob to `target` and checks its digest and size on the way.
    ///
    /// - Throws: `blob-missing`, `blob-mismatch`, `output-destination`, `CancellationError`.
    func verified(to target: FileDescriptor, shownAs path: String, _ cancellation: Cancellation) throws {
        try read(cancellation) { chunk in
            do throws(Errno) {
                try Syscall.writeAll(target, chunk)
            } catch {
                throw BuildError.outputFailed(path, error)
            }
        }
    }

    /// Hands the blob's bytes to `body`, checking its digest and size: an error may come after the last of them.
    func read(_ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let source = try blobs.open(digest)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 4096)
        defer { buffer.deallocate() }
        var hasher = SHA256Hasher()
        var rest = size
        try source.withDescriptor { descriptor in
            while rest > 0 {
                try cancellation.check()
                let count = try describing("read", blobs.path(of: digest)) { () throws(Errno) in
                    try Syscall.read(
                        descriptor,
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(min(rest, 1 << 20)))))
                }
                if count == 0 { break }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                hasher.update(bytes)
                try body(bytes)
                rest -= Int64(count)
            }
        }
        guard rest == 0, hasher.finalize() == digest else {
            throw BuildError.blobDamaged(digest, blobs.path(of: digest))
        }
    }
}
