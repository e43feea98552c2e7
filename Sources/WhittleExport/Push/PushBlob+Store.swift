internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI
package import WhittleRegistry
package import WhittleStore

extension PushBlob {
    /// A blob of the store, read from its file when it has to be sent.
    ///
    /// - Parameter bring: gets the blob where the store does not have it.
    package init(
        _ descriptor: Descriptor, in blobs: BlobStore, origins: [BlobOrigin] = [],
        bring: (@Sendable () async throws -> Void)? = nil
    ) {
        self.init(descriptor, origins: origins) { offset in
            let size = ByteCount(descriptor.size)
            if let bring, try !blobs.has(descriptor.digest, size: size) { try await bring() }
            guard try blobs.has(descriptor.digest, size: size) else {
                throw BuildError.blobDamaged(descriptor.digest, blobs.path(of: descriptor.digest))
            }
            let file = try BlobFile(blobs.open(descriptor.digest), at: offset, blobs.path(of: descriptor.digest))
            return { try file.read(into: $0) }
        }
    }
}

/// An open blob, which is closed when it is released.
private final class BlobFile: Sendable {
    private let path: String
    private let file: Mutex<OwnedDescriptor>

    init(_ file: consuming OwnedDescriptor, at offset: Int64, _ path: String) throws(BuildError) {
        try describing("read file", path) { () throws(Errno) in
            try file.withDescriptor { (descriptor) throws(Errno) in try Syscall.seek(descriptor, to: offset) }
        }
        self.path = path
        self.file = Mutex(file)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BuildError) -> Int {
        try describing("read file", path) { () throws(Errno) in
            try file.withLock { (file) throws(Errno) in
                try file.withDescriptor { (descriptor) throws(Errno) in try Syscall.read(descriptor, into: buffer) }
            }
        }
    }
}
