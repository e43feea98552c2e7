internal import WhittleCore
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
            // An entry without a name, or with one that is none, was put there by another tool: it is kept and not shown.
            guard let text = descriptor.annotations[Self.nameAnnotation],
                let name = try? ImageReference(parsing: text)
            else { return nil }
            return Entry(name: name, descriptor: descriptor)
        }
    }

    /// The image that `name` stands for, or `nil`.
    package func descriptor(of name: ImageReference) throws -> Descriptor? {
        try entries().first { $0.name == name }?.descriptor
    }

    /// Makes `names` stand for the image of `descriptor`; whatever they stood for before, they leave.
    ///
    /// The names of all blobs are on disk before the image gets its own, so after a crash of the machine no name stands
    /// for blobs that are gone.
    package func set(_ names: [ImageReference], to descriptor: Descriptor) async throws {
        try AtomicFile.syncDirectory(layout.blobs)
        try await change { index in
            let texts = Set(names.map { "\($0)" })
            index.manifests.removeAll { texts.contains($0.annotations[Self.nameAnnotation] ?? "") }
            for name in names {
                var named = descriptor
                named.annotations[Self.nameAnnotation] = "\(name)"
                named.annotations[Self.tagAnnotation] = name.tag
                index.manifests.append(named)
            }
        }
    }

    /// Takes a name away. The image stays.
    ///
    /// - Returns: whether there was one.
    package func remove(_ name: ImageReference) async throws -> Bool {
        try await change { index in
            let before = index.manifests.count
            index.manifests.removeAll { $0.annotations[Self.nameAnnotation] == "\(name)" }
            return index.manifests.count < before
        }
    }

    private func change<Value: Sendable>(_ body: @Sendable (inout Index) throws -> Value) async throws -> Value {
        let lock = try await layout.lock("image-names")
        defer { lock.release() }
        var index = try index()
        let value = try body(&index)
        try AtomicFile.write(index.encoded(), to: layout.imageIndex)
        // What makes the directory an OCI layout.
        try AtomicFile.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: layout.root + "/oci-layout", isDurable: false)
        return value
    }

    private func index() throws -> Index {
        guard let bytes = try FileReading.bytes(ofFileAt: layout.imageIndex, limit: 64 << 20) else {
            return Index(manifests: [])
        }
        do { return try Index(parsing: bytes) } catch { throw BuildError.imageIndexCorrupt(layout.imageIndex, error) }
    }
}
