internal import Synchronization
public import WhittleCore
public import WhittleHTTP
public import WhittleOCI

/// A blob to be pushed.
public struct PushBlob: Sendable {
    /// Digest and size are what the registry is told; the media type is for messages only.
    public let descriptor: Descriptor
    /// Where the blob is known to be. One in another repository of the destination's registry is mounted from there.
    public var origins: [BlobOrigin]
    /// Opens the blob for reading from an offset on.
    ///
    /// Called only when bytes have to be sent, again after a cut; may bring the blob first. What it gives is released after
    /// the exchange, and reads less than the rest only where the blob is damaged.
    public let open: @Sendable (_ offset: Int64) async throws -> ByteSource

    public init(
        _ descriptor: Descriptor, origins: [BlobOrigin] = [],
        open: @escaping @Sendable (_ offset: Int64) async throws -> ByteSource
    ) {
        self.descriptor = descriptor
        self.origins = origins
        self.open = open
    }

    /// A blob that is small by nature: a configuration, the empty object.
    public init(_ bytes: [UInt8], as mediaType: MediaType) {
        self.init(Descriptor(of: bytes, as: mediaType)) { offset in
            let position = Mutex(Int(offset))
            return { buffer in
                position.withLock { position in
                    let count = min(buffer.count, bytes.count - position)
                    buffer.copyBytes(from: bytes[position..<position + count])
                    position += count
                    return count
                }
            }
        }
    }
}

/// A repository in which a blob is known to be.
public struct BlobOrigin: Hashable, Sendable {
    /// As names call it: `docker.io`, `localhost:5000`.
    public let registry: String
    public let repository: String

    public init(registry: String, repository: String) {
        self.registry = registry
        self.repository = repository
    }

    /// The repository of an image.
    public init(_ reference: ImageReference) {
        self.init(registry: reference.registry, repository: reference.repository)
    }
}

/// A manifest or index to be pushed.
public struct PushDocument: Sendable {
    public let bytes: [UInt8]
    /// Media type, digest and size of ``bytes``.
    public let descriptor: Descriptor

    public init(_ bytes: [UInt8], as mediaType: MediaType) {
        self.bytes = bytes
        descriptor = Descriptor(of: bytes, as: mediaType)
    }
}

/// What one push puts into a repository: blobs, and the documents that name them.
public struct PushTree: Sendable {
    /// A blob given twice is pushed once.
    public var blobs: [PushBlob]
    /// Children before the indexes that name them; the last one is what tags stand for.
    public var documents: [PushDocument]

    public init(blobs: [PushBlob] = [], documents: [PushDocument]) {
        self.blobs = blobs
        self.documents = documents
    }
}

/// How a blob came to be in the repository.
public enum PushOutcome: Hashable, Sendable {
    /// It was there.
    case existing
    /// The registry took it from another of its repositories.
    case mounted(from: String)
    case uploaded
}

/// What happens during a push, for a display; called from any thread.
public enum PushEvent: Sendable {
    /// A blob is looked for.
    case started(Descriptor)
    /// So many bytes of a blob are on their way. Falls where an upload begins anew.
    case sent(Descriptor, ByteCount)
    case finished(Descriptor, PushOutcome)
    /// A manifest or index is in the repository, under its digest or a tag.
    case document(Descriptor, tag: String?)
}
