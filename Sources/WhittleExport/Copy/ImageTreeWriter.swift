internal import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI
package import WhittleRegistry
package import WhittleStore

/// Writes an image, whose parts the store has, to where other tools take it, byte for byte.
package struct ImageTreeWriter: Sendable {
    private let blobs: BlobStore

    package init(blobs: BlobStore) { self.blobs = blobs }

    /// Adds the image to the OCI image layout at `directory`, which is made where it is missing.
    ///
    /// - Parameter tag: its name in there; it leaves an image that has it. `nil` for none.
    /// - Throws: `output-destination`, `invalid-layout`, `blob-missing`, `blob-damaged`, `CancellationError`.
    package func write(_ tree: ImageTree, toLayout directory: String, tag: String?) async throws {
        try await LayoutDirectory(path: directory, blobs: blobs).write(
            ImageLayout(of: [try image(tree, tag: tag, names: [])], withDockerManifest: false))
    }

    /// Writes an archive of an OCI image layout.
    ///
    /// - Throws: as ``write(_:toLayout:tag:)``. A file is then as it was before.
    package func write(_ tree: ImageTree, toArchive destination: StreamDestination, tag: String?) async throws {
        try await write(ImageLayout(of: [try image(tree, tag: tag, names: [])], withDockerManifest: false), destination)
    }

    /// Writes an archive that every docker loads; it is an OCI image layout as well.
    ///
    /// - Throws: as ``write(_:toLayout:tag:)``; `docker-needs-image` for what is no single image.
    package func write(
        _ tree: ImageTree, toDockerArchive destination: StreamDestination, names: [ImageReference]
    ) async throws {
        guard !tree.root.descriptor.mediaType.isIndex else { throw BuildError.dockerArchiveOfIndex() }
        try await write(
            ImageLayout(of: [try image(tree, tag: nil, names: names)], withDockerManifest: true), destination)
    }

    private func write(_ layout: ImageLayout, _ destination: StreamDestination) async throws {
        let archive = LayoutArchive(blobs: blobs, verified: [])
        try await BlockingPool.shared.runCancellable { cancellation in
            try OutputFile.write(to: destination) { target in
                try archive.write(layout, to: OutputSink(target, for: destination), cancellation)
            }
        }
    }

    private func image(_ tree: ImageTree, tag: String?, names: [ImageReference]) throws -> ImageLayout.Image {
        var contents: [Digest: ImageLayout.File.Content] = [:]
        for blob in tree.blobs { contents[blob.digest] = .blob(blob.digest, size: blob.size) }
        for document in tree.documents { contents[document.descriptor.digest] = .bytes(document.bytes) }
        var entry = tree.root.descriptor
        for key in [LayerSizeAnnotation.key, ImageNames.nameAnnotation] { entry.annotations[key] = nil }
        entry.annotations[LayoutIndex.tagAnnotation] = tag
        // Of several platforms there is none that docker's file could name, and it is not written.
        let root = tree.documents.last { !$0.descriptor.mediaType.isIndex } ?? tree.root
        let manifest = try? Manifest(parsing: root.bytes, mediaType: root.descriptor.mediaType)
        return ImageLayout.Image(
            entry: entry, names: names, blobs: contents, configuration: manifest?.config.digest ?? entry.digest,
            layers: manifest?.layers.map(\.digest) ?? [])
    }
}

extension BuildError.Code {
    /// Docker's archives hold single images.
    static let dockerArchiveOfIndex = Self(rawValue: "docker-archive-of-index")
}

extension BuildError {
    static func dockerArchiveOfIndex() -> BuildError {
        BuildError(
            .dockerArchiveOfIndex, "a docker archive cannot hold an index of several images",
            hint: "choose one with --platform, or write an oci-archive:")
    }
}
