internal import SystemPackage
public import WhittleCore
internal import WhittleFileSystem
public import WhittleHTTP
public import WhittleOCI

/// An image in a directory in the format of image-spec v1.1, `image-layout.md`.
///
/// Files are opened below the directory only; a link that leads out of it is an error.
public struct OCILayoutSource: ImageTreeSource {
    public let location: OCILayoutLocation
    private let root: RootDirectory

    private static let nameAnnotation = "org.opencontainers.image.ref.name"
    private static let chunkSize = 256 << 10

    /// Opens the layout.
    ///
    /// - Throws: `not-an-oci-layout`, `file-system`.
    public init(_ location: OCILayoutLocation) throws {
        self.location = location
        do throws(BuildError) {
            root = try RootDirectory(location.directory, rule: .contained)
        } catch {
            guard error.isMissingFile else { throw error }
            throw BuildError.notAnOCILayout(location.directory, "there is no such directory")
        }
        guard let marker = try root.bytes(ofFileAt: "oci-layout", limit: 4096) else {
            throw BuildError.notAnOCILayout(location.directory, "it has no file 'oci-layout'")
        }
        let version = (try? JSONValue(parsing: marker))?["imageLayoutVersion"]?.string
        guard version?.hasPrefix("1.") ?? false else {
            throw BuildError.notAnOCILayout(
                location.directory, "its file 'oci-layout' says version \(version.map { "'\($0)'" } ?? "nothing")")
        }
    }

    public var name: String { "\(location)" }

    public func resolve(
        _ platform: Platform, known: KnownDocuments?
    ) async throws -> ResolvedImage {
        // `known` is not asked: reading here is as cheap.
        let source = self
        let root = try await root()
        let resolution = ImageResolution(
            name: name, place: location.directory, platform: platform,
            manifest: { descriptor in
                try await source.document(descriptor, limit: RegistryClient.manifestLimit)
            },
            configuration: { descriptor in
                try await source.document(descriptor, limit: RegistryClient.configurationLimit)
            })
        return try await resolution.resolve(root.descriptor, root.bytes)
    }

    public func root() async throws -> (descriptor: Descriptor, bytes: [UInt8]) {
        let source = self
        return try await BlockingPool.shared.run { try source.selectRoot() }
    }

    public func document(_ descriptor: Descriptor) async throws -> [UInt8] {
        try await document(descriptor, limit: RegistryClient.manifestLimit)
    }

    public func read(_ descriptor: Descriptor, into sink: @escaping ByteSink) async throws {
        let source = self
        try await BlockingPool.shared.runCancellable { cancellation in
            let download = BlobDownload(descriptor, sink: sink)
            let place = "'\(source.location.directory)'"
            try source.stream(descriptor.digest) { bytes in
                try cancellation.check()
                try download.take(bytes, from: place)
            }
            try download.verify(from: place)
        }
    }

    // MARK: Selection

    /// What the location names: an entry of `index.json`, or several of one name as an index of their own.
    private func selectRoot() throws -> (descriptor: Descriptor, bytes: [UInt8]) {
        guard let bytes = try root.bytes(ofFileAt: "index.json", limit: RegistryClient.manifestLimit) else {
            throw BuildError.notAnOCILayout(location.directory, "it has no file 'index.json'")
        }
        let index = try Index(parsing: bytes, mediaType: .ociIndex)
        let found = try select(index)
        if let only = found.first, found.count == 1 {
            return (only, try document(only, limit: RegistryClient.manifestLimit))
        }
        let selected = Index(manifests: found)
        let text = selected.encoded()
        return (Descriptor(of: text, as: .ociIndex), text)
    }

    private func select(_ index: Index) throws -> [Descriptor] {
        let images = index.manifests.filter { !$0.isAttestation }
        if let digest = location.digest {
            if let entry = images.first(where: { $0.digest == digest }) { return [entry] }
            // It may stand in an index of the layout: what is there under that digest is verified as it is read.
            guard let size = try root.status(of: Self.path(of: digest))?.size else {
                throw notFound("with the digest \(digest)", index)
            }
            return [Descriptor(mediaType: MediaType(rawValue: ""), digest: digest, size: size)]
        }
        if let tag = location.tag {
            let found = images.filter { Self.isNamed($0, tag) }
            guard !found.isEmpty else { throw notFound("'\(tag)'", index) }
            return found
        }
        let names = Set(images.map { $0.annotations[Self.nameAnnotation] })
        if names.count == 1 { return images }
        // One image with several names is the one.
        if let first = images.first, images.allSatisfy({ $0.digest == first.digest }) { return [first] }
        let latest = images.filter { Self.isNamed($0, "latest") }
        guard !latest.isEmpty else { throw notFound("'latest'", index) }
        return latest
    }

    /// Tools write a tag alone or a whole reference; containerd's name has an annotation of its own.
    private static func isNamed(_ descriptor: Descriptor, _ tag: String) -> Bool {
        // `app` is short for `docker.io/library/app:latest`; what is no name stands for itself alone.
        let whole = (try? ImageReference(parsing: tag)).map { "\($0)" }
        return [descriptor.annotations[nameAnnotation], descriptor.annotations["io.containerd.image.name"]]
            .compactMap { $0 }.contains { $0 == tag || $0.hasSuffix(":\(tag)") || $0 == whole }
    }

    private func notFound(_ wanted: String, _ index: Index) -> BuildError {
        .notInLayout(
            wanted, location.directory, names: index.manifests.compactMap { $0.annotations[Self.nameAnnotation] })
    }

    // MARK: Files

    private static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    private func document(_ descriptor: Descriptor, limit: Int) async throws -> [UInt8] {
        let source = self
        return try await BlockingPool.shared.run { try source.document(descriptor, limit: limit) }
    }

    private func document(_ descriptor: Descriptor, limit: Int) throws -> [UInt8] {
        guard descriptor.size <= limit else {
            throw BuildError.documentTooLarge("blob \(descriptor.digest.short)", size: descriptor.size, limit: limit)
        }
        guard let bytes = try root.bytes(ofFileAt: Self.path(of: descriptor.digest), limit: limit) else {
            throw BuildError.missingBlob(descriptor.digest, from: "'\(location.directory)'")
        }
        let what = "blob \(descriptor.digest.short)"
        let place = "'\(location.directory)'"
        guard Int64(bytes.count) == descriptor.size else {
            throw BuildError.sizeMismatch(what, from: place, expected: descriptor.size, found: Int64(bytes.count))
        }
        let digest = Digest(hashing: bytes)
        guard digest == descriptor.digest else {
            throw BuildError.digestMismatch(what, from: place, expected: descriptor.digest, found: digest)
        }
        return bytes
    }

    private func stream(_ digest: Digest, into take: (UnsafeRawBufferPointer) throws -> Void) throws {
        let path = Self.path(of: digest)
        guard try root.status(of: path)?.isRegular ?? false else {
            throw BuildError.missingBlob(digest, from: "'\(location.directory)'")
        }
        let file = try root.open(path, [.readOnly, .nonBlocking])
        try file.withDescriptor { descriptor in
            try withUnsafeTemporaryAllocation(byteCount: Self.chunkSize, alignment: 16) { buffer in
                while true {
                    let count = try describing("read file", path) { () throws(Errno) in
                        try Syscall.read(descriptor, into: buffer)
                    }
                    guard count > 0 else { return }
                    try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
        }
    }
}
