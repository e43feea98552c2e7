internal import WhittleCore
package import WhittleOCI

/// The documents of a built image in their canonical bytes: equal images in equal formats give equal bytes.
///
/// An image for one platform is its manifest. Several platforms, attestations and ``ImageFormat/makesIndex`` make it an
/// index, in which the images come first, in the order of the build, and then the manifests of their attestations.
package struct ImageDocuments: Sendable {
    /// One for each platform, in the order of the build; at least one.
    package let images: [PlatformDocuments]
    /// One for each image that has any.
    package let attestations: [AttestationDocuments]
    /// The index around them, where there is one.
    package let index: ImageDocument?
    /// What the image is known by: the index, else the one manifest; with annotations, without a name.
    package let descriptor: Descriptor

    /// Writes the documents of `images`, of which there is at least one, each for another platform.
    ///
    /// Layer media types become OCI's or Docker's as `format` says. Layers that were marked as not to be distributed
    /// become ordinary ones: they are in the store, so they can be.
    package init(of images: [ExportImage], format: ImageFormat) {
        let documents = images.map { PlatformDocuments(of: $0, format: format) }
        self.images = documents
        attestations = zip(images, documents).compactMap { image, documents in
            image.attestations.isEmpty
                ? nil : AttestationDocuments(image.attestations, about: documents, format: format)
        }
        let created = format.usesOCIMediaTypes ? documents.compactMap(\.created).max() : nil
        guard format.makesIndex || documents.count > 1 || !attestations.isEmpty else {
            index = nil
            descriptor = Self.dated(documents[0].descriptor, created)
            return
        }
        let index = Index(
            mediaType: format.usesOCIMediaTypes ? .ociIndex : .dockerList,
            manifests: documents.map(\.descriptor) + attestations.map(\.descriptor),
            annotations: format.annotations.index)
        let document = ImageDocument(index.encoded(), as: index.mediaType)
        self.index = document
        var descriptor = document.descriptor
        descriptor.annotations = format.annotations.indexDescriptor
        self.descriptor = Self.dated(descriptor, created)
    }

    /// All that was made here, each once: what a document refers to is in front of it, and the last one is what the image
    /// is known by. Manifests and indexes are told by their media type; the others are blobs.
    package var documents: [ImageDocument] {
        var all: [ImageDocument] = []
        for image in images { all += [image.configuration, image.manifest] }
        for attestation in attestations {
            all += attestation.statements + [attestation.configuration, attestation.manifest]
        }
        if let index { all.append(index) }
        var seen: Set<Digest> = []
        return all.filter { seen.insert($0.descriptor.digest).inserted }
    }

    /// The layers of all images, each once: blobs of the store that the documents refer to.
    package var layers: [Descriptor] {
        var seen: Set<Digest> = []
        return images.flatMap(\.layers).filter { seen.insert($0.digest).inserted }
    }

    /// BuildKit says the time of the export here; the image's own keeps equal images equal.
    private static func dated(_ descriptor: Descriptor, _ created: Timestamp?) -> Descriptor {
        var descriptor = descriptor
        let key = "org.opencontainers.image.created"
        if let created, descriptor.annotations[key] == nil { descriptor.annotations[key] = created.rfc3339 }
        return descriptor
    }
}
