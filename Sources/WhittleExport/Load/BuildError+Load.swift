public import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// What was to be loaded is no archive of images.
    public static let notAnImageArchive = BuildError.Code(rawValue: "not-an-image-archive")
    /// An archive of images contradicts itself, or has what none may have.
    public static let invalidImageArchive = BuildError.Code(rawValue: "invalid-image-archive")
}

extension BuildError {
    static func notAnImageArchive(_ found: String) -> BuildError {
        BuildError(
            .notAnImageArchive, "loading images: \(found)",
            hint: "an archive of 'docker save', 'whittle save' or an OCI image layout is needed; it may be compressed")
    }

    static func invalidImageArchive(_ problem: String) -> BuildError {
        BuildError(
            .invalidImageArchive, "loading images: \(problem)",
            hint: "the archive is damaged, or was not made by a tool for images; nothing was kept")
    }
}
