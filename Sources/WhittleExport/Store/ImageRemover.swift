package import WhittleCore
package import WhittleOCI
package import WhittleStore

/// Takes names of images away, and images with them, by docker's rules.
package struct ImageRemover: Sendable {
    private let names: ImageNames
    private let reader: ImageStoreReader

    package init(names: ImageNames, reader: ImageStoreReader) {
        self.names = names
        self.reader = reader
    }

    /// What one removal did.
    package struct Removal: Sendable {
        /// The names that are gone, in the order they were given.
        package let untagged: [ImageReference]
        /// The ID of the image, where it was the last of its names.
        package let deleted: Digest?
        /// What the entries that are gone pointed to.
        package let targets: [Descriptor]
    }

    /// Removes the name `text`, or the image with the ID that begins with `text` with all of its names.
    ///
    /// - Parameter isForced: whether an image may be removed by its ID although it has several names.
    /// - Throws: `unknown-image`, `ambiguous-image`, `image-has-names`; then nothing was removed.
    package func remove(_ text: String, isForced: Bool) async throws -> Removal {
        let entries = try names.entries()
        if let entry = ImageStoreReader.entry(text, entries) {
            _ = try await names.remove([entry.name])
            // A damaged image has no ID to tell; its manifest stands for it.
            let id = (try? reader.id(of: entry.descriptor)) ?? entry.descriptor.digest
            let isLast = try !reader.hasEntry(of: id, or: entry.descriptor.digest)
            return Removal(untagged: [entry.name], deleted: isLast ? id : nil, targets: [entry.descriptor])
        }
        let found = try reader.identified(by: text)
        guard let image = found.first else { throw ImageStoreReader.unknown(text, among: entries.map { $0.name }) }
        let untagged = found.compactMap { $0.name }
        if untagged.count > 1, !isForced { throw BuildError.imageHasNames(text, untagged) }
        _ = try await names.remove(Set(untagged), unnamed: Set(found.map { $0.target.digest }))
        return Removal(untagged: untagged, deleted: image.id, targets: found.map { $0.target })
    }
}

/// Gives images further names.
package struct ImageTagger: Sendable {
    private let names: ImageNames
    private let reader: ImageStoreReader

    package init(names: ImageNames, reader: ImageStoreReader) {
        self.names = names
        self.reader = reader
    }

    /// Has `name` stand for the image that `text` names.
    ///
    /// - Throws: what ``ImageStoreReader/find(_:)`` throws; `invalid-image-reference`.
    package func tag(_ text: String, as name: String) async throws {
        let new: ImageReference
        do throws(ImageReference.Invalid) {
            new = try ImageReference(parsing: name)
        } catch {
            throw BuildError.invalidImageReference(name, error)
        }
        guard new.digest == nil else { throw BuildError.nameWithDigest(name) }
        try await names.set([new], to: reader.find(text).target)
    }
}
