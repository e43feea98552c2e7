internal import Synchronization
public import WhittleCore
public import WhittleHTTP
public import WhittleOCI

/// An image in a registry, or in one of its mirrors.
///
/// Places are tried in order; after one had the image, its blobs are asked for there first.
public struct RegistryImageSource: ImageTreeSource {
    private let client: RegistryClient
    /// The image as the user named it.
    public let reference: ImageReference
    /// Where it may be, in the order of trying; never empty.
    public let endpoints: [RegistryEndpoint]
    private let preferred = Preferred()

    /// Where the image was last found.
    private final class Preferred: Sendable {
        let endpoint = Mutex<RegistryEndpoint?>(nil)
    }

    init(client: RegistryClient, reference: ImageReference, endpoints: [RegistryEndpoint]) {
        self.client = client
        self.reference = reference
        self.endpoints = endpoints
    }

    public var name: String { reference.familiarName }

    public func resolve(
        _ platform: Platform, known: KnownDocuments?
    ) async throws -> ResolvedImage {
        try await firstSuccess { endpoint in
            let image = try await resolve(platform, at: endpoint, known)
            preferred.endpoint.withLock { $0 = endpoint }
            return image
        }
    }

    public func root() async throws -> (descriptor: Descriptor, bytes: [UInt8]) {
        try await firstSuccess { endpoint in
            let document = try await client.manifest(endpoint.reference.selector, at: endpoint)
            preferred.endpoint.withLock { $0 = endpoint }
            return (document.descriptor, document.bytes)
        }
    }

    public func document(_ descriptor: Descriptor) async throws -> [UInt8] {
        try await firstSuccess { try await client.manifest(.digest(descriptor.digest), at: $0).bytes }
    }

    /// Where the image was found, once it was.
    public var origin: BlobOrigin? { preferred.endpoint.withLock { $0 }.map { BlobOrigin($0.reference) } }

    public func read(_ descriptor: Descriptor, into sink: @escaping ByteSink) async throws {
        let refusal = SinkRefusal()
        let download = BlobDownload(descriptor) { bytes in
            do {
                try sink(bytes)
            } catch {
                refusal.isSet.store(true, ordering: .relaxed)
                throw error
            }
        }
        try await firstSuccess(
            stoppingIf: { refusal.isSet.load(ordering: .relaxed) || download.isComplete },
            { try await client.fetch(download, at: $0) })
    }

    /// Whether the caller's sink ended a transfer; then no other place is tried.
    private final class SinkRefusal: Sendable {
        let isSet = Atomic(false)
    }

    private func resolve(
        _ platform: Platform, at endpoint: RegistryEndpoint, _ known: KnownDocuments?
    ) async throws -> ResolvedImage {
        let client = client
        /// Gives what the caller has, if it is what it should be.
        @Sendable func verified(_ digest: Digest) throws -> [UInt8]? {
            guard let bytes = try known?(digest), Digest(hashing: bytes) == digest else { return nil }
            return bytes
        }
        let resolution = ImageResolution(
            name: name, place: "\(endpoint)", platform: platform,
            manifest: { descriptor in
                if let bytes = try verified(descriptor.digest) { return bytes }
                return try await client.manifest(.digest(descriptor.digest), at: endpoint).bytes
            },
            configuration: { descriptor in
                if let bytes = try verified(descriptor.digest) { return bytes }
                return try await client.smallBlob(descriptor, at: endpoint)
            })
        let selector = endpoint.reference.selector
        var current: Digest?
        switch selector {
        case .digest(let digest): current = digest
        case .tag(let tag):
            // One exchange more, which saves one only where the caller may have the manifest.
            if known != nil { current = try await client.currentDigest(of: tag, at: endpoint) }
        }
        if let current, let bytes = try verified(current) {
            // The type that it came as is not kept; documents without one of their own tell by their members.
            let type = MediaType(rawValue: "")
            return try await resolution.resolve(
                Descriptor(mediaType: type, digest: current, size: Int64(bytes.count)), bytes)
        }
        let root = try await client.manifest(selector, at: endpoint)
        return try await resolution.resolve(root.descriptor, root.bytes)
    }

    /// Calls `body` with one place after the other until it succeeds.
    ///
    /// - Parameter stoppingIf: asked after a failure; `true` makes it final.
    /// - Throws: `image-not-found` with all places where none has the image; else the failure of the last place that
    ///   failed otherwise, which is the registry itself rather than a mirror.
    private func firstSuccess<Value: Sendable>(
        stoppingIf isFinal: () -> Bool = { false }, _ body: (RegistryEndpoint) async throws -> Value
    ) async throws -> Value {
        var failures: [BuildError] = []
        var ordered = endpoints
        if let first = preferred.endpoint.withLock({ $0 }), let index = ordered.firstIndex(of: first) {
            ordered.insert(ordered.remove(at: index), at: 0)
        }
        for endpoint in ordered {
            do {
                return try await body(endpoint)
            } catch let error as BuildError {
                // These hold wherever the image comes from.
                let isHopeless = [.wrongPlatform, .notAnImage, .curlMissing].contains(error.code)
                if isHopeless || isFinal() { throw error }
                failures.append(error)
            }
        }
        let places = ordered.map { "\($0)" }
        guard let error = failures.last(where: { $0.code != .imageNotFound }) else {
            guard let only = failures.first, failures.count == 1 else {
                throw BuildError.imageNotFound(reference, tried: places)
            }
            throw only
        }
        guard places.count > 1 else { throw error }
        let tried = zip(places, failures).map { $1.code == .imageNotFound ? "\($0) (does not have it)" : $0 }
        let note = "tried in this order: \(tried.joined(separator: ", "))"
        throw BuildError(
            error.code, error.message, hint: [error.hint, note].compactMap { $0 }.joined(separator: "; "),
            at: error.location, cause: error.cause)
    }
}

extension RegistryClient {
    /// The whole of a blob that is small by nature.
    ///
    /// - Throws: `not-an-image` for a larger one.
    func smallBlob(_ descriptor: Descriptor, at endpoint: RegistryEndpoint) async throws -> [UInt8] {
        guard descriptor.size <= Self.configurationLimit else {
            throw BuildError.documentTooLarge(
                "blob \(descriptor.digest.short)", size: descriptor.size, limit: Self.configurationLimit)
        }
        let contents = Contents()
        try await fetch(
            BlobDownload(descriptor) { bytes in contents.bytes.withLock { $0.append(contentsOf: bytes) } },
            at: endpoint)
        return contents.bytes.withLock { $0 }
    }

    private final class Contents: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }
}
