public import WhittleCore
internal import WhittleFileSystem
public import WhittleOCI

/// All outputs of one build, checked against each other and against the disk before any work is done.
public struct OutputPlan: Hashable, Sendable {
    /// In the order given; at least one.
    public let outputs: [ExporterOptions]

    /// Reads the values of `--output` and gives `tags` (the values of `--tag`) to every output that is an image.
    ///
    /// Without any value there is one output into the image store. Empty values are passed over, as in buildx.
    ///
    /// - Parameters:
    ///   - annotations: the values of `--annotation`, for every output that is an image; they win over the output's own.
    ///   - platforms: those that the build asks for; none for the machine's own.
    ///   - makesIndex: whether an image for one platform gets an index too.
    ///   - loadsIntoDocker: whether an output into a running Docker is added, unless there is one.
    ///   - pushes: whether outputs into the store are also pushed; without any, one is added.
    /// - Throws: what ``ExporterOptions/init(parsing:)`` throws; `invalid-annotation` where there is nothing to annotate;
    ///   `invalid-output` for an output that has no room for several platforms.
    public init(
        values: [String], tags: [ImageReference], annotations: ImageAnnotations = ImageAnnotations(),
        platforms: [Platform] = [], makesIndex: Bool = false, loadsIntoDocker: Bool = false, pushes: Bool = false
    ) throws(BuildError) {
        var outputs: [ExporterOptions] = []
        for value in values where !value.isEmpty { outputs.append(try ExporterOptions(parsing: value)) }
        if outputs.isEmpty { outputs.append(.image(ImageStoreOptions())) }
        if pushes {
            if !outputs.contains(where: { $0.image != nil }) { outputs.append(.image(ImageStoreOptions())) }
            outputs = outputs.map { $0.pushing }
        }
        if loadsIntoDocker, !outputs.contains(where: { $0.docker != nil }) {
            outputs.append(.docker(ImageLayoutOptions(destination: .daemon(.standard))))
        }
        self.init(
            outputs: outputs.map { output in
                let output = makesIndex || platforms.count > 1 ? output.multiPlatform() : output
                return output.named(tags).changingFormat { format in
                    if format.usesOCIMediaTypes { format.annotations.merge(annotations) }
                }
            })
        if platforms.count > 1 { try check(platforms) }
        guard annotations == ImageAnnotations() || imageFormats.contains(where: \.usesOCIMediaTypes) else {
            throw .annotationsWithoutImage()
        }
        for format in imageFormats where format.annotations.needIndex && !format.makesIndex {
            let keys = format.annotations.index.keys.sorted() + format.annotations.indexDescriptor.keys.sorted()
            throw .annotationsWithoutIndex(keys[0])
        }
    }

    public init(outputs: [ExporterOptions]) { self.outputs = outputs }

    /// Finds outputs that cannot hold several platforms.
    private func check(_ platforms: [Platform]) throws(BuildError) {
        for output in outputs {
            switch output {
            case .docker(let options): throw .dockerNeedsOnePlatform(platforms, options.destination)
            case .tar(let options) where !options.split.isOn: throw .archiveNeedsDirectories(platforms)
            case .image, .oci, .local, .tar, .cacheOnly: break
            }
        }
    }

    /// Whether an output needs the final root file system as a directory.
    public var needsRootFileSystem: Bool { outputs.contains { $0.needsRootFileSystem } }

    /// How the outputs that are images want them; layers of each form can be prepared while the build runs.
    public var imageFormats: [ImageFormat] { outputs.compactMap(\.imageFormat) }

    /// The outputs that are pushed.
    package var pushes: [ImageStoreOptions] { outputs.compactMap(\.image).filter { $0.push != nil } }

    /// Whether an output goes to a running Docker.
    public var loadsIntoDocker: Bool { outputs.contains { $0.docker != nil } }

    /// The same outputs, with the Docker that listens at `socket`.
    public func reaching(_ socket: DockerSocket) -> OutputPlan {
        OutputPlan(outputs: outputs.map { $0.reaching(socket) })
    }

    /// Whether the build's result goes to standard output, which must then carry nothing else.
    public var usesStandardOutput: Bool { outputs.contains { $0.stream == .standardOutput } }

    /// Finds what would make an output fail only after the build.
    ///
    /// - Parameters:
    ///   - standardOutputIsTerminal: whether file descriptor 1 is a terminal.
    ///   - writesImageID: whether `--iidfile` was given.
    /// - Throws: `output-destination`, `invalid-output`.
    public func check(standardOutputIsTerminal: Bool, writesImageID: Bool) throws(BuildError) {
        var streams = 0
        for output in outputs {
            if output.stream == .standardOutput {
                if standardOutputIsTerminal { throw BuildError.outputToTerminal(output.type) }
                streams += 1
            }
            if case .file(let path) = output.stream { try Self.check(file: path) }
            if let path = output.directory { try Self.check(directory: path) }
            if let docker = output.docker { try DockerDaemon(docker).check() }
            if let image = output.image { try Self.check(image) }
        }
        if writesImageID, let only = outputs.first, outputs.allSatisfy(\.needsRootFileSystem) {
            throw BuildError.imageIDFileNeedsImage(only.type)
        }
        if streams > 1 { throw BuildError.severalOutputsToStandardOutput() }
    }

    /// Finds what would keep a file from being written at `path`.
    ///
    /// - Throws: `output-destination`.
    public static func check(file path: String) throws(BuildError) {
        if let status = try OutputPath(path).status(), status.isDirectory {
            throw BuildError.destinationIsDirectory(path)
        }
        let parent = OutputPath(path).parent
        guard let status = try OutputPath(parent).status() else {
            throw BuildError.destinationParentMissing(path, parent)
        }
        guard status.isDirectory else { throw BuildError.destinationParentIsFile(path, parent) }
    }

    private static func check(_ image: ImageStoreOptions) throws(BuildError) {
        guard let push = image.push else { return }
        guard !image.format.names.isEmpty else { throw BuildError.pushNeedsName() }
        // Whether 'latest' was written cannot be told any more.
        if push.isByDigest, let tagged = image.format.names.first(where: { $0.tag != "latest" }) {
            throw BuildError.tagByDigest(tagged)
        }
    }

    private static func check(directory path: String) throws(BuildError) {
        if let status = try OutputPath(path).status(), !status.isDirectory {
            throw BuildError.destinationIsFile(path)
        }
    }
}

extension ExporterOptions {
    /// Where the output goes, if that is one stream of bytes.
    var stream: StreamDestination? {
        switch self {
        case .oci(let options), .docker(let options):
            if case .archive(let stream) = options.destination { stream } else { nil }
        case .tar(let options): options.destination
        case .image, .local, .cacheOnly: nil
        }
    }

    /// The options of an output into the store.
    var image: ImageStoreOptions? {
        if case .image(let options) = self { options } else { nil }
    }

    /// The output, pushed where it is one into the store.
    var pushing: ExporterOptions {
        guard case .image(var options) = self else { return self }
        options.push = options.push ?? ImagePushOptions()
        return .image(options)
    }

    /// The daemon that the output is sent to, if it is.
    var docker: DockerSocket? {
        guard case .docker(let options) = self, case .daemon(let socket) = options.destination else { return nil }
        return socket
    }

    /// The same output with the daemon at `socket`, if it is sent to one.
    func reaching(_ socket: DockerSocket) -> ExporterOptions {
        guard docker != nil, case .docker(var options) = self else { return self }
        options.destination = .daemon(socket)
        return .docker(options)
    }

    /// The directory that the output is written into, if it is.
    var directory: String? {
        switch self {
        case .oci(let options), .docker(let options):
            if case .directory(let path) = options.destination { path } else { nil }
        case .local(let options): options.directory
        case .image, .tar, .cacheOnly: nil
        }
    }
}
