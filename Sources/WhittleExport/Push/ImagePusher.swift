internal import Synchronization
internal import WhittleCore
package import WhittleOCI
package import WhittleRegistry
package import WhittleStore

/// Pushes images to the registries that their names say: the pushes of one run of the program.
///
/// A repository's push begins with the first thing that is known to go there, and ends with ``push(_:to:)``. Blobs that were
/// begun earlier are not sent again. Ends with ``end()``.
package final class ImagePusher: Sendable {
    /// What happens to the push into one repository.
    package enum Event: Sendable {
        case push(PushEvent)
        case finished
        case failed(any Error)
    }

    /// A repository, and how it is talked to.
    package struct Place: Hashable, Sendable {
        package let repository: PushDestinations.Repository
        let isInsecure: Bool

        /// `REGISTRY/REPOSITORY`.
        package var name: String { repository.reference.name }

        private struct Key: Hashable {
            let name: String
            let isInsecure: Bool
        }

        fileprivate var key: AnyHashable { Key(name: name, isInsecure: isInsecure) }
    }

    private let client: @Sendable () throws -> RegistryClient
    private let blobs: BlobStore
    private let origins: KnownOrigins
    private let report: @Sendable (Place, Event) -> Void
    private let pushes = Mutex<[AnyHashable: RegistryPush]>([:])

    /// - Parameters:
    ///   - client: asked once.
    ///   - report: receives what happens, from any thread.
    package init(
        client: @escaping @Sendable () throws -> RegistryClient, blobs: BlobStore, origins: KnownOrigins,
        report: @escaping @Sendable (Place, Event) -> Void
    ) {
        let made = Mutex<RegistryClient?>(nil)
        self.client = {
            try made.withLock { made in
                if let made { return made }
                let client = try client()
                made = client
                return client
            }
        }
        self.blobs = blobs
        self.origins = origins
        self.report = report
    }

    /// Where an output goes, one list for each registry.
    private static func places(_ options: ImageStoreOptions) -> [[Place]] {
        guard let push = options.push else { return [] }
        return PushDestinations(options.format.names, isByDigest: push.isByDigest).registries.map { registry in
            registry.map { Place(repository: $0, isInsecure: push.isInsecure) }
        }
    }

    /// Finds out whether all places of these outputs can be reached and may be pushed to, side by side.
    ///
    /// - Throws: as ``RegistryPush/check()``.
    package func check(_ outputs: [ImageStoreOptions]) async throws {
        var seen: Set<AnyHashable> = []
        let places = outputs.flatMap { Self.places($0).flatMap { $0 } }.filter { seen.insert($0.key).inserted }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in places {
                let push = try push(to: place)
                group.addTask { try await push.check() }
            }
            try await group.waitForAll()
        }
    }

    /// Begins to push blobs of an image that is not complete yet. Whether it fails shows in ``push(_:to:)``.
    ///
    /// - Parameter bring: gets one that the store does not have.
    package func begin(
        _ layers: [Descriptor], of output: ImageStoreOptions,
        bring: (@Sendable (Descriptor) async throws -> Void)? = nil
    ) async throws {
        guard !layers.isEmpty else { return }
        let known = try origins.find(layers.map(\.digest))
        // The others of each registry take it from the first.
        for place in Self.places(output).map({ $0[0] }) {
            let push = try push(to: place)
            for layer in layers {
                await push.begin(blob(layer, known[layer.digest] ?? [], bring))
            }
        }
    }

    /// Pushes an image to all places that an output names.
    ///
    /// - Parameter bring: gets a layer that the store does not have, where it has to be sent.
    /// - Throws: as ``RegistryPush/push(_:tags:)``; `blob-missing`, `blob-damaged`.
    package func push(
        _ contents: PushContents, to output: ImageStoreOptions,
        bring: (@Sendable (Descriptor) async throws -> Void)? = nil
    ) async throws {
        let digests = contents.blobs.map(\.digest)
        let known = try origins.find(digests)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for places in Self.places(output) {
                group.addTask {
                    var earlier: [BlobOrigin] = []
                    for place in places {
                        let blobs = contents.blobs.map { layer in
                            self.blob(layer, earlier + (known[layer.digest] ?? []), bring)
                        }
                        let small = contents.small.map { document in
                            var blob = PushBlob(document.bytes, as: document.descriptor.mediaType)
                            blob.origins = earlier
                            return blob
                        }
                        try await self.push(contents.documents, blobs + small, to: place)
                        let origin = BlobOrigin(place.repository.reference)
                        try self.origins.note(digests, origin)
                        earlier.append(origin)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func push(_ documents: [ImageDocument], _ blobs: [PushBlob], to place: Place) async throws {
        let documents = documents.map { PushDocument($0.bytes, as: $0.descriptor.mediaType) }
        do {
            try await push(to: place).push(
                PushTree(blobs: blobs, documents: documents), tags: place.repository.tags)
        } catch {
            report(place, .failed(error))
            throw error
        }
        report(place, .finished)
    }

    private func blob(
        _ layer: Descriptor, _ origins: [BlobOrigin], _ bring: (@Sendable (Descriptor) async throws -> Void)?
    ) -> PushBlob {
        guard let bring else { return PushBlob(layer, in: blobs, origins: origins) }
        return PushBlob(layer, in: blobs, origins: origins) { try await bring(layer) }
    }

    /// Stops what nobody waits for any more.
    package func end() async {
        for push in pushes.withLock({ Array($0.values) }) { await push.end() }
    }

    private func push(to place: Place) throws -> RegistryPush {
        let report = report
        return try pushes.withLock { pushes in
            if let known = pushes[place.key] { return known }
            let made = try client().push(
                to: place.repository.reference, isInsecure: place.isInsecure ? true : nil,
                report: { report(place, .push($0)) })
            pushes[place.key] = made
            return made
        }
    }
}
