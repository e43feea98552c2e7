package import WhittleCore

extension BuildError.Code {
    /// The store's directory cannot be made, read or written.
    static let storeUnusable = Self(rawValue: "store-unusable")
    /// The store was made by a version of whittle with another layout.
    static let storeVersion = Self(rawValue: "store-version")
    /// A blob does not have the digest or size it is known by.
    static let blobMismatch = Self(rawValue: "blob-mismatch")
    /// The store lacks a blob that it should have.
    static let blobMissing = Self(rawValue: "blob-missing")
    /// The store's list of image names cannot be read.
    package static let imageIndexCorrupt = Self(rawValue: "image-index-corrupt")
}

extension BuildError {
    static func storeUnusable(_ root: String, _ cause: BuildError) -> BuildError {
        BuildError(
            .storeUnusable, "opening the store '\(root)': \(cause.message)",
            hint: "choose another directory with --root or $WHITTLE_ROOT, or make this one writable", cause: cause.cause
        )
    }

    static func storeVersion(_ root: String, found: String, expected: String) -> BuildError {
        BuildError(
            .storeVersion,
            "opening the store '\(root)': its layout is version '\(found)', this program has '\(expected)'",
            hint: "use the program that made it, or another directory with --root")
    }

    static func blobMismatch(_ what: String, expected: String, found: String) -> BuildError {
        BuildError(
            .blobMismatch, "storing \(what): expected \(expected), found \(found)",
            hint: "the source or the transfer is damaged; nothing was kept")
    }

    static func blobMissing(_ digest: Digest, _ path: String) -> BuildError {
        BuildError(
            .blobMissing, "reading the blob \(digest): the store has no file '\(path)'",
            hint: "pull or build the image again")
    }

    static func imageIndexCorrupt(_ path: String, _ cause: any Error) -> BuildError {
        BuildError(
            .imageIndexCorrupt, "reading the image names in '\(path)': the file is not an OCI index",
            hint: "move the file away; images can then be named again by building them", cause: cause)
    }
}
