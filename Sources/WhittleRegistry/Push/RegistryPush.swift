internal import Synchronization
internal import WhittleCore
internal import WhittleHTTP
public import WhittleOCI

/// Pushes into one repository (distribution-spec v1.1, "Push").
///
/// Blobs may be pushed one by one, from many tasks and before the documents that name them exist; each is transferred
/// once, whoever asks for it. A push ends with ``end()``.
///
/// Several pushes of one ``RegistryClient`` share its tokens, connections and number of transfers.
public actor RegistryPush {
    /// The repository, as the registry is asked for it.
    public nonisolated let endpoint: RegistryEndpoint
    private let client: RegistryClient
    private let report: @Sendable (PushEvent) -> Void
    private var connection: RegistryConnection?
    private var hasEnded = false
    private var uploads: [Digest: Task<PushOutcome, any Error>] = [:]
    /// An upload that ``check()`` opened and no blob has used yet.
    private let spare = SpareUpload()

    private final class SpareUpload: Sendable {
        private let place = Mutex<WebAddress?>(nil)
        func keep(_ place: WebAddress?) { self.place.withLock { $0 = place } }
        func take() -> WebAddress? { place.withLock { $0.take() } }
    }

    init(client: RegistryClient, endpoint: RegistryEndpoint, report: @escaping @Sendable (PushEvent) -> Void) {
        self.client = client
        self.endpoint = endpoint
        self.report = report
    }

    /// Finds out whether the registry can be reached and lets this user push, by opening an upload. What is opened is used
    /// for the first blob, or given up by ``end()``.
    ///
    /// - Throws: `registry-unauthorized`, `registry-unreachable`, `registry-untrusted`, `repository-unknown`,
    ///   `push-refused` and the like.
    public func check() async throws {
        let connection = try await connect()
        let request = BlobUpload.beginning(connection, "")
        let (response, complaint) = try await connection.send(
            { request }, actions: "pull,push", receive: { _ in { _ in } })
        guard response.isSuccess else {
            throw BuildError.push("an upload", to: endpoint, status: response.status, complaint)
        }
        spare.keep(response.headers["Location"].flatMap { connection.place($0, from: request.address) })
    }

    /// Sees to it that the repository has `blob`. Asked again for the same blob, gives what came of it, or waits for it.
    ///
    /// Cancelling the caller ends the transfer for all who wait for it.
    ///
    /// - Throws: `registry-unauthorized`, `push-refused`, `digest-mismatch`, `registry-unreachable`, `registry-failed` and
    ///   the like; what opening the blob throws.
    @discardableResult
    public func push(_ blob: PushBlob) async throws -> PushOutcome {
        try await push(blob, isForced: false)
    }

    /// Begins to push a blob that will be needed; does nothing after ``end()``. Whether it fails shows in
    /// ``push(_:)-(PushBlob)``.
    public func begin(_ blob: PushBlob) {
        guard !hasEnded else { return }
        _ = task(for: blob, isForced: false)
    }

    private func task(for blob: PushBlob, isForced: Bool) -> Task<PushOutcome, any Error> {
        if !isForced, let known = uploads[blob.descriptor.digest] { return known }
        // Awaited by `push`, and by `end`.
        let task = Task { try await transfer(blob, isForced: isForced) }
        uploads[blob.descriptor.digest] = task
        return task
    }

    private func push(_ blob: PushBlob, isForced: Bool) async throws -> PushOutcome {
        let task = task(for: blob, isForced: isForced)
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func transfer(_ blob: PushBlob, isForced: Bool) async throws -> PushOutcome {
        let upload = BlobUpload(
            connection: try await connect(), blob: blob, spareUpload: { [spare] in spare.take() }, report: report)
        return try await client.transfers.withSlot { [report] in
            report(.started(blob.descriptor))
            let outcome = try await upload.run(isForced: isForced)
            report(.finished(blob.descriptor, outcome))
            return outcome
        }
    }

    /// Puts a manifest or index, whose parts are there, into the repository.
    ///
    /// One with a `subject` is also found by asking for what refers to it: where the registry does not keep such a list,
    /// it is added to the tag that stands for it (distribution-spec v1.1, "Referrers Tag Schema").
    ///
    /// - Parameter tags: what it is called there; none for its digest alone.
    /// - Throws: `push-refused` with the registry's complaint, `digest-mismatch` where the registry keeps something else;
    ///   ``MissingBlobs`` where it says that it lacks a part; as ``push(_:)-(PushBlob)``.
    public func put(_ document: PushDocument, tags: [String] = []) async throws {
        let connection = try await connect()
        let put = ManifestPut(connection: connection, document: document)
        var knowsSubject = false
        for tag in tags.isEmpty ? [nil] : tags.map({ Optional($0) }) {
            knowsSubject = try await put.run(tag: tag)
            report(.document(document.descriptor, tag: tag))
        }
        guard !knowsSubject, let referrer = try Referrer(document) else { return }
        try await ReferrersTag(connection: connection, client: client).add(referrer)
    }

    /// Pushes blobs side by side, then the documents, the last one under `tags`.
    ///
    /// A registry that does not have a blob after all, though it said so, gets all of that document's once more.
    ///
    /// - Parameter tags: none for the digest alone.
    /// - Throws: as ``push(_:)-(PushBlob)`` and ``put(_:tags:)``.
    public func push(_ tree: PushTree, tags: [String] = []) async throws {
        precondition(!tree.documents.isEmpty, "a push without a document")
        try await push(tree.blobs, isForced: false)
        for (position, document) in tree.documents.enumerated() {
            let names = position == tree.documents.count - 1 ? tags : []
            do {
                try await put(document, tags: names)
            } catch let missing as MissingBlobs {
                let named = Set(try document.parts())
                let again = tree.blobs.filter { named.contains($0.descriptor.digest) }
                guard !again.isEmpty else { throw missing.error }
                try await push(again, isForced: true)
                do { try await put(document, tags: names) } catch let missing as MissingBlobs { throw missing.error }
            }
        }
    }

    private func push(_ blobs: [PushBlob], isForced: Bool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for blob in blobs {
                group.addTask { _ = try await self.push(blob, isForced: isForced) }
            }
            try await group.waitForAll()
        }
    }

    /// Stops what nobody waits for any more, and gives up what was opened in vain.
    public func end() async {
        hasEnded = true
        for task in uploads.values { task.cancel() }
        for task in uploads.values { _ = await task.result }
        uploads = [:]
        guard let place = spare.take(), let connection else { return }
        // In a task of its own: also after a cancellation. Nobody misses an upload that could not be given up; registries
        // drop such after some days.
        await Task {
            _ = try? await connection.attempt(
                { HTTPRequest("DELETE", place, security: connection.security, timeout: .seconds(5)) },
                actions: "pull,push", receive: { _ in { _ in } })
        }.value
    }

    private func connect() async throws -> RegistryConnection {
        if let connection { return connection }
        let made = try await client.connection(to: endpoint)
        connection = made
        return made
    }
}

extension RegistryClient {
    /// A push into the repository of `reference`, whose tag and digest do not count. Mirrors are for reading only.
    ///
    /// Nothing touches the network before something is pushed.
    ///
    /// - Parameters:
    ///   - isInsecure: whether plain HTTP and untrusted certificates are allowed; `nil` leaves it to the configuration.
    ///   - report: receives what happens, from any thread.
    /// - Throws: `registry-blocked`, `malformed-registries-conf`.
    public nonisolated func push(
        to reference: ImageReference, isInsecure: Bool? = nil,
        report: @escaping @Sendable (PushEvent) -> Void = { _ in }
    ) throws -> RegistryPush {
        guard var endpoint = try settings.registries.endpoints(for: reference).last else {
            preconditionFailure("a reference without an endpoint")
        }
        if let isInsecure {
            endpoint = RegistryEndpoint(reference: endpoint.reference, isInsecure: isInsecure, isMirror: false)
        }
        return RegistryPush(client: self, endpoint: endpoint, report: report)
    }
}
