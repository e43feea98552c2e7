internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleStore

/// Finds the images of an archive and checks them: every blob is there, and every layer is what the configuration says.
struct ArchiveReader {
    private let files: ArchiveFiles
    private let cancellation: Cancellation
    private let byDigest: [Digest: ArchiveFiles.File]
    /// Of images for several platforms, the one for this platform is wanted; `nil` for all.
    private let platform: Platform?

    /// Longer documents are refused: none of a real image comes near.
    private static let documentLimit: Int64 = 8 << 20
    /// An index of indexes of images is the deepest that any tool writes.
    private static let depthLimit = 3

    init(_ files: ArchiveFiles, _ cancellation: Cancellation, platform: Platform? = nil) {
        self.platform = platform
        self.files = files
        self.cancellation = cancellation
        byDigest = Dictionary(files.files.values.map { ($0.digest, $0) }) { first, _ in first }
    }

    /// All images, in the order of the archive; the same image once, with all of its names.
    ///
    /// - Throws: `not-an-image-archive`, `invalid-image-archive`, `malformed-document`, `invalid-image-reference`.
    func images() throws -> [LoadedImage] {
        let docker = try document("manifest.json").map { try DockerArchiveEntry.list(parsing: $0) }
        if let bytes = try document("index.json") {
            return try layoutImages(Index(parsing: bytes), docker ?? [])
        }
        guard let docker else {
            throw BuildError.notAnImageArchive(
                files.files.isEmpty
                    ? "there is no archive, or an empty one"
                    : "the archive has neither 'index.json' nor 'manifest.json' (it has \(files.files.count) files)")
        }
        return try docker.map { try dockerImage($0) }
    }

    // MARK: OCI layouts

    private func layoutImages(_ index: Index, _ docker: [DockerArchiveEntry]) throws -> [LoadedImage] {
        var images: [LoadedImage] = []
        for entry in index.manifests where !entry.isAttestation {
            let names = try Self.names(of: entry)
            if let known = images.firstIndex(where: { $0.target.digest == entry.digest }) {
                images[known].names += names.filter { !images[known].names.contains($0) }
                continue
            }
            var image = try layoutImage(entry)
            image.names = names
            if names.isEmpty {
                // Tools that write both say the names only in docker's file.
                image.names = docker.first { files[$0.configuration]?.digest == image.id }?.names ?? []
            }
            images.append(image)
        }
        guard !images.isEmpty else { throw BuildError.notAnImageArchive("the archive's 'index.json' lists no image") }
        return images
    }

    private func layoutImage(_ entry: Descriptor) throws -> LoadedImage {
        var files: [ArchiveFiles.File] = []
        let images = try manifests(below: entry, depth: 0, &files)
        guard let chosen = images.first(where: { $0.descriptor.platform?.satisfies(.host) ?? false }) ?? images.first
        else { throw BuildError.invalidImageArchive("the index \(entry.digest) has no image that the archive has") }
        if let platform, entry.mediaType.isIndex {
            let wanted = Index(manifests: images.map(\.descriptor)).candidates(for: platform).first
            guard let wanted else {
                throw BuildError.wrongPlatform(
                    entry.digest.short, wanted: platform, available: images.compactMap(\.descriptor.platform))
            }
            return try layoutImage(wanted)
        }
        var target = entry
        for key in [ImageNames.nameAnnotation, LayoutIndex.tagAnnotation, LayerSizeAnnotation.key] {
            target.annotations[key] = nil
        }
        return LoadedImage(
            target: target, names: [], id: chosen.manifest.config.digest, files: files, documents: [],
            layerSizes: chosen.layerSizes)
    }

    private struct CheckedManifest {
        let descriptor: Descriptor
        let manifest: Manifest
        let layerSizes: [ByteCount]
    }

    /// The images below `descriptor`; of an index, those that the archive has. All of their files are added to `files`.
    private func manifests(
        below descriptor: Descriptor, depth: Int, _ files: inout [ArchiveFiles.File]
    ) throws -> [CheckedManifest] {
        guard depth < Self.depthLimit else { throw BuildError.invalidImageArchive("its indexes nest too deep") }
        let file = try blob(descriptor, of: "the archive's index")
        let bytes = try self.bytes(of: file, descriptor.mediaType.rawValue)
        files.append(file)
        if descriptor.mediaType.isIndex {
            let index = try Index(parsing: bytes, mediaType: descriptor.mediaType)
            return try index.manifests.filter { byDigest[$0.digest] != nil }.flatMap {
                try manifests(below: $0, depth: depth + 1, &files)
            }
        }
        let manifest = try Manifest(parsing: bytes, mediaType: descriptor.mediaType)
        let parts = try ([manifest.config] + manifest.layers).map {
            try blob($0, of: "the manifest \(descriptor.digest)")
        }
        files += parts
        // What is said about an image, and cannot be run, belongs to it and has no layers to check.
        if descriptor.isAttestation { return [] }
        guard manifest.config.mediaType.isImageConfiguration else {
            throw BuildError.invalidImageArchive(
                "the manifest \(descriptor.digest) is none of an image: its configuration has the media type "
                    + "'\(manifest.config.mediaType.rawValue.prefix(100))'")
        }
        let configuration = try ImageConfiguration(parsing: self.bytes(of: parts[0], "image configuration"))
        let sizes = try layerSizes(parts.dropFirst().map { $0 }, configuration)
        return [CheckedManifest(descriptor: descriptor, manifest: manifest, layerSizes: sizes)]
    }

    private func blob(_ descriptor: Descriptor, of owner: String) throws -> ArchiveFiles.File {
        guard let file = byDigest[descriptor.digest] else {
            throw BuildError.invalidImageArchive("it lacks the blob \(descriptor.digest) that \(owner) lists")
        }
        guard file.size == descriptor.size else {
            throw BuildError.invalidImageArchive(
                "the blob \(descriptor.digest) has \(file.size) bytes, and \(owner) says \(descriptor.size)")
        }
        return file
    }

    /// The names that an entry of an index carries: a whole one, or one in the place of a tag that is more than a tag.
    private static func names(of entry: Descriptor) throws -> [ImageReference] {
        if let text = entry.annotations[ImageNames.nameAnnotation] { return [try reference(text)] }
        guard let text = entry.annotations[LayoutIndex.tagAnnotation], text.contains(":") || text.contains("/") else {
            return []
        }
        return [try reference(text)]
    }

    static func reference(_ text: String) throws(BuildError) -> ImageReference {
        do throws(ImageReference.Invalid) { return try ImageReference(parsing: text) } catch {
            throw .invalidImageReference(text, error)
        }
    }

    // MARK: Docker's archives

    /// Docker's archives have no manifest: one is made of their layers as they are.
    private func dockerImage(_ entry: DockerArchiveEntry) throws -> LoadedImage {
        func file(_ name: String, _ what: String) throws -> ArchiveFiles.File {
            guard let file = files[name] else {
                throw BuildError.invalidImageArchive(
                    "it lacks the \(what) '\(BuildError.printable(name))' that 'manifest.json' lists")
            }
            return file
        }
        let configurationFile = try file(entry.configuration, "configuration")
        let bytes = try bytes(of: configurationFile, "image configuration")
        let configuration = try ImageConfiguration(parsing: bytes)
        let layers = try entry.layers.map { try file($0, "layer") }
        let sizes = try layerSizes(layers, configuration)
        let descriptors = try layers.map { layer in
            Descriptor(mediaType: try Self.mediaType(of: layer), digest: layer.digest, size: layer.size)
        }
        let manifest = Manifest(
            config: Descriptor(of: bytes, as: .ociConfiguration), layers: descriptors)
        let document = manifest.encoded()
        var target = Descriptor(of: document, as: manifest.mediaType)
        target.platform = configuration.platform
        return LoadedImage(
            target: target, names: entry.names, id: configurationFile.digest, files: [configurationFile] + layers,
            documents: [document], layerSizes: sizes)
    }

    private static func mediaType(of layer: ArchiveFiles.File) throws -> MediaType {
        let head = try describing("read file", layer.path) { () throws(Errno) in
            try Syscall.open(layer.path, [.readOnly]).withDescriptor { (descriptor) throws(Errno) in
                var head: [UInt8] = [0, 0, 0, 0]
                _ = try head.withUnsafeMutableBufferPointer { (buffer) throws(Errno) in
                    try Syscall.read(descriptor, into: UnsafeMutableRawBufferPointer(buffer))
                }
                return head
            }
        }
        if head.starts(with: [0x1F, 0x8B]) { return .ociLayerGzip }
        return head == [0x28, 0xB5, 0x2F, 0xFD] ? .ociLayerZstd : .ociLayer
    }

    // MARK: Files

    /// The document `name` of the archive, or `nil`.
    private func document(_ name: String) throws -> [UInt8]? { try files[name].map { try bytes(of: $0, name) } }

    private func bytes(of file: ArchiveFiles.File, _ what: String) throws -> [UInt8] {
        guard file.size <= Self.documentLimit else {
            throw BuildError.invalidImageArchive(
                "'\(BuildError.printable(String(what.prefix(100))))' has \(ByteCount(file.size)), and a document may have "
                    + "\(ByteCount(Self.documentLimit))")
        }
        return try FileReading.bytes(ofFileAt: file.path, limit: Int(Self.documentLimit)) ?? []
    }

    /// Decompresses each layer and compares it with what the configuration says.
    ///
    /// - Returns: the uncompressed sizes.
    private func layerSizes(
        _ layers: [ArchiveFiles.File], _ configuration: ImageConfiguration
    ) throws -> [ByteCount] {
        guard layers.count == configuration.diffIDs.count else {
            throw BuildError.invalidImageArchive(
                "an image has \(layers.count) layers, and its configuration lists \(configuration.diffIDs.count)")
        }
        return try zip(layers, configuration.diffIDs).map { layer, diffID in
            var hasher = SHA256Hasher()
            var decompressor = Decompressor { hasher.update($0) }
            try FileReading.chunks(ofFileAt: layer.path) { chunk in
                try cancellation.check()
                try decompressor.feed(chunk)
            }
            try decompressor.finish()
            let found = hasher.finalize()
            guard found == diffID else {
                throw BuildError.invalidImageArchive(
                    "a layer has the digest \(found) when uncompressed, and the configuration says \(diffID)")
            }
            return ByteCount(decompressor.count)
        }
    }
}
