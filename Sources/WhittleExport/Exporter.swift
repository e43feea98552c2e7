internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
package import WhittleStore

/// Writes the outputs of a build.
///
/// What is needed for an output (layers in some compression, the root file system as a directory) is asked for when it is
/// known to be needed. Safe to use for several outputs at once.
package struct Exporter: Sendable {
    /// Gives the image for each platform, in the order of the build, with its layers as asked.
    package typealias ImageSource = @Sendable (ImageFormat) async throws -> [ExportImage]
    /// Gives the final root file system for each platform, in the order of the build.
    package typealias TreeSource = @Sendable () async throws -> [ExportTree]

    private let blobs: BlobStore
    private let names: ImageNames
    private let scratch: ProcessScratch
    private let images: ImageSource
    private let rootFileSystems: TreeSource
    private let pusher: ImagePusher?

    /// - Parameter pusher: what pushes; `nil` where no output does.
    package init(
        blobs: BlobStore, names: ImageNames, scratch: ProcessScratch, images: @escaping ImageSource,
        rootFileSystems: @escaping TreeSource, pusher: ImagePusher? = nil
    ) {
        self.blobs = blobs
        self.names = names
        self.scratch = scratch
        self.images = images
        self.rootFileSystems = rootFileSystems
        self.pusher = pusher
    }

    /// Writes one output.
    ///
    /// - Returns: what was written.
    /// - Throws: `output-destination`, `output-conflict`, `invalid-layout`, `blob-missing`, `blob-damaged`, what the
    ///   sources throw, `CancellationError`. A file is then as it was before, a directory may have been written in part,
    ///   and no name points to an image that is not complete.
    package func write(_ output: ExporterOptions) async throws -> ExportedOutput {
        switch output {
        case .cacheOnly: return ExportedOutput(image: nil, size: nil)
        case .image(let options): return try await store(options)
        case .oci(let options): return try await write(options, withDockerManifest: false)
        case .docker(let options): return try await write(options, withDockerManifest: true)
        case .local(let options):
            let exporter = LocalOutput(trees: try await rootFileSystems(), options: options)
            let size = try await BlockingPool.shared.runCancellable { try exporter.write($0) }
            return ExportedOutput(image: nil, size: size)
        case .tar(let options):
            let exporter = TarOutput(trees: try await rootFileSystems(), options: options)
            let size = try await BlockingPool.shared.runCancellable { try exporter.write($0) }
            return ExportedOutput(image: nil, size: size)
        }
    }

    private func store(_ options: ImageStoreOptions) async throws -> ExportedOutput {
        let format = options.format
        let images = try await images(format)
        let documents = ImageDocuments(of: images, format: format)
        if options.stores {
            let exporter = ImageStoreExporter(blobs: blobs, names: names, scratch: scratch)
            try await exporter.write(documents, images, names: options.storedNames(documents.descriptor.digest))
        }
        var output = result(documents, format)
        if let push = options.push {
            guard let pusher else { preconditionFailure("a push without anything to push with") }
            try await pusher.push(PushContents(of: documents), to: options)
            if push.isByDigest { output.image?.nameByDigest() }
        }
        return output
    }

    private func write(_ options: ImageLayoutOptions, withDockerManifest: Bool) async throws -> ExportedOutput {
        let images = try await images(options.format)
        let documents = ImageDocuments(of: images, format: options.format)
        let verified = images.flatMap(\.layers).filter(\.isVerified).map(\.descriptor.digest)
        let archive = LayoutArchive(blobs: blobs, verified: Set(verified))
        switch options.destination {
        case .directory(let path):
            let layout = ImageLayout(of: documents, names: options.format.names, withDockerManifest: false)
            try await LayoutDirectory(path: path, blobs: blobs).write(layout)
        case .archive(let destination):
            let layout = ImageLayout(
                of: documents, names: options.format.names, withDockerManifest: withDockerManifest)
            try await BlockingPool.shared.runCancellable { cancellation in
                try OutputFile.write(to: destination) { target in
                    try archive.write(layout, to: OutputSink(target, for: destination), cancellation)
                }
            }
        case .daemon(let socket):
            let layout = ImageLayout(of: documents, names: options.format.names, withDockerManifest: true)
            try await DockerDaemon(socket).load { try archive.write(layout, to: $0, $1) }
        }
        return result(documents, options.format)
    }

    private func result(_ documents: ImageDocuments, _ format: ImageFormat) -> ExportedOutput {
        let result = ExportResult(
            manifest: documents.descriptor,
            configuration: documents.index == nil ? documents.images[0].configuration.descriptor : nil,
            names: format.names)
        let size = (documents.documents.map(\.descriptor) + documents.layers).reduce(0) { $0 + $1.size }
        return ExportedOutput(image: result, size: ByteCount(size))
    }
}
