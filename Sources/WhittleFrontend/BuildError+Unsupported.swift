public import WhittleCore

extension BuildError.Code {
    /// Something that Dockerfiles can ask for and this version does not do yet.
    public static let notSupported = BuildError.Code(rawValue: "not-supported")
}

extension BuildError {
    static func unsupportedContext() -> BuildError {
        BuildError(
            .notSupported, "--build-context with another target is not supported yet",
            hint: "build that target first, with '-o type=oci', and name it with oci-layout://")
    }
}
