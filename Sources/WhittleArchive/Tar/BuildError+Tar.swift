package import WhittleCore

extension BuildError.Code {
    /// A tar archive is damaged, cut short, or uses what whittle does not read.
    package static let malformedArchive = Self(rawValue: "malformed-archive")
}

extension BuildError {
    static func malformedArchive(_ problem: String, at offset: Int64) -> BuildError {
        BuildError(
            .malformedArchive, "reading a tar archive: at byte \(offset): \(problem)",
            hint: "the archive is damaged or was cut short; make or fetch it again")
    }
}
