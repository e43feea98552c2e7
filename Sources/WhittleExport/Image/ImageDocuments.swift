internal import WhittleCore
package import WhittleOCI

/// The two documents of an image in their canonical bytes: equal images in equal formats give equal bytes.
package struct ImageDocuments: Sendable {
    package let configuration: [UInt8]
    package let configurationDescriptor: Descriptor
    package let manifest: [UInt8]
    /// As it stands in an index: with platform and annotations, without a name.
    package let manifestDescriptor: Descriptor
    /// The index around the manifest, where the format asks for one.
    package let index: [UInt8]?
    /// What the image is known by: the index, else the manifest; with annotations, without a name.
    package let descriptor: Descriptor
    /// The layers as the manifest lists them, lowest first.
    package let layers: [Descriptor]

    /// Writes the documents of `image`.
    ///
    /// Layer media types become OCI's or Docker's as `format` says. Layers that were marked as not to be distributed
    /// become ordinary ones: they are in the store, so they can be.
    package init(of image: ExportImage, format: ImageFormat) {
        var configuration = image.configuration
        configuration.diffIDs = image.layers.map { $0.diffID }
        configuration.completeHistory()
        let isDocker = !format.usesOCIMediaTypes
        self.configuration = configuration.encoded()
        configurationDescriptor = Descriptor(
            of: self.configuration, as: isDocker ? .dockerConfiguration : .ociConfiguration)
        layers = image.layers.map { Self.descriptor(of: $0, isDocker: isDocker) }
        let manifest = Manifest(
            mediaType: isDocker ? .dockerManifest : .ociManifest, config: configurationDescriptor, layers: layers,
            annotations: format.annotations.all(at: .manifest, for: configuration.platform))
        self.manifest = manifest.encoded()
        var descriptor = Descriptor(of: self.manifest, as: manifest.mediaType)
        descriptor.platform = configuration.platform
        descriptor.annotations = format.annotations.all(at: .manifestDescriptor, for: configuration.platform)
        let created = isDocker ? nil : configuration.created
        guard format.makesIndex else {
            manifestDescriptor = Self.dated(descriptor, created)
            index = nil
            self.descriptor = manifestDescriptor
            return
        }
        manifestDescriptor = descriptor
        let index = Index(
            mediaType: isDocker ? .dockerList : .ociIndex, manifests: [descriptor],
            annotations: format.annotations.index)
        let bytes = index.encoded()
        self.index = bytes
        var indexDescriptor = Descriptor(of: bytes, as: index.mediaType)
        indexDescriptor.annotations = format.annotations.indexDescriptor
        self.descriptor = Self.dated(indexDescriptor, created)
    }

    /// BuildKit says the time of the export here; the image's own keeps equal images equal.
    private static func dated(_ descriptor: Descriptor, _ created: Timestamp?) -> Descriptor {
        var descriptor = descriptor
        let key = "org.opencontainers.image.created"
        if let created, descriptor.annotations[key] == nil { descriptor.annotations[key] = created.rfc3339 }
        return descriptor
    }

    private static func descriptor(of layer: ExportImage.Layer, isDocker: Bool) -> Descriptor {
        guard let compression = layer.descriptor.mediaType.compression else {
            preconditionFailure("the engine made a layer of media type '\(layer.descriptor.mediaType)'")
        }
        return Descriptor(
            mediaType: .layer(compression, docker: isDocker), digest: layer.descriptor.digest,
            size: layer.descriptor.size, annotations: isDocker ? [:] : layer.descriptor.annotations)
    }
}
