package import WhittleCore
package import WhittleOCI

/// A cache as it lies in one place: what it says, and what the blobs of its layers are.
package struct CacheDocument: Hashable, Sendable {
    package var config: CacheConfig
    /// By the digest of the blob, with ``uncompressedAnnotation``. What a layer without one has is not known, and so it is
    /// of no use.
    package var descriptors: [Digest: Descriptor]

    /// The digest of the uncompressed layer.
    package static let uncompressedAnnotation = "containerd.io/uncompressed"
    /// When the layer was made (RFC 3339).
    package static let createdAnnotation = "buildkit/createdat"

    package init(config: CacheConfig = CacheConfig(), descriptors: [Digest: Descriptor] = [:]) {
        self.config = config
        self.descriptors = descriptors
    }

    /// A layer's descriptor with what a cache says of it.
    package static func descriptor(
        _ digest: Digest, mediaType: MediaType, size: Int64, diffID: Digest, created: Timestamp?
    ) -> Descriptor {
        var annotations = [uncompressedAnnotation: "\(diffID)"]
        if let created { annotations[createdAnnotation] = created.rfc3339 }
        return Descriptor(mediaType: mediaType, digest: digest, size: size, annotations: annotations)
    }
}

// MARK: - Places that keep no descriptors

extension CacheDocument {
    /// Reads a configuration that carries what its blobs are, as GitHub's cache service and S3 keep it.
    ///
    /// - Throws: `malformed-cache`.
    package init(annotated bytes: [UInt8]) throws {
        let root = try CacheConfig.root(of: bytes).config
        config = try CacheConfig(root)
        descriptors = [:]
        for (layer, value) in zip(config.layers, try CacheConfig.elements(root["layers"], "layers")) {
            guard let own = value["annotations"], let type = own["mediaType"]?.string, let size = own["size"]?.integer,
                size >= 0, let diffID = own["diffID"]?.string.flatMap({ try? Digest(parsing: $0) })
            else { continue }
            descriptors[layer.blob] = Self.descriptor(
                layer.blob, mediaType: MediaType(rawValue: type), size: size, diffID: diffID, created: layer.created)
        }
    }

    /// The configuration with what its blobs are.
    package func annotated() -> [UInt8] {
        config.sorted().json { layer in
            guard let descriptor = descriptors[layer.blob],
                let diffID = descriptor.annotations[Self.uncompressedAnnotation]
            else { return nil }
            return [
                "mediaType": .string(descriptor.mediaType.rawValue), "diffID": .string(diffID),
                "size": .integer(descriptor.size),
                "createdAt": .string(
                    (layer.created ?? Timestamp(rfc3339: descriptor.annotations[Self.createdAnnotation] ?? ""))?.rfc3339
                        ?? "0001-01-01T00:00:00Z"),
            ]
        }.encoded(as: .compact)
    }
}

// MARK: - Places that keep manifests

extension MediaType {
    /// The configuration of a cache.
    package static let cacheConfig = MediaType(rawValue: "application/vnd.buildkit.cacheconfig.v0")
}

/// How a cache is written where manifests are kept.
package enum CacheManifestForm: Hashable, Sendable {
    /// An image manifest whose configuration is the cache's: what all registries take.
    case imageManifest
    /// An index, or with Docker's media types a manifest list, of layers and the configuration.
    case index(isDocker: Bool)
}

extension CacheDocument {
    /// The manifest and the configuration that it names.
    package func manifest(_ form: CacheManifestForm) -> (manifest: [UInt8], type: MediaType, config: [UInt8]) {
        let config = config.encoded()
        var seen: Set<Digest> = []
        let layers = self.config.sorted().layers.compactMap { layer in
            seen.insert(layer.blob).inserted ? descriptors[layer.blob] : nil
        }
        let named = Descriptor(of: config, as: .cacheConfig)
        switch form {
        case .imageManifest:
            return (Manifest(config: named, layers: layers).encoded(), .ociManifest, config)
        case .index(let isDocker):
            let type = isDocker ? MediaType.dockerList : .ociIndex
            return (Index(mediaType: type, manifests: layers + [named]).encoded(), type, config)
        }
    }

    /// What a manifest says of the layers of a cache, and where the cache's configuration is; `nil` where the manifest is
    /// of something else.
    ///
    /// - Throws: `malformed-document`, `unsupported-manifest`.
    package static func parts(
        ofManifest bytes: [UInt8], mediaType: MediaType?
    ) throws -> (config: Descriptor, layers: [Descriptor])? {
        if (try? JSONValue(parsing: bytes))?["manifests"] != nil {
            let entries = try Index(parsing: bytes, mediaType: mediaType).manifests
            guard let config = entries.first(where: { $0.mediaType == .cacheConfig }) else { return nil }
            return (config, entries.filter { $0.mediaType != .cacheConfig })
        }
        let manifest = try Manifest(parsing: bytes, mediaType: mediaType)
        guard manifest.config.mediaType == .cacheConfig else { return nil }
        return (manifest.config, manifest.layers)
    }

    /// A cache out of its configuration and the layers that its manifest names.
    ///
    /// - Throws: `malformed-cache`.
    package init(config bytes: [UInt8], layers: [Descriptor]) throws {
        let config = try CacheConfig(parsing: bytes)
        self.init(
            config: config,
            descriptors: Dictionary(layers.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first }))
    }
}
