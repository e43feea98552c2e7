package import WhittleOCI

/// A blob that is made while an image is written: a configuration, a manifest, an index or a statement.
package struct ImageDocument: Hashable, Sendable {
    /// Media type, digest and size alone.
    package let descriptor: Descriptor
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8], as mediaType: MediaType) {
        descriptor = Descriptor(of: bytes, as: mediaType)
        self.bytes = bytes
    }
}
