public import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// The registry lacks a part of a document.
public struct MissingBlobs: Error, Sendable {
    /// What to say where nothing can be done about it: `push-refused`.
    public let error: BuildError
}

/// Puts one document into one repository.
struct ManifestPut: Sendable {
    let connection: RegistryConnection
    let document: PushDocument

    /// Puts the document under a tag, or under its digest.
    ///
    /// - Returns: whether the registry says that it keeps the list of what refers to the document's subject.
    /// - Throws: ``MissingBlobs``, `push-refused`, `digest-mismatch` and the like.
    func run(tag: String?) async throws -> Bool {
        let digest = document.descriptor.digest
        let name = tag ?? "\(digest)"
        var request = connection.request(
            "PUT", "manifests/\(name)",
            headers: [HTTPHeaders.Field("Content-Type", document.descriptor.mediaType.rawValue)])
        request.body = document.bytes
        let (response, complaint) = try await connection.send(
            { [request] in request }, actions: "pull,push", receive: { _ in { _ in } })
        let what = "the manifest '\(tag ?? digest.short)'"
        guard response.isSuccess else {
            let error = BuildError.push(what, to: connection.endpoint, status: response.status, complaint)
            let unknown: Set<String> = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"]
            guard complaint.codes.isDisjoint(with: unknown) else { throw MissingBlobs(error: error) }
            throw error
        }
        if let text = response.headers["Docker-Content-Digest"], let found = try? Digest(parsing: text) {
            guard found == digest else {
                throw BuildError.registryKeptAnother(
                    what, at: "\(connection.endpoint)", expected: digest, found: found)
            }
        } else {
            try await verify()
        }
        return response.headers["OCI-Subject"] != nil
    }

    /// Asks a registry that did not say what it keeps whether it has the document.
    private func verify() async throws {
        let request = connection.request(
            "HEAD", "manifests/\(document.descriptor.digest)",
            headers: [HTTPHeaders.Field("Accept", document.descriptor.mediaType.rawValue)])
        let (response, _) = try await connection.send(
            { request }, actions: "pull,push", receive: { _ in { _ in } })
        guard response.isSuccess else {
            throw BuildError.senselessAnswer(
                "\(connection.endpoint)",
                "a manifest was accepted, but \(document.descriptor.digest) is not there (status \(response.status))")
        }
    }
}

extension PushDocument {
    /// The digests of what the document names: configuration, layers, manifests.
    func parts() throws -> [Digest] {
        let json = try JSONValue(parsing: bytes)
        let lists = [json["layers"], json["manifests"], json["blobs"]].flatMap { $0?.array ?? [] }
        return ([json["config"]].compactMap { $0 } + lists).compactMap { part in
            part["digest"]?.string.flatMap { try? Digest(parsing: $0) }
        }
    }
}
