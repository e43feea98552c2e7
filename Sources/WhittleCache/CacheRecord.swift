package import WhittleCore

/// That a step was done: what went into it, and where its result is.
package struct CacheRecord: Hashable, Sendable {
    /// The digest of the cache key.
    package var key: Digest
    /// What later cache keys know the result by.
    package var identity: Digest
    /// The snapshot that holds the result, or `nil` where the result is an empty file system.
    package var snapshot: String?
    /// The op's own part of the key.
    package var op: Digest
    /// One digest for each input of the step, in order: its identity or the content that was read.
    package var inputs: [Digest]
    /// The step as it was shown when it ran.
    package var name: String
    package var created: Timestamp
    /// The newest of what went in: files of the context, creation times of base images. In whole seconds.
    package var latestInput: Timestamp
    /// How long it took, in nanoseconds.
    package var duration: Int64

    package init(
        key: Digest, identity: Digest, snapshot: String?, op: Digest, inputs: [Digest], name: String,
        created: Timestamp, latestInput: Timestamp, duration: Int64
    ) {
        self.key = key
        self.identity = identity
        self.snapshot = snapshot
        self.op = op
        self.inputs = inputs
        self.name = name
        self.created = created
        self.latestInput = latestInput
        self.duration = duration
    }
}

/// A snapshot's own changes as a blob.
package struct LayerRecord: Hashable, Sendable {
    /// Digest of the blob as stored, compressed or not.
    package var digest: Digest
    /// Digest of the uncompressed tar stream.
    package var diffID: Digest
    /// Size of the blob.
    package var size: ByteCount
    /// Size of the uncompressed tar stream.
    package var uncompressedSize: ByteCount
    package var mediaType: String

    package init(
        digest: Digest, diffID: Digest, size: ByteCount, uncompressedSize: ByteCount, mediaType: String
    ) {
        self.digest = digest
        self.diffID = diffID
        self.size = size
        self.uncompressedSize = uncompressedSize
        self.mediaType = mediaType
    }
}
