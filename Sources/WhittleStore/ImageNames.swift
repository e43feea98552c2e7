package import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI

/// The names of the images in a store: an OCI index whose entries carry names as annotations, so that other tools read
/// the store as an OCI layout.
///
/// Format: image-spec v1.1, `image-index.md`; `org.opencontainers.image.ref.name` holds the tag, `io.containerd.image.name`
/// the whole name. Changes are atomic and take turns between processes.
package struct ImageNames: Sendable {
    /// The annotation that holds a whole, normalised name.
    package static let nameAnnotation = "io.containerd.image.name"
    private static let tagAnnotation = "org.opencontainers.image.ref.name"

    /// A name and the image it stands for.
    package struct Entry: Hashable, Sendable {
        package let name: ImageReference
        package let descriptor: Descriptor
    }

    private let layout: StoreLayout

    package init(_ layout: StoreLayout) { self.layout = layout }

    /// All names, in the order they were given.
    ///
    /// - Throws: `image-index-corrupt`, `file-system`.
    package func entries() throws -> [Entry] {
        try index().manifests.compactMap { descriptor in
            Self.name(of: descriptor).map { Entry(name: $0, descriptor: descriptor) }
        }
    }

    /// The name of an entry; `nil` where it has none, or one that is none.
    private static func name(of descriptor: Descriptor) -> ImageReference? {
        descriptor.annotations[nameAnnotation].flatMap { try? ImageReference(parsing: $0) }
    }

    /// The images that have no name, in the order they came: loaded without one, or put there by another tool.
    ///
    /// - Throws: as ``entries()``.
    package func unnamed() throws -> [Descriptor] {
        try index().manifests.filter { Self.name(of: $0) == nil }
    }

    /// The image that `name` stands for, or `nil`.
    package func descriptor(of name: ImageReference) throws -> Descriptor? {
        try entries().first { $0.name == name }?.descriptor
    }

    /// Every entry of the index, those without a name among them.
    ///
    /// - Throws: `image-index-corrupt`, `file-system`.
    package func descriptors() throws -> [Descriptor] { try index().manifests }

    /// Makes `names` stand for the image of `descriptor`; whatever they stood for before, they leave.
    ///
    /// The names of all blobs are on disk before the image gets its own, so after a crash of the machine no name stands
    /// for blobs that are gone.
    package func set(_ names: [ImageReference], to descriptor: Descriptor) async throws {
        try AtomicFile.syncDirectory(layout.blobs)
        try await change { index in
            let texts = Set(names.map { "\($0)" })
            index.manifests.removeAll { texts.contains($0.annotations[Self.nameAnnotation] ?? "") }
            // An image that gets a name is no longer one without.
            if !names.isEmpty { index.manifests.removeAll { Self.isUnnamed($0, descriptor.digest) } }
            for name in names {
                var named = descriptor
                named.annotations[Self.nameAnnotation] = "\(name)"
                named.annotations[Self.tagAnnotation] = name.tag
                index.manifests.append(named)
            }
        }
    }

    /// Keeps an image that has no name, unless an entry has it already.
    package func keep(_ descriptor: Descriptor) async throws {
        try AtomicFile.syncDirectory(layout.blobs)
        try await change { index in
            guard !index.manifests.contains(where: { $0.digest == descriptor.digest }) else { return }
            index.manifests.append(descriptor)
        }
    }

    /// Takes entries away, named or not. The images stay.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func removeEntries(where isUnwanted: @escaping @Sendable (Descriptor) -> Bool) async throws -> Int {
        try await change { index in
            let before = index.manifests.count
            index.manifests.removeAll(where: isUnwanted)
            return before - index.manifests.count
        }
    }

    /// Takes names away, and the entries without a name of images. The blobs stay.
    ///
    /// - Returns: the names that were there.
    package func remove(
        _ names: Set<ImageReference>, unnamed digests: Set<Digest> = []
    ) async throws -> Set<ImageReference> {
        try await change { index in
            var removed: Set<ImageReference> = []
            index.manifests.removeAll { entry in
                guard let name = Self.name(of: entry) else { return digests.contains(entry.digest) }
                guard names.contains(name) else { return false }
                removed.insert(name)
                return true
            }
            return removed
        }
    }

    private static func isUnnamed(_ entry: Descriptor, _ digest: Digest) -> Bool {
        entry.digest == digest && entry.annotations[nameAnnotation] == nil && entry.annotations[tagAnnotation] == nil
    }

    private func change<Value: Sendable>(_ body: @Sendable (inout Index) throws -> Value) async throws -> Value {
        let lock = try await layout.lock("image-names")
        defer { lock.release() }
        var index = try index()
        let value = try body(&index)
        // Temporary files in a directory that others remove if this process is killed meanwhile.
        let scratch = try ProcessScratch(in: layout)
        do {
            try AtomicFile.write(index.encoded(), to: layout.imageIndex, by: scratch.path)
            // What makes the directory an OCI layout.
            try AtomicFile.write(
                #"{"imageLayoutVersion":"1.0.0"}"#, to: layout.root + "/oci-layout", by: scratch.path, isDurable: false)
        } catch {
            // The error that matters is the one above; the directory is swept later.
            try? scratch.remove()
            throw error
        }
        try scratch.remove()
        return value
    }

    private func index() throws -> Index {
        guard let bytes = try FileReading.bytes(ofFileAt: layout.imageIndex, limit: 64 << 20) else {
            return Index(manifests: [])
        }
        do { return try Index(parsing: bytes) } catch { throw BuildError.imageIndexCorrupt(layout.imageIndex, error) }
    }
}
