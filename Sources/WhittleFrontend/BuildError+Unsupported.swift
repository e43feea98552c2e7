public import WhittleCore

extension BuildError.Code {
    /// Something that Dockerfiles can ask for and this version does not do yet.
    public static let notSupported = BuildError.Code(rawValue: "not-supported")
}

extension BuildError {
    /// What is not done yet, by what to do instead.
    enum Unsupported: Hashable {
        case gitAdd

        fileprivate var hint: String {
            switch self {
            case .gitAdd: "clone it in a step, RUN git clone URL, or clone it first and COPY it"
            }
        }
    }

    static func unsupported(_ what: String, _ reason: Unsupported, at location: SourceLocation) -> BuildError {
        BuildError(.notSupported, "\(what) is not supported yet", hint: reason.hint, at: location)
    }

    /// Does not show the address: it may hold a password.
    static func unsupportedContext() -> BuildError {
        BuildError(
            .notSupported, "--build-context with a git repository or another target is not supported yet",
            hint: "fetch it first, and name the directory")
    }
}
