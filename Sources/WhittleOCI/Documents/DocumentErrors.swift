public import WhittleCore

extension BuildError.Code {
    /// A manifest, index or image configuration is not what its format demands.
    public static let malformedDocument = BuildError.Code(rawValue: "malformed-document")
    /// A manifest of a kind that this program does not read.
    public static let unsupportedManifest = BuildError.Code(rawValue: "unsupported-manifest")
}

extension BuildError {
    static func malformedDocument(_ document: String, _ problem: String) -> BuildError {
        BuildError(
            .malformedDocument, "cannot read the \(document): \(problem)",
            hint: "the image is damaged, or was written by a tool that breaks the OCI image format")
    }

    static func schemaOneManifest() -> BuildError {
        BuildError(
            .unsupportedManifest, "the manifest is of Docker's schema 1, which was retired in 2019",
            hint: "push the image again with a current tool, for example with 'skopeo copy --format=oci'")
    }

    static func unsupportedManifest(_ mediaType: String) -> BuildError {
        BuildError(
            .unsupportedManifest, "cannot use a manifest of media type '\(mediaType.prefix(128))'",
            hint: "an image manifest or an image index of OCI or Docker is needed")
    }
}
