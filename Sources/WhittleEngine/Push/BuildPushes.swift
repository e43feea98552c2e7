package import WhittleCache
internal import WhittleCore
package import WhittleExport
internal import WhittleGraph
internal import WhittleRegistry

/// The pushes of one build: whether they can succeed is found out while the first steps run.
struct BuildPushes: Sendable {
    let pusher: ImagePusher
    private let outputs: [ImageStoreOptions]
    private let progress: PushProgress

    /// - Returns: `nil` where no target is pushed.
    init?(
        _ targets: [BuildTarget], store: BuildStore, client: @escaping @Sendable () throws -> RegistryClient,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        outputs = targets.flatMap(\.outputs.pushes)
        guard !outputs.isEmpty else { return nil }
        let progress = PushProgress(report: report)
        self.progress = progress
        pusher = ImagePusher(
            client: client, blobs: store.blobs, origins: KnownOrigins(store.database), report: progress.handle)
    }

    /// Runs `body`, which makes and pushes the images, and asks the registries meanwhile whether they will take them.
    ///
    /// - Throws: what `body` throws, or at once what a registry says against it; `body` is then cancelled and has ended.
    func checking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        do {
            let value = try await withThrowingTaskGroup(of: Value?.self) { group in
                group.addTask {
                    try await pusher.check(outputs)
                    return nil
                }
                group.addTask { try await body() }
                var value: Value?
                while let next = try await group.next() { value = next ?? value }
                guard let value else { preconditionFailure("a build without a result") }
                return value
            }
            await end()
            return value
        } catch {
            await end()
            throw error
        }
    }

    private func end() async {
        await pusher.end()
        progress.end()
    }
}

extension KnownOrigins {
    /// What a store remembers.
    package init(_ database: CacheDatabase) {
        self.init(
            find: { digests in
                try database.origins(of: digests).mapValues { records in
                    records.map { BlobOrigin(registry: $0.registry, repository: $0.repository) }
                }
            },
            note: { digests, origin in
                try database.note(
                    digests, in: OriginRecord(registry: origin.registry, repository: origin.repository))
            })
    }
}
