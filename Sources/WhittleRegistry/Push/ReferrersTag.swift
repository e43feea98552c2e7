internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// A document that is about another one, as the other's list of referrers names it.
struct Referrer: Sendable {
    let subject: Digest
    let descriptor: Descriptor

    /// - Returns: `nil` for a document without a `subject`.
    /// - Throws: `malformed-document`.
    init?(_ document: PushDocument) throws {
        var descriptor = document.descriptor
        if descriptor.mediaType.isIndex {
            let index = try Index(parsing: document.bytes, mediaType: descriptor.mediaType)
            guard let subject = index.subject else { return nil }
            self.subject = subject.digest
            descriptor.artifactType = index.artifactType
            descriptor.annotations = index.annotations
        } else {
            let manifest = try Manifest(parsing: document.bytes, mediaType: descriptor.mediaType)
            guard let subject = manifest.subject else { return nil }
            self.subject = subject.digest
            // Without a type of its own the configuration's counts.
            descriptor.artifactType = manifest.artifactType ?? manifest.config.mediaType.rawValue
            descriptor.annotations = manifest.annotations
        }
        self.descriptor = descriptor
    }
}

/// The list of what refers to a manifest, for registries that do not keep it themselves: an index under a tag made from
/// the digest.
///
/// Format: distribution-spec v1.1, "Referrers Tag Schema" and "Pushing Manifests with Subject".
struct ReferrersTag: Sendable {
    let connection: RegistryConnection
    let client: RegistryClient

    /// The list may be changed by another client between reading and writing.
    private static let attempts = 3

    /// Adds `referrer` unless it is there.
    ///
    /// - Throws: as ``ManifestPut``; `registry-failed` where others change the list all the time.
    func add(_ referrer: Referrer) async throws {
        let tag = "sha256-\(referrer.subject.hex)"
        for _ in 0..<Self.attempts {
            var index = try await current(tag) ?? Index(manifests: [])
            if index.manifests.contains(where: { $0.digest == referrer.descriptor.digest }) { return }
            index.manifests.append(referrer.descriptor)
            let document = PushDocument(index.encoded(), as: .ociIndex)
            _ = try await ManifestPut(connection: connection, document: document).run(tag: tag)
            // Another client may have read before this one wrote, and written after it.
            let kept = try await current(tag)
            if kept?.manifests.contains(where: { $0.digest == referrer.descriptor.digest }) ?? false { return }
        }
        throw BuildError.senselessAnswer(
            "\(connection.endpoint)", "the list of referrers '\(tag)' does not keep what is added to it")
    }

    private func current(_ tag: String) async throws -> Index? {
        do {
            let document = try await client.manifest(.tag(tag), at: connection.endpoint)
            return try Index(parsing: document.bytes, mediaType: document.descriptor.mediaType)
        } catch let error as BuildError where error.code == .imageNotFound {
            return nil
        }
    }
}
