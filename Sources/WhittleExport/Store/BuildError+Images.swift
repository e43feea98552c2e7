public import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

extension BuildError.Code {
    /// The directory of an `oci` output has an `index.json` that is no OCI index.
    public static let invalidLayout = BuildError.Code(rawValue: "invalid-layout")
    /// A blob of the store is not what its digest says.
    public static let blobDamaged = BuildError.Code(rawValue: "blob-damaged")
    /// The store has no image of this name or ID.
    public static let unknownImage = BuildError.Code(rawValue: "unknown-image")
    /// An image that is to be removed by its ID has several names.
    public static let imageHasNames = BuildError.Code(rawValue: "image-has-names")
    /// Several images have IDs that begin like this.
    public static let ambiguousImage = BuildError.Code(rawValue: "ambiguous-image")
}

extension BuildError {
    static func invalidLayout(_ path: String, cause: any Error) -> BuildError {
        BuildError(
            .invalidLayout, "cannot add the image to '\(printable(path))': its 'index.json' is no OCI image index",
            hint: "name an empty directory, or one that is an OCI image layout", cause: cause)
    }

    static func blobDamaged(_ digest: Digest, _ path: String) -> BuildError {
        BuildError(
            .blobDamaged, "cannot export the blob \(digest): the file '\(printable(path))' does not have this digest",
            hint: "remove the file and build again with --no-cache")
    }

    static func unknownImage(_ name: String, near: String?, isStoreEmpty: Bool) -> BuildError {
        BuildError(
            .unknownImage, "there is no image '\(printable(name))' in the store",
            hint: near.map { "did you mean '\($0)'?" }
                ?? (isStoreEmpty
                    ? "no image has a name yet: build one with 'whittle build -t NAME .'"
                    : "'whittle images' lists those that are there"))
    }

    static func emptyImageIndex(_ digest: Digest) -> BuildError {
        BuildError(
            .malformedDocument, "the image index \(digest) lists no image", hint: "build or pull the image again")
    }

    static func imageHasNames(_ text: String, _ names: [ImageReference]) -> BuildError {
        let shown = names.prefix(5).map { "'\($0.familiarName)'" }.joined(separator: ", ")
        return BuildError(
            .imageHasNames,
            "cannot remove the image '\(printable(text))' by its ID: it has \(names.count) names: \(shown)"
                + (names.count > 5 ? ", …" : ""),
            hint: "remove one of the names, or all of them with --force")
    }

    static func nameWithDigest(_ text: String) -> BuildError {
        BuildError(
            .invalidImageReference, "cannot name an image '\(printable(text))': a name with a digest cannot be given",
            hint: "give a name with a tag, such as app:1")
    }

    static func ambiguousImage(_ prefix: String, _ ids: [Digest]) -> BuildError {
        let shown = ids.prefix(5).map { $0.short }.joined(separator: ", ") + (ids.count > 5 ? ", …" : "")
        return BuildError(
            .ambiguousImage, "'\(prefix)' could be one of \(ids.count) images: \(shown)",
            hint: "write more digits of the ID")
    }
}
