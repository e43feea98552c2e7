package import WhittleCore
package import WhittleRegistry

/// The memory of where blobs are: in which repositories of which registries.
package struct KnownOrigins: Sendable {
    /// Where each of the blobs was last seen, latest first. What is not known is missing.
    package var find: @Sendable ([Digest]) throws -> [Digest: [BlobOrigin]]
    /// Notes that blobs are in a repository.
    package var note: @Sendable ([Digest], BlobOrigin) throws -> Void

    package init(
        find: @escaping @Sendable ([Digest]) throws -> [Digest: [BlobOrigin]],
        note: @escaping @Sendable ([Digest], BlobOrigin) throws -> Void
    ) {
        self.find = find
        self.note = note
    }
}
