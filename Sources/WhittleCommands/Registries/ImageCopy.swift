internal import Synchronization
internal import WhittleCore
internal import WhittleExport
internal import WhittleOCI
internal import WhittleRegistry

/// Puts an image, as it came from one place, into another.
struct ImageCopy: Sendable {
    let tree: ImageTree
    /// Gives the blobs of ``tree``.
    let source: any ImageSource
    /// Where the blobs are known to be, for a registry that can take them from there.
    var origins: [BlobOrigin] = []
    /// Hears a line for each blob and document.
    var report: @Sendable (String) -> Void = { _ in }

    /// Writes to `place`.
    ///
    /// To a registry blobs go straight from the source; for everything else they are brought into the store first.
    ///
    /// - Parameters:
    ///   - client: talks to the destination's registry.
    ///   - opened: gives the store.
    func write(
        to place: ImagePlace, client: () throws -> RegistryClient, store opened: () throws -> StoreUse
    ) async throws {
        if case .registry(let reference) = place {
            return try await push(to: reference, client())
        }
        let use = try opened()
        let importer = ImageImporter(blobs: use.blobs, names: use.names, scratch: use.scratch)
        try await importer.bring(tree, from: source) { [report] blob, wasThere in
            report("\(blob.digest.short): \(wasThere ? "in the store" : "copied")")
        }
        let writer = ImageTreeWriter(blobs: use.blobs)
        switch place {
        case .registry: break
        case .store(let reference): try await importer.name(tree, [reference])
        case .layout(let directory, let tag): try await writer.write(tree, toLayout: directory, tag: tag)
        case .archive(let path, let tag): try await writer.write(tree, toArchive: .file(path: path), tag: tag)
        case .dockerArchive(let path, let names):
            try await writer.write(tree, toDockerArchive: .file(path: path), names: names)
        }
        for document in tree.documents { report("\(document.descriptor.digest.short): manifest") }
    }

    private func push(to reference: ImageReference, _ client: RegistryClient) async throws {
        let push = try client.push(to: reference) { [report] event in
            switch event {
            case .started, .sent: break
            case .finished(let blob, .existing): report("\(blob.digest.short): already there")
            case .finished(let blob, .mounted(let origin)): report("\(blob.digest.short): mounted from \(origin)")
            case .finished(let blob, .uploaded): report("\(blob.digest.short): copied")
            case .document(let document, let tag):
                report("\(document.digest.short): manifest\(tag.map { " \($0)" } ?? "")")
            }
        }
        let contents = PushTree(
            blobs: tree.blobs.map { PushBlob($0, from: source, origins: origins) },
            documents: tree.documents.map { PushDocument($0.bytes, as: $0.descriptor.mediaType) })
        if let digest = reference.digest, digest != tree.root.descriptor.digest {
            throw BuildError.otherDigest(reference, found: tree.root.descriptor.digest)
        }
        do {
            try await push.push(contents, tags: [reference.tag].compactMap { $0 })
        } catch {
            await push.end()
            throw error
        }
        await push.end()
    }
}

extension BuildError {
    static func otherDigest(_ reference: ImageReference, found: Digest) -> BuildError {
        BuildError(
            .invalidImagePlace, "cannot copy to '\(reference)': the image has the digest \(found)",
            hint: "leave the digest out, or copy the image that has it")
    }
}
