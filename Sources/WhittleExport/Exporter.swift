internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleSnapshot
package import WhittleStore

/// Writes the outputs of a build.
package struct Exporter: Sendable {
    private let blobs: BlobStore
    private let names: ImageNames
    private let scratch: ProcessScratch

    package init(blobs: BlobStore, names: ImageNames, scratch: ProcessScratch) {
        self.blobs = blobs
        self.names = names
        self.scratch = scratch
    }

    /// Writes an image: into the store, or as a layout or archive. Every blob of its layers must be in the store.
    ///
    /// - Parameter output: one that is an image (``ExporterOptions/imageFormat``).
    /// - Throws: `output-destination`, `blob-damaged`, `file-system`, `image-index-corrupt`, `CancellationError`. After a
    ///   throw the destination is as before.
    package func write(_ image: ExportImage, as output: ExporterOptions) async throws -> ExportResult {
        guard let format = output.imageFormat else { preconditionFailure("an output that is no image") }
        let documents = ImageDocuments(of: image, format: format)
        switch output {
        case .image:
            try await ImageStoreExporter(blobs: blobs, names: names, scratch: scratch).write(
                documents, layerSizes: image.layers.map { $0.uncompressedSize ?? ByteCount($0.descriptor.size) },
                names: format.names)
        case .oci(let options): try await write(documents, options, withDockerManifest: false)
        case .docker(let options): try await write(documents, options, withDockerManifest: true)
        case .local, .tar, .cacheOnly: preconditionFailure("an output that is no image")
        }
        return ExportResult(
            manifest: documents.manifestDescriptor, configuration: documents.configurationDescriptor,
            names: format.names)
    }

    /// Writes a root file system: into a directory, or as a plain archive.
    ///
    /// - Parameter root: where the file system is mounted, complete.
    /// - Throws: `output-destination`, `output-conflict`, `file-system`, `CancellationError`.
    package func write(rootFileSystem root: String, as output: ExporterOptions) async throws {
        try await BlockingPool.shared.runCancellable { cancellation in
            switch output {
            case .local(let options):
                try LocalTreeExporter(source: root, destination: options.directory).write(cancellation)
            case .tar(let options):
                try OutputFile.write(to: options.destination) { descriptor in
                    let archive = ArchiveOutput(descriptor, shownAs: options.destination.shown)
                    _ = try LayerWriter(changesIn: root).write(cancellation: cancellation) { try archive.write($0) }
                }
            case .image, .oci, .docker, .cacheOnly: preconditionFailure("an output that is no file system")
            }
        }
    }

    private func write(
        _ documents: ImageDocuments, _ options: ImageLayoutOptions, withDockerManifest: Bool
    ) async throws {
        let layout = ImageLayout(of: documents, names: options.format.names, withDockerManifest: withDockerManifest)
        switch options.destination {
        case .archive(let stream):
            let archive = LayoutArchive(blobs: blobs)
            try await BlockingPool.shared.runCancellable { try archive.write(layout, to: stream, $0) }
        case .directory(let path):
            try await LayoutDirectory(path: path, blobs: blobs).write(layout, Cancellation())
        }
    }
}
