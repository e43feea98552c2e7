package import WhittleCore
package import WhittleOCI

/// An image, or a directory in its place, read whole but for the bytes of its files.
package struct ImageContents: Sendable {
    /// As the user called it.
    package let name: String
    /// The image's own documents and layers; `nil` for a directory, which is a tree and nothing else.
    package let image: Image?
    package let tree: FileTree
    /// The packages in it; `nil` where nobody asked for them.
    package let packages: FoundPackages?

    package struct Image: Sendable {
        /// The digest of the manifest.
        package let digest: Digest
        package let configuration: ImageConfiguration
        /// Annotations of the manifest.
        package let annotations: [String: String]
        /// Lowest first.
        package let layers: [LayerContents]

        package init(
            digest: Digest, configuration: ImageConfiguration, annotations: [String: String], layers: [LayerContents]
        ) {
            self.digest = digest
            self.configuration = configuration
            self.annotations = annotations
            self.layers = layers
        }
    }

    package init(name: String, image: Image?, tree: FileTree, packages: FoundPackages? = nil) {
        self.name = name
        self.image = image
        self.tree = tree
        self.packages = packages
    }
}
