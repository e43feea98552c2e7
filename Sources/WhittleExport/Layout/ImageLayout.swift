internal import WhittleCore
internal import WhittleOCI
internal import WhittleStore

/// The files of an OCI image layout that holds images, each under any number of names.
///
/// Format: image-spec v1.1, `image-layout.md`. With `manifest.json` it is also what `docker load`, skopeo's
/// `docker-archive:` and podman read (Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset
/// Format"; `Config` and `Layers` are paths in the archive, so they can point at the layout's blobs).
struct ImageLayout: Sendable {
    /// One regular file.
    struct File: Sendable {
        enum Content: Sendable {
            case bytes([UInt8])
            /// A blob of the store.
            case blob(Digest, size: Int64)
        }

        /// From the root of the layout.
        let path: String
        let mode: UInt16
        let content: Content

        var size: Int64 {
            switch content {
            case .bytes(let bytes): Int64(bytes.count)
            case .blob(_, let size): size
            }
        }
    }

    /// One of the images of a layout.
    struct Image: Sendable {
        /// As it stands in the index, without a name.
        var entry: Descriptor
        var names: [ImageReference]
        /// Everything that the image consists of, manifests included.
        var blobs: [Digest: File.Content]
        /// What `manifest.json` says: the configuration, and the layers, lowest first.
        var configuration: Digest
        var layers: [Digest]
    }

    /// The blobs, sorted by path, each once.
    let blobs: [File]
    /// The entries of the index: one for each name, or one without a name.
    let entries: [Descriptor]
    /// `manifest.json`, for docker.
    let dockerManifest: [UInt8]?

    static let directories = ["blobs", "blobs/sha256"]
    static let marker = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)

    init(of images: [Image], withDockerManifest: Bool) {
        var contents: [Digest: File.Content] = [:]
        for image in images { contents.merge(image.blobs) { first, _ in first } }
        blobs = contents.sorted { $0.key < $1.key }
            .map { File(path: Self.path(of: $0.key), mode: 0o444, content: $0.value) }
        entries = images.flatMap { Self.entries($0.entry, $0.names) }
        dockerManifest = withDockerManifest ? Self.dockerManifest(images) : nil
    }

    init(of documents: ImageDocuments, names: [ImageReference], withDockerManifest: Bool) {
        var contents: [Digest: File.Content] = [:]
        for layer in documents.layers { contents[layer.digest] = .blob(layer.digest, size: layer.size) }
        for document in documents.documents { contents[document.descriptor.digest] = .bytes(document.bytes) }
        // Docker's manifest knows one platform; what has several is not written with one.
        let first = documents.images[0]
        let image = Image(
            entry: documents.descriptor, names: names, blobs: contents,
            configuration: first.configuration.descriptor.digest, layers: first.layers.map { $0.digest })
        self.init(of: [image], withDockerManifest: withDockerManifest)
    }

    /// Where a blob is in the layout.
    static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    /// All files of a layout of its own, sorted by path.
    var files: [File] {
        var files = blobs
        files.append(File(path: "index.json", mode: 0o644, content: .bytes(Index(manifests: entries).encoded())))
        if let dockerManifest {
            files.append(File(path: "manifest.json", mode: 0o644, content: .bytes(dockerManifest)))
        }
        files.append(File(path: "oci-layout", mode: 0o444, content: .bytes(Self.marker)))
        return files
    }

    /// The annotation for the tag alone says too little, so containerd's holds the whole name.
    private static func entries(_ manifest: Descriptor, _ names: [ImageReference]) -> [Descriptor] {
        guard !names.isEmpty else { return [manifest] }
        return names.map { name in
            var entry = manifest
            entry.annotations[ImageNames.nameAnnotation] = name.description
            entry.annotations[LayoutIndex.tagAnnotation] = name.tag
            return entry
        }
    }

    private static func dockerManifest(_ images: [Image]) -> [UInt8] {
        JSONValue.array(
            images.map { image in
                [
                    "Config": .string(path(of: image.configuration)),
                    "RepoTags": .array(image.names.map { .string($0.familiarName) }),
                    "Layers": .array(image.layers.map { .string(path(of: $0)) }),
                ]
            }
        ).encoded()
    }
}
