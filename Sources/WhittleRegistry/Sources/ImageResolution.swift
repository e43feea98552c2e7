internal import WhittleCore
internal import WhittleOCI

/// Walks from what a name stands for, an index or a manifest, to the image of one platform.
struct ImageResolution: Sendable {
    let name: String
    let place: String
    let platform: Platform
    /// Gives a manifest or index with the digest of a descriptor, verified.
    let manifest: @Sendable (Descriptor) async throws -> [UInt8]
    /// Gives a configuration, verified.
    let configuration: @Sendable (Descriptor) async throws -> [UInt8]

    /// Indexes may hold indexes; nobody nests them deeper.
    private static let depthLimit = 4

    /// So many manifests are looked into in all; only indexes that do not say what their entries run on need more than
    /// one or two.
    private static let lookLimit = 64

    /// What a search through an index found.
    private enum Outcome {
        case image(ResolvedImage)
        /// Nothing for the platform; these there are.
        case others([Platform])
    }

    /// The image for the platform.
    ///
    /// - Parameters:
    ///   - root: what the name stands for; its media type is what it came as.
    ///   - bytes: its contents, verified.
    func resolve(_ root: Descriptor, _ bytes: [UInt8]) async throws -> ResolvedImage {
        var looks = 0
        switch try await search(root, bytes, outermost: nil, depth: 0, &looks) {
        case .image(let image): return image
        case .others(let platforms):
            throw BuildError.wrongPlatform(name, wanted: platform, available: Self.unique(platforms))
        }
    }

    private func search(
        _ descriptor: Descriptor, _ bytes: [UInt8], outermost: Descriptor?, depth: Int, _ looks: inout Int
    ) async throws -> Outcome {
        guard try ImageTree.isIndex(descriptor, bytes) else {
            return try await image(descriptor, bytes, index: outermost)
        }
        guard depth < Self.depthLimit else {
            throw BuildError.notAnImage(name, "indexes nested deeper than \(Self.depthLimit) levels")
        }
        let index = try Index(parsing: bytes, mediaType: descriptor.mediaType)
        var others = index.platforms
        for candidate in index.candidates(for: platform) {
            guard candidate.mediaType.isIndex || candidate.mediaType.isManifest else { continue }
            looks += 1
            guard looks <= Self.lookLimit else {
                throw BuildError.notAnImage(name, "none of its first \(Self.lookLimit) manifests is for \(platform)")
            }
            let bytes = try await manifest(candidate)
            let found = try await search(
                candidate, bytes, outermost: outermost ?? descriptor, depth: depth + 1, &looks)
            switch found {
            case .image: return found
            case .others(let platforms): others += platforms
            }
        }
        return .others(others)
    }

    private func image(_ descriptor: Descriptor, _ bytes: [UInt8], index: Descriptor?) async throws -> Outcome {
        let manifest = try Manifest(parsing: bytes, mediaType: descriptor.mediaType)
        guard manifest.config.mediaType.isImageConfiguration else {
            throw BuildError.notAnImage(
                name, "its configuration is of type '\(manifest.config.mediaType.rawValue.prefix(128))'")
        }
        let text = try await self.configuration(manifest.config)
        let configuration = try ImageConfiguration(parsing: text)
        let found = configuration.platform
        // What the index says of an image counts for choosing it; what the image says of itself decides.
        let fits = Index(manifests: [
            Descriptor(mediaType: manifest.mediaType, digest: descriptor.digest, size: 0, platform: found)
        ]).candidates(for: platform)
        guard !fits.isEmpty || descriptor.platform.map({ $0.satisfies(platform) }) ?? false else {
            return .others([found])
        }
        guard manifest.layers.count == configuration.diffIDs.count else {
            throw BuildError.inconsistentImage(
                name, layers: manifest.layers.count, diffIDs: configuration.diffIDs.count)
        }
        var own = Descriptor(mediaType: manifest.mediaType, digest: descriptor.digest, size: Int64(bytes.count))
        own.platform = found
        return .image(
            ResolvedImage(
                name: name, place: place, index: index, descriptor: own, manifest: manifest, manifestBytes: bytes,
                configuration: configuration, configurationBytes: text))
    }

    private static func unique(_ platforms: [Platform]) -> [Platform] {
        var seen: Set<Platform> = []
        return platforms.filter { seen.insert($0).inserted }
    }
}
