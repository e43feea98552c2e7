internal import WhittleOCI
internal import WhittleStore

/// Puts an image into the index of a layout that may hold others already.
enum LayoutIndex {
    /// The annotation that holds a tag (image-spec v1.1, `annotations.md`).
    static let tagAnnotation = "org.opencontainers.image.ref.name"

    /// Adds `entries` to `index`. A name stands for one image: an older entry of the same whole name goes, and so does
    /// one that has no whole name but the same tag, which other tools would confuse with the new one. An entry with a tag alone
    /// takes the place of all that have the tag.
    static func insert(_ entries: [Descriptor], into index: inout Index) {
        for entry in entries {
            let name = entry.annotations[ImageNames.nameAnnotation]
            let tag = entry.annotations[tagAnnotation]
            index.manifests.removeAll { old in
                let oldName = old.annotations[ImageNames.nameAnnotation]
                let oldTag = old.annotations[tagAnnotation]
                if let name, let oldName { return name == oldName }
                if name == nil, let tag { return oldTag == tag }
                guard name != nil else { return oldName == nil && oldTag == nil && old.digest == entry.digest }
                return oldTag != nil && (oldTag == tag || oldTag == name)
            }
            index.manifests.append(entry)
        }
    }
}
