public import WhittleCore

extension BuildError.Code {
    /// A copy would put a directory where a file is, or a file where a directory is.
    public static let copyTypeConflict = BuildError.Code(rawValue: "copy-type-conflict")
}

extension BuildError {
    /// The directory `source` cannot be merged into `destination`, which is a file or a link.
    static func directoryOntoFile(_ source: String, _ destination: String) -> BuildError {
        BuildError(
            .copyTypeConflict,
            "cannot copy directory '\(printable(source))' onto file '\(printable(destination))'",
            hint: "remove the file first, or choose another destination")
    }

    /// The file `source` cannot replace the directory `destination`.
    static func fileOntoDirectory(_ source: String, _ destination: String) -> BuildError {
        BuildError(
            .copyTypeConflict,
            "cannot replace directory '\(printable(destination))' with file '\(printable(source))'",
            hint: "remove the directory first, or choose another destination")
    }
}
