package import WhittleCore
internal import WhittleOCI
package import WhittleRegistry

/// Makes one index out of images and of the images of other indexes: a pure value.
package struct IndexAssembly: Sendable {
    private var entries: [Descriptor] = []

    package init() {}

    /// Adds what `tree` stands for: an image, or all entries of an index.
    ///
    /// - Parameter platform: what a single image runs on.
    /// - Throws: `malformed-document`.
    package mutating func add(_ tree: ImageTree, platform: Platform?) throws {
        let root = tree.root
        guard root.descriptor.mediaType.isIndex else {
            var entry = Descriptor(
                mediaType: root.descriptor.mediaType, digest: root.descriptor.digest, size: root.descriptor.size)
            entry.platform = platform
            add(entry)
            return
        }
        for entry in try Index(parsing: root.bytes, mediaType: root.descriptor.mediaType).manifests { add(entry) }
    }

    /// A later image takes the place of an earlier one for the same platform: so one of a list can be renewed.
    private mutating func add(_ entry: Descriptor) {
        let isImage = entry.platform != nil && !entry.isAttestation
        let replaced = entries.filter {
            $0.digest == entry.digest || isImage && !$0.isAttestation && $0.platform == entry.platform
        }
        let digests = Set(replaced.map { "\($0.digest)" })
        entries.removeAll { old in
            // What was said about an image that goes, goes as well.
            replaced.contains(old)
                || old.isAttestation && digests.contains(old.annotations[Self.subjectKey] ?? "")
                    && "\(entry.digest)" != old.annotations[Self.subjectKey]
        }
        entries.append(entry)
    }

    /// The annotation of an attestation manifest that names its image (BuildKit's convention).
    private static let subjectKey = "vnd.docker.reference.digest"

    /// The index. It is Docker's manifest list where all images are Docker's and nothing is said about them.
    package func document(_ annotations: ImageAnnotations) -> ImageTree.Document {
        var entries = entries
        for position in entries.indices where !entries[position].isAttestation {
            guard let platform = entries[position].platform else {
                entries[position].annotations.merge(annotations.manifestDescriptor) { _, new in new }
                continue
            }
            let own = annotations.all(at: .manifestDescriptor, for: platform)
            entries[position].annotations.merge(own) { _, new in new }
        }
        let isDocker = entries.allSatisfy { $0.mediaType == .dockerManifest && $0.annotations.isEmpty }
        let type: MediaType = isDocker && annotations.index.isEmpty ? .dockerList : .ociIndex
        let bytes = Index(mediaType: type, manifests: entries, annotations: annotations.index).encoded()
        return ImageTree.Document(descriptor: Descriptor(of: bytes, as: type), bytes: bytes)
    }
}
