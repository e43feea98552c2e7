internal import WhittleCore
package import WhittleOCI

/// The two documents of an image for one platform.
package struct PlatformDocuments: Sendable {
    package let configuration: ImageDocument
    package let manifest: ImageDocument
    /// The manifest as it stands in an index: with platform and annotations.
    package let descriptor: Descriptor
    /// The layers as the manifest lists them, lowest first.
    package let layers: [Descriptor]
    /// When the image was made, where it says so.
    let created: Timestamp?

    init(of image: ExportImage, format: ImageFormat) {
        var configuration = image.configuration
        configuration.diffIDs = image.layers.map { $0.diffID }
        configuration.completeHistory()
        let isDocker = !format.usesOCIMediaTypes
        created = configuration.created
        layers = image.layers.map { Self.descriptor(of: $0, isDocker: isDocker) }
        self.configuration = ImageDocument(
            configuration.encoded(), as: isDocker ? .dockerConfiguration : .ociConfiguration)
        let manifest = Manifest(
            mediaType: isDocker ? .dockerManifest : .ociManifest, config: self.configuration.descriptor, layers: layers,
            annotations: format.annotations.all(at: .manifest, for: configuration.platform))
        self.manifest = ImageDocument(manifest.encoded(), as: manifest.mediaType)
        var descriptor = self.manifest.descriptor
        descriptor.platform = configuration.platform
        descriptor.annotations = format.annotations.all(at: .manifestDescriptor, for: configuration.platform)
        self.descriptor = descriptor
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
