package import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
package import WhittleStore

/// Writes images of the store into one archive, as `docker save` does.
package struct ImageSaver: Sendable {
    /// The kinds of archives.
    package enum Format: String, CaseIterable, Sendable {
        /// What `docker load` of every version reads; also an OCI layout.
        case docker
        /// An OCI image layout alone.
        case oci
    }

    private let names: ImageNames
    private let blobs: BlobStore
    private let reader: ImageStoreReader

    /// Whether only the image for one platform of each is wanted.
    private let isForOnePlatform: Bool

    /// - Parameter platform: of images for several, the one for this platform alone is written; `nil` for all.
    package init(names: ImageNames, blobs: BlobStore, platform: Platform? = nil) {
        self.names = names
        self.blobs = blobs
        reader = ImageStoreReader(names: names, blobs: blobs, platform: platform)
        isForOnePlatform = platform != nil
    }

    /// Writes the images that `texts` name: a repository without a tag stands for all of its tags, an ID for the image
    /// without a name.
    ///
    /// - Throws: `unknown-image`, `ambiguous-image`, `wrong-platform`, `blob-missing`, `blob-damaged`, `output-destination`,
    ///   `CancellationError`. A file is then as it was before.
    package func save(_ texts: [String], as format: Format, to destination: StreamDestination) async throws {
        let images = try texts.flatMap { try find($0) }
        var merged: [ImageLayout.Image] = []
        for image in images {
            guard let index = merged.firstIndex(where: { $0.entry.digest == image.entry.digest }) else {
                merged.append(image)
                continue
            }
            merged[index].names += image.names.filter { !merged[index].names.contains($0) }
        }
        let layout = ImageLayout(of: merged, withDockerManifest: format == .docker)
        let archive = LayoutArchive(blobs: blobs, verified: [])
        try await BlockingPool.shared.runCancellable { cancellation in
            try OutputFile.write(to: destination) { target in
                try archive.write(layout, to: OutputSink(target, for: destination), cancellation)
            }
        }
    }

    private func find(_ text: String) throws -> [ImageLayout.Image] {
        let entries = try names.entries()
        // What is no name may still be an ID.
        if let name = try? ImageReference(parsing: text), Self.isRepositoryAlone(text) {
            let tags = entries.filter { $0.name.name == name.name && $0.name.tag != nil }
            if !tags.isEmpty { return try tags.map { try contents(of: $0.descriptor, [$0.name]) } }
        }
        if let entry = ImageStoreReader.entry(text, entries) {
            return [try contents(of: entry.descriptor, [entry.name])]
        }
        guard let image = try reader.identified(by: text).first else {
            throw ImageStoreReader.unknown(text, among: entries.map { $0.name })
        }
        return [try contents(of: image.target, [])]
    }

    private static func isRepositoryAlone(_ text: String) -> Bool {
        let last = text.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        return !last.contains(":") && !last.contains("@")
    }

    private func contents(of target: Descriptor, _ names: [ImageReference]) throws -> ImageLayout.Image {
        var contents: [Digest: ImageLayout.File.Content] = [:]
        var entry = isForOnePlatform ? try reader.chosenManifest(target, names.first) : target
        try collect(entry, into: &contents)
        let manifest = try reader.manifest(of: entry)
        for key in [LayerSizeAnnotation.key, ImageNames.nameAnnotation, LayoutIndex.tagAnnotation] {
            entry.annotations[key] = nil
        }
        return ImageLayout.Image(
            entry: entry, names: names, blobs: contents, configuration: manifest.config.digest,
            layers: manifest.layers.map { $0.digest })
    }

    /// Everything that can be reached from `descriptor`; of an index, the manifests that the store has.
    private func collect(_ descriptor: Descriptor, into contents: inout [Digest: ImageLayout.File.Content]) throws {
        guard contents[descriptor.digest] == nil else { return }
        contents[descriptor.digest] = .blob(descriptor.digest, size: descriptor.size)
        if descriptor.mediaType.isIndex {
            let index = try Index(parsing: blobs.bytes(of: descriptor.digest), mediaType: descriptor.mediaType)
            for child in index.manifests where try blobs.has(child.digest, size: ByteCount(child.size)) {
                try collect(child, into: &contents)
            }
        } else if descriptor.mediaType.isManifest {
            let manifest = try Manifest(parsing: blobs.bytes(of: descriptor.digest), mediaType: descriptor.mediaType)
            for part in [manifest.config] + manifest.layers {
                contents[part.digest] = .blob(part.digest, size: part.size)
            }
        }
    }
}
