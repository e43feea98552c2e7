package import WhittleOCI

/// Where an image goes, sorted out of its names: each repository once, those of one registry together.
package struct PushDestinations: Hashable, Sendable {
    /// A repository and what the image is called there.
    package struct Repository: Hashable, Sendable {
        /// One of the names, for the place alone.
        package let reference: ImageReference
        /// None where the image is pushed by its digest.
        package fileprivate(set) var tags: [String]
    }

    /// For each registry the repositories in it, in the order of the names.
    ///
    /// A registry has what went into one of its repositories for the others, so they are pushed one after the other.
    package let registries: [[Repository]]

    /// - Parameter isByDigest: whether tags do not count.
    package init(_ names: [ImageReference], isByDigest: Bool) {
        var registries: [[Repository]] = []
        for name in names {
            let tags = isByDigest ? [] : [name.tag ?? "latest"]
            guard let registry = registries.firstIndex(where: { $0[0].reference.registry == name.registry }) else {
                registries.append([Repository(reference: name, tags: tags)])
                continue
            }
            let known = registries[registry].firstIndex { $0.reference.repository == name.repository }
            guard let known else {
                registries[registry].append(Repository(reference: name, tags: tags))
                continue
            }
            for tag in tags where !registries[registry][known].tags.contains(tag) {
                registries[registry][known].tags.append(tag)
            }
        }
        self.registries = registries
    }

    /// All of them.
    package var repositories: [Repository] { registries.flatMap { $0 } }
}
