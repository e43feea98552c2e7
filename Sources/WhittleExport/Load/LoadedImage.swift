internal import WhittleCore
internal import WhittleOCI

/// An image of an archive, checked, with what it needs in the store.
struct LoadedImage {
    var target: Descriptor
    var names: [ImageReference]
    /// The digest of the configuration that this machine would run.
    var id: Digest
    /// Files of the archive that become blobs.
    var files: [ArchiveFiles.File]
    /// Documents that are made here: the manifest, which docker's archives do not have.
    var documents: [[UInt8]]
    /// Uncompressed sizes of the layers.
    var layerSizes: [ByteCount]
}
