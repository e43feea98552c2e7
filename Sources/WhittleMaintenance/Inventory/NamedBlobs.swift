package import WhittleCore
package import WhittleOCI
package import WhittleStore

/// What an image consists of: its documents and layers, found by reading from an entry of an index downwards.
package struct NamedBlobs: Sendable {
    private let blobs: BlobStore

    package init(_ blobs: BlobStore) { self.blobs = blobs }

    /// The blobs of the images of `descriptors`.
    ///
    /// - Parameter problem: is told of each document that is missing or damaged; what it would have led to is not found.
    package func reachable(
        from descriptors: [Descriptor], problem: (Descriptor, any Error) -> Void = { _, _ in }
    ) -> Set<Digest> {
        var found: Set<Digest> = []
        var open = descriptors
        while let descriptor = open.popLast() {
            guard found.insert(descriptor.digest).inserted else { continue }
            do { open += try children(of: descriptor) } catch { problem(descriptor, error) }
        }
        return found
    }

    private func children(of descriptor: Descriptor) throws -> [Descriptor] {
        if descriptor.mediaType.isIndex {
            return try Index(parsing: blobs.bytes(of: descriptor.digest), mediaType: descriptor.mediaType).manifests
        }
        guard descriptor.mediaType.isManifest else { return [] }
        let manifest = try Manifest(parsing: blobs.bytes(of: descriptor.digest), mediaType: descriptor.mediaType)
        return [manifest.config] + manifest.layers
    }
}
