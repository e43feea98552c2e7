internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem
package import WhittleHTTP
package import WhittleOCI
package import WhittleStore

/// A blob on its way into a cache: in the store, or brought there when its bytes are first wanted.
package struct CacheBlob: Sendable {
    package let descriptor: Descriptor
    private let blobs: BlobStore
    private let bring: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - blobs: has the blob once `bring` has returned.
    ///   - bring: called before bytes are read, maybe several times; a place that has the blob already never asks for them.
    package init(
        _ descriptor: Descriptor, in blobs: BlobStore, bring: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.descriptor = descriptor
        self.blobs = blobs
        self.bring = bring
    }

    /// Bytes of the blob.
    package var size: ByteCount { ByteCount(descriptor.size) }

    /// Brings the blob into the store, and gives the file that holds it, which is there as long as the process runs.
    package func file() async throws -> String {
        try await bring()
        return blobs.path(of: descriptor.digest)
    }

    /// What gives the bytes from `offset` on, one part with each call, and 0 at the end. Its calls block.
    ///
    /// - Throws: `blob-missing`, `file-system`; what bringing the blob throws.
    package func open(at offset: Int64 = 0) async throws -> ByteSource {
        try await bring()
        let reader = BlobReader(
            try blobs.open(descriptor.digest), path: blobs.path(of: descriptor.digest), offset: offset)
        return { try reader.read(into: $0) }
    }

    /// Part of the blob, in memory: for places that take it in blocks.
    ///
    /// - Throws: as ``open(at:)``; `file-system` also where the file ends before `range` does.
    package func bytes(in range: Range<Int64>) async throws -> [UInt8] {
        let next = try await open(at: range.lowerBound)
        let path = blobs.path(of: descriptor.digest)
        return try await BlockingPool.shared.run {
            var bytes = [UInt8](repeating: 0, count: range.count)
            try bytes.withUnsafeMutableBytes { buffer in
                var filled = 0
                while filled < buffer.count {
                    let count = try next(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
                    guard count > 0 else { throw BuildError.fileSystem("read file", path, .ioError) }
                    filled += count
                }
            }
            return bytes
        }
    }
}

/// Reads one file from an offset to the end.
private final class BlobReader: Sendable {
    private let state: Mutex<State>
    private let path: String

    private struct State: ~Copyable {
        let file: OwnedDescriptor
        var offset: Int64
    }

    init(_ file: consuming OwnedDescriptor, path: String, offset: Int64) {
        state = Mutex(State(file: file, offset: offset))
        self.path = path
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try state.withLock { state in
            let offset = state.offset
            let count = try describing("read file", path) { () throws(Errno) in
                try state.file.withDescriptor { (descriptor) throws(Errno) in
                    try Syscall.read(descriptor, into: buffer, at: offset)
                }
            }
            state.offset += Int64(count)
            return count
        }
    }
}
