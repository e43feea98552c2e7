internal import Synchronization
internal import WhittleArchive
internal import WhittleCache
package import WhittleCore
internal import WhittleFileSystem
package import WhittleFrontend
package import WhittleGraph
package import WhittleOCI
package import WhittleRegistry
internal import WhittleSnapshot
internal import WhittleSolver
internal import WhittleStore

/// Finds base images, and brings their layers into the store when a step needs them.
///
/// Images are looked for in the store by name (what `whittle build -t` made), then in registries. What a tag means is asked
/// once in each build; manifests and configurations that the store has are not fetched again.
package final class ImagePuller: ImageResolver {
    private let store: BuildStore
    /// The client of the build.
    let client: @Sendable () throws -> RegistryClient
    /// What a layer or an archive may unpack to.
    let layerLimit: ByteCount?
    private let report: @Sendable (StepEvent) -> Void
    private let found = Mutex<[Digest: Found]>([:])
    /// What names meant when they were looked up in this build.
    private let resolved = Mutex<[Question: Task<BaseImage, any Error>]>([:])

    private struct Question: Hashable {
        let name: String
        let asksRegistry: Bool
        let platform: Platform
    }

    private struct Found: Sendable {
        let image: ResolvedImage
        let source: any WhittleRegistry.ImageSource
    }

    /// How many layers of an image are fetched at once.
    static let transferLimit = 4

    /// - Parameters:
    ///   - client: makes the registry client; called when an image is first looked for in a registry.
    ///   - layerLimit: see ``BuildRequest/layerLimit``.
    package init(
        store: BuildStore, layerLimit: ByteCount? = nil,
        settings: @escaping @Sendable () throws -> RegistrySettings,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.store = store
        self.layerLimit = layerLimit
        self.report = report
        let made = Mutex<RegistryClient?>(nil)
        client = {
            try made.withLock { made in
                if let made { return made }
                let client = RegistryClient(settings: try settings())
                made = client
                return client
            }
        }
    }

    package func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage {
        try await resolve(reference, platform: platform, TargetResolver.Mode())
    }

    package func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage {
        try await resolve(layout, platform: platform, TargetResolver.Mode())
    }

    /// What resolves the names of one target.
    ///
    /// - Parameters:
    ///   - ignoresStoreNames: asks the registry even for names that the store has (`--pull`).
    ///   - showsPlatforms: steps say for which platform they are.
    func resolver(
        ignoringStoreNames ignoresStoreNames: Bool, showingPlatforms showsPlatforms: Bool
    ) -> any ImageResolver {
        TargetResolver(
            images: self,
            mode: TargetResolver.Mode(ignoresStoreNames: ignoresStoreNames, showsPlatforms: showsPlatforms))
    }

    fileprivate func resolve(
        _ reference: ImageReference, platform: Platform, _ mode: TargetResolver.Mode
    ) async throws -> BaseImage {
        if !mode.ignoresStoreNames, let descriptor = try store.names.descriptor(of: reference) {
            let location = OCILayoutLocation(directory: store.layout.root, digest: descriptor.digest)
            return try await resolve(OCILayoutSource(location), named: "\(reference)", platform, mode)
        }
        return try await resolve(
            client().source(for: reference), named: "\(reference)", platform, mode,
            asksRegistry: mode.ignoresStoreNames)
    }

    fileprivate func resolve(
        _ layout: LayoutReference, platform: Platform, _ mode: TargetResolver.Mode
    ) async throws -> BaseImage {
        let location = OCILayoutLocation(directory: layout.path, tag: layout.tag, digest: layout.digest)
        return try await resolve(OCILayoutSource(location), named: "\(layout)", platform, mode)
    }

    private func resolve(
        _ source: any WhittleRegistry.ImageSource, named name: String, _ platform: Platform,
        _ mode: TargetResolver.Mode, asksRegistry: Bool = false
    ) async throws -> BaseImage {
        let question = Question(name: name, asksRegistry: asksRegistry, platform: platform)
        // Several targets and platforms may ask at the same time. They are one build, which is cancelled as a whole; each of
        // them awaits the task, and cancels it.
        let task = resolved.withLock { resolved in
            if let known = resolved[question] { return known }
            let task = Task { try await self.showing(source, named: name, platform, mode) }
            resolved[question] = task
            return task
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func showing(
        _ source: any WhittleRegistry.ImageSource, named name: String, _ platform: Platform, _ mode: TargetResolver.Mode
    ) async throws -> BaseImage {
        let place = mode.showsPlatforms ? "[\(platform) internal]" : "[internal]"
        let step = Step(internal: "\(place) load metadata for \(name)")
        report(.started(step))
        do {
            let image = try await lookUp(source, named: name, platform)
            report(.finished(step))
            return image
        } catch {
            report(
                error is CancellationError
                    ? .cancelled(step) : .failed(step, message: BuildError.message(of: error)))
            throw error
        }
    }

    private func lookUp(
        _ source: any WhittleRegistry.ImageSource, named name: String, _ platform: Platform
    ) async throws -> BaseImage {
        let blobs = store.blobs
        let image = try await source.resolve(platform) { digest in
            try blobs.size(of: digest) == nil ? nil : blobs.bytes(of: digest)
        }
        // At once, so that no other process takes them away between this moment and their use.
        try blobs.hold(
            [image.descriptor.digest, image.manifest.config.digest] + image.manifest.layers.map(\.digest))
        for bytes in [image.manifestBytes, image.configurationBytes] { try blobs.store(bytes, in: store.scratch) }
        found.withLock { $0[image.descriptor.digest] = Found(image: image, source: source) }
        return BaseImage(
            reference: name, manifestDigest: image.descriptor.digest, configuration: image.configuration)
    }

    /// The image's file system where the store has it already.
    func existing(_ image: WhittleGraph.ImageSource, key: CacheKey) throws -> Outcome<StepResult>? {
        let latest = configuration(of: image)?.created.map { Timestamp(seconds: $0.seconds) } ?? Timestamp(seconds: 0)
        guard let chainID = image.chainID else {
            return Outcome(identity: key.digest, value: .snapshot(nil, latestInput: latest))
        }
        let id = SnapshotID(chainID: chainID)
        guard try store.snapshots.exists(id) else { return nil }
        return Outcome(identity: key.digest, value: .snapshot(id, latestInput: latest))
    }

    private func configuration(of image: WhittleGraph.ImageSource) -> ImageConfiguration? {
        found.withLock { $0[image.manifestDigest] }?.image.configuration
    }

    /// Fetches and unpacks the layers that the store does not have.
    func pull(
        _ source: WhittleGraph.ImageSource, for vertex: Vertex, _ report: @escaping @Sendable (StepEvent) -> Void
    ) async throws -> StepResult {
        guard let found = found.withLock({ $0[source.manifestDigest] }) else {
            preconditionFailure("an image that was never resolved")
        }
        let layers = try Self.layers(of: found.image)
        let fetch = LayerFetch(
            store: store, source: found.source, step: Step(vertex), limit: layerLimit, report: report)
        do {
            try await fetch.bring(layers, atOnce: Self.transferLimit)
        } catch let error as BuildError {
            throw error.located(at: vertex.metadata.location)
        }
        try noteOrigins(of: source)
        let latest = found.image.configuration.created ?? Timestamp(seconds: 0)
        return .snapshot(
            layers.last.map { SnapshotID(chainID: $0.chainID) }, latestInput: Timestamp(seconds: latest.seconds))
    }

    /// Makes sure that the blob of a base image's layer is in the store, for an output that needs it.
    func bringBlob(of snapshot: SnapshotID, from images: [BaseImage]) async throws -> LayerRecord? {
        for image in images {
            guard let found = found.withLock({ $0[image.manifestDigest] }),
                let layer = try Self.layers(of: found.image).first(where: {
                    SnapshotID(chainID: $0.chainID) == snapshot
                })
            else { continue }
            let fetch = LayerFetch(
                store: store, source: found.source, step: Step(internal: "fetching \(layer.descriptor.digest)"),
                limit: layerLimit, report: { _ in })
            return try await fetch.fetchBlob(layer)
        }
        return nil
    }

    /// The layers of an image that was resolved.
    func layers(of image: WhittleGraph.ImageSource) throws -> [BaseLayer] {
        try found.withLock({ $0[image.manifestDigest] }).map { try Self.layers(of: $0.image) } ?? []
    }

    /// Makes sure that the blob of a layer of an image that was resolved is in the store.
    func bring(_ layer: BaseLayer, of image: WhittleGraph.ImageSource) async throws {
        guard let found = found.withLock({ $0[image.manifestDigest] }) else { return }
        let fetch = LayerFetch(
            store: store, source: found.source, step: Step(internal: "fetching \(layer.descriptor.digest)"),
            limit: layerLimit, report: { _ in })
        _ = try await fetch.fetchBlob(layer)
    }

    /// Remembers in which repositories the layers of an image are.
    func noteOrigins(of image: WhittleGraph.ImageSource) throws {
        guard let found = found.withLock({ $0[image.manifestDigest] }),
            let source = found.source as? RegistryImageSource
        else { return }
        var origins = [OriginRecord(registry: source.reference.registry, repository: source.reference.repository)]
        // A mirror, or where the configuration leads.
        if let slash = found.image.place.firstIndex(of: "/") {
            let place = OriginRecord(
                registry: String(found.image.place[..<slash]),
                repository: String(found.image.place[slash...].dropFirst()))
            if place != origins[0] { origins.append(place) }
        }
        for origin in origins { try store.database.note(found.image.manifest.layers.map(\.digest), in: origin) }
    }

    static func layers(of image: ResolvedImage) throws -> [BaseLayer] {
        let diffIDs = image.configuration.diffIDs
        guard image.manifest.layers.count == diffIDs.count else {
            throw BuildError.layerCount(image.name, manifest: image.manifest.layers.count, configuration: diffIDs.count)
        }
        return zip(zip(image.manifest.layers, diffIDs), ChainID.each(of: diffIDs)).map {
            BaseLayer(descriptor: $0.0.0, diffID: $0.0.1, chainID: $0.1)
        }
    }
}

/// Resolves the names of one target in its way.
private struct TargetResolver: ImageResolver {
    struct Mode {
        /// What the store has a name for is asked of registries, too.
        var ignoresStoreNames = false
        var showsPlatforms = false
    }

    let images: ImagePuller
    let mode: Mode

    func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage {
        try await images.resolve(reference, platform: platform, mode)
    }

    func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage {
        try await images.resolve(layout, platform: platform, mode)
    }
}

/// A layer of a base image.
struct BaseLayer: Hashable, Sendable {
    let descriptor: Descriptor
    let diffID: Digest
    /// Of this layer and those below it.
    let chainID: Digest
}

extension BuildError.Code {
    /// An image's manifest and configuration disagree about its layers.
    static let layerCount = Self(rawValue: "layer-count")
}

extension BuildError {
    static func layerCount(_ image: String, manifest: Int, configuration: Int) -> BuildError {
        BuildError(
            .layerCount,
            "pulling '\(image)': its manifest has \(manifest) layers, its configuration names \(configuration)",
            hint: "the image is damaged; ask whoever pushed it")
    }

    /// Says which layer it is about; the code stays.
    static func unpackingLayer(_ digest: Digest, _ error: BuildError) -> BuildError {
        guard !error.message.contains(digest.hex) else { return error }
        return BuildError(
            error.code, "bringing in the layer \(digest): \(error.message)", hint: error.hint, cause: error.cause)
    }
}
