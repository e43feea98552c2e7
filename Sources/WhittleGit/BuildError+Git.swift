internal import WhittleCore

extension BuildError.Code {
    /// The commit of a git repository cannot be read.
    static let gitCommit = Self(rawValue: "git-commit")
}

extension BuildError {
    static func gitCommit(_ repository: String, _ problem: String, cause: (any Error)? = nil) -> BuildError {
        BuildError(
            .gitCommit, "reading the commit of the git repository '\(repository)': \(problem)",
            hint: "set SOURCE_DATE_EPOCH instead, for example to $(git log -1 --format=%ct)", cause: cause)
    }
}
