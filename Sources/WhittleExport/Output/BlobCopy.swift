internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Reads a blob of the store from its beginning to its end, in bounded memory.
struct BlobCopy: Sendable {
    let blobs: BlobStore
    let digest: Digest
    /// What the blob's descriptor says.
    let size: Int64

    /// Bytes read at a time: the memory that a copy takes, and how long a cancellation may wait.
    private static let chunk = 1 << 20

    /// Hands the blob's bytes to `body`.
    ///
    /// - Throws: `blob-missing`, `file-system`; `blob-damaged` where it has another length; `CancellationError`; what
    ///   `body` throws.
    func read(_ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let source = try blobs.open(digest)
        let path = blobs.path(of: digest)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 4096)
        defer { buffer.deallocate() }
        var rest = size
        try source.withDescriptor { descriptor in
            while true {
                try cancellation.check()
                let count = try describing("read", path) { () throws(Errno) in
                    try Syscall.read(descriptor, into: buffer)
                }
                if count == 0 { break }
                rest -= Int64(count)
                guard rest >= 0 else { throw BuildError.blobDamaged(digest, path) }
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        guard rest == 0 else { throw BuildError.blobDamaged(digest, path) }
    }

    /// Hands the bytes of a part to `body`, each time with the position in the blob.
    ///
    /// - Throws: as ``read(_:_:)``.
    func read(
        _ range: Range<Int64>, _ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) throws {
        let source = try blobs.open(digest)
        let path = blobs.path(of: digest)
        // Stays in a core's own cache on its way to the target.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk / 4, alignment: 4096)
        defer { buffer.deallocate() }
        try source.withDescriptor { descriptor in
            var position = range.lowerBound
            while position < range.upperBound {
                try cancellation.check()
                let room = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[..<Int(min(Int64(buffer.count), range.upperBound - position))])
                let count = try describing("read", path) { () throws(Errno) in
                    try Syscall.read(descriptor, into: room, at: position)
                }
                guard count > 0 else { throw BuildError.blobDamaged(digest, path) }
                try body(UnsafeRawBufferPointer(rebasing: room[..<count]), position)
                position += Int64(count)
            }
        }
    }

    /// - Throws: `blob-missing`; `blob-damaged` where the blob has another length.
    func checkSize() throws {
        guard let found = try blobs.size(of: digest) else {
            // Says what is missing, and how to get it.
            _ = try blobs.open(digest)
            return
        }
        guard found.bytes == size else { throw BuildError.blobDamaged(digest, blobs.path(of: digest)) }
    }

    /// Reads the blob and compares its digest.
    ///
    /// - Throws: as ``read(_:_:)``.
    func verify(_ cancellation: Cancellation, _ body: (UnsafeRawBufferPointer) throws -> Void = { _ in }) throws {
        var hasher = SHA256Hasher()
        try read(cancellation) { bytes in
            hasher.update(bytes)
            try body(bytes)
        }
        guard hasher.finalize() == digest else { throw BuildError.blobDamaged(digest, blobs.path(of: digest)) }
    }

    /// The size of what the blob is when decompressed.
    ///
    /// - Throws: as ``read(_:_:)``; `malformed-compression`.
    func uncompressedSize(_ cancellation: Cancellation) throws -> ByteCount {
        var decompressor = Decompressor { _ in }
        try read(cancellation) { try decompressor.feed($0) }
        try decompressor.finish()
        return ByteCount(decompressor.count)
    }
}
