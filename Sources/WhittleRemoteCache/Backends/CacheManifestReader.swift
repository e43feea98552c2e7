internal import WhittleCore
internal import WhittleOCI

/// Finds caches behind a manifest: one of a cache, an image that carries its own, or an index of such.
struct CacheManifestReader: Sendable {
    /// What messages call the place.
    let place: String
    /// Gives the verified bytes of a manifest or configuration.
    let document: @Sendable (_ descriptor: Descriptor, _ limit: Int) async throws -> [UInt8]

    /// What a registry takes for a manifest (distribution-spec v1.1); one of 60 layers has some 20 kB.
    static let manifestLimit = 4 << 20
    /// Images of more platforms than there are.
    private static let imageLimit = 64

    /// - Throws: `cache-not-found` where no manifest is one of a cache; `malformed-cache`, `malformed-document`.
    func documents(of descriptor: Descriptor, _ bytes: [UInt8]) async throws -> [CacheDocument] {
        let found = try await search(descriptor, bytes, depth: 0)
        guard !found.isEmpty else {
            throw BuildError.cacheNotFound(
                "a cache", in: place,
                hint: "an image carries one if it was built with '--cache-to type=inline'")
        }
        return found
    }

    private func search(_ descriptor: Descriptor, _ bytes: [UInt8], depth: Int) async throws -> [CacheDocument] {
        if let parts = try CacheDocument.parts(ofManifest: bytes, mediaType: descriptor.mediaType) {
            let config = try await document(parts.config, CacheConfig.sizeLimit)
            return [try CacheDocument(config: config, layers: parts.layers)]
        }
        if let index = try? Index(parsing: bytes, mediaType: descriptor.mediaType) {
            // An index may name another one; deeper than that nobody nests them.
            guard depth < 2 else { return [] }
            var found: [CacheDocument] = []
            for entry in index.manifests.prefix(Self.imageLimit) where !entry.isAttestation {
                found += try await search(entry, try await document(entry, Self.manifestLimit), depth: depth + 1)
            }
            return found
        }
        let manifest = try Manifest(parsing: bytes, mediaType: descriptor.mediaType)
        guard manifest.config.mediaType.isImageConfiguration else { return [] }
        let configuration = try await document(manifest.config, CacheConfig.sizeLimit)
        return try CacheDocument(inlineIn: configuration, layers: manifest.layers).map { [$0] } ?? []
    }
}
