public import WhittleCore
public import WhittleOCI

/// One output of a build: what `--output` asks for.
public enum ExporterOptions: Hashable, Sendable {
    /// Into whittle's own image store.
    case image(ImageStoreOptions)
    /// An OCI image layout, as an archive or a directory.
    case oci(ImageLayoutOptions)
    /// What `docker load` reads, as an archive or a directory.
    case docker(ImageLayoutOptions)
    /// The final root file system, into a directory.
    case local(LocalOptions)
    /// The final root file system, as one tar archive.
    case tar(TarOptions)
    /// Nothing: the build only fills the cache.
    case cacheOnly

    /// The value of `type=`.
    public var type: String {
        switch self {
        case .image: "image"
        case .oci: "oci"
        case .docker: "docker"
        case .local: "local"
        case .tar: "tar"
        case .cacheOnly: "cacheonly"
        }
    }

    /// How the image is written; `nil` for outputs that are no image.
    public var imageFormat: ImageFormat? {
        switch self {
        case .image(let options): options.format
        case .oci(let options), .docker(let options): options.format
        case .local, .tar, .cacheOnly: nil
        }
    }

    /// Whether the output needs the final root file system as a directory.
    public var needsRootFileSystem: Bool {
        switch self {
        case .local, .tar: true
        case .image, .oci, .docker, .cacheOnly: false
        }
    }

    /// The output with `tags` in front of its own names; one that is no image stays as it is.
    ///
    /// buildx replaces the names of an output by the tags; here none is lost.
    public func named(_ tags: [ImageReference]) -> ExporterOptions {
        changingFormat { format in
            var seen: Set<ImageReference> = []
            format.names = (tags + format.names).filter { seen.insert($0).inserted }
        }
    }

    /// The output of a build for several platforms, or of one that asks for an index all the same.
    func multiPlatform() -> ExporterOptions {
        switch self {
        case .local(var options):
            options.split.isMultiPlatform = true
            return .local(options)
        case .tar(var options):
            options.split.isMultiPlatform = true
            return .tar(options)
        case .image, .oci, .docker, .cacheOnly: return changingFormat { $0.makesIndex = true }
        }
    }

    /// The output with another format, where it is an image.
    func changingFormat(_ change: (inout ImageFormat) -> Void) -> ExporterOptions {
        switch self {
        case .image(var options):
            change(&options.format)
            return .image(options)
        case .oci(var options):
            change(&options.format)
            return .oci(options)
        case .docker(var options):
            change(&options.format)
            return .docker(options)
        case .local, .tar, .cacheOnly: return self
        }
    }
}

/// Options of the output into whittle's image store and to registries.
public struct ImageStoreOptions: Hashable, Sendable {
    public var format: ImageFormat
    /// Whether the image is kept under its names.
    public var stores = true
    /// Whether each name also stands with the digest behind it.
    public var addsCanonicalNames = false
    /// How the image is pushed to the registries that its names say; `nil` where it is not.
    public var push: ImagePushOptions?

    public init(format: ImageFormat = ImageFormat()) { self.format = format }

    /// The names that the image with this digest gets in the store. One that is pushed by its digest has no tags.
    func storedNames(_ digest: Digest) -> [ImageReference] {
        if push?.isByDigest ?? false { return format.names.map { $0.only(digest) } }
        return format.names + (addsCanonicalNames ? format.names.map { $0.pinned(to: digest) } : [])
    }
}

/// How an image is pushed.
public struct ImagePushOptions: Hashable, Sendable {
    /// Whether the image is only put under its digest, whatever its names.
    public var isByDigest: Bool
    /// Whether plain HTTP and untrusted certificates are allowed, whatever the configuration says.
    public var isInsecure: Bool

    public init(isByDigest: Bool = false, isInsecure: Bool = false) {
        self.isByDigest = isByDigest
        self.isInsecure = isInsecure
    }
}

/// Options of the outputs `oci` and `docker`.
public struct ImageLayoutOptions: Hashable, Sendable {
    public var format: ImageFormat
    public var destination: Destination

    public init(format: ImageFormat = ImageFormat(), destination: Destination) {
        self.format = format
        self.destination = destination
    }

    public enum Destination: Hashable, Sendable {
        case archive(StreamDestination)
        /// `tar=false`: a directory that is made or added to.
        case directory(path: String)
        /// A running Docker: what `type=docker` without a destination means.
        case daemon(DockerSocket)
    }
}

/// Where a Docker daemon listens.
public struct DockerSocket: Hashable, Sendable {
    /// The path of its socket.
    public let path: String

    public init(path: String) { self.path = path }

    /// Where Docker listens unless told otherwise.
    public static let standard = DockerSocket(path: "/var/run/docker.sock")

    /// Reads the value of `$DOCKER_HOST`: `unix://PATH`.
    ///
    /// - Throws: `docker-unreachable` for a daemon that is not on this machine.
    public init(host: String) throws(BuildError) {
        guard host.hasPrefix("unix://"), host.count > "unix://".count else { throw BuildError.dockerHost(host) }
        path = String(host.dropFirst("unix://".count))
    }
}

/// Options of the output into a directory.
public struct LocalOptions: Hashable, Sendable {
    /// Made where it does not exist.
    public var directory: String
    public var split: PlatformSplit

    public init(directory: String, split: PlatformSplit = PlatformSplit()) {
        self.directory = directory
        self.split = split
    }
}

/// Options of the output of the root file system as an archive.
public struct TarOptions: Hashable, Sendable {
    public var destination: StreamDestination
    public var split: PlatformSplit

    public init(destination: StreamDestination, split: PlatformSplit = PlatformSplit()) {
        self.destination = destination
        self.split = split
    }
}

/// Whether the file system of each platform gets a directory of its own: `linux_arm64`.
public struct PlatformSplit: Hashable, Sendable {
    /// `platform-split`; `nil` where it is not given.
    public var isWanted: Bool?
    /// Whether the build asks for several platforms, or for an index all the same.
    public var isMultiPlatform = false

    public init(_ isWanted: Bool? = nil) { self.isWanted = isWanted }

    var isOn: Bool { isWanted ?? isMultiPlatform }
}

/// Where an output that is one stream of bytes goes.
public enum StreamDestination: Hashable, Sendable {
    case standardOutput
    case file(path: String)
}

/// How an image is written, whatever it is written to.
public struct ImageFormat: Hashable, Sendable {
    /// The names of the image, each with a tag and without a digest.
    public var names: [ImageReference]
    public var compression: LayerCompression
    /// `false` writes Docker's media types for registries and programs from before OCI.
    public var usesOCIMediaTypes: Bool
    public var annotations: ImageAnnotations
    /// Whether times in the layers that are later than the build's epoch become the epoch; base images stay as they are.
    public var rewritesTimes: Bool
    /// Whether an index stands around the manifest, although the image has one platform.
    public var makesIndex = false
    /// Whether manifests of attestations are OCI artifacts; `false` for registries that take none.
    public var usesArtifacts = true

    public init(
        names: [ImageReference] = [], compression: LayerCompression = LayerCompression(),
        usesOCIMediaTypes: Bool = true, annotations: ImageAnnotations = ImageAnnotations(), rewritesTimes: Bool = false
    ) {
        self.names = names
        self.compression = compression
        self.usesOCIMediaTypes = usesOCIMediaTypes
        self.annotations = annotations
        self.rewritesTimes = rewritesTimes
    }
}

/// How layers are compressed.
public struct LayerCompression: Hashable, Sendable {
    public var algorithm: MediaType.Compression
    /// 0…9 for gzip, 0…22 for zstd; `nil` for whittle's default.
    public var level: Int?
    /// Whether layers that exist already (those of the base image) are compressed anew where they are not as asked.
    public var isForced: Bool

    public init(_ algorithm: MediaType.Compression = .gzip, level: Int? = nil, isForced: Bool = false) {
        self.algorithm = algorithm
        self.level = level
        self.isForced = isForced
    }
}
