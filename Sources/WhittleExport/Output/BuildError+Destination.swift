internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

extension BuildError {
    /// The operating system refused to write to a destination.
    static func outputFailed(_ path: String, _ error: Errno) -> BuildError {
        let hint: String? =
            switch error {
            case .noSpace, .diskQuotaExceeded: "free some disk space there, or name another place with 'dest='"
            case .permissionDenied, .notPermitted, .readOnlyFileSystem:
                "name a place that you may write to with 'dest='"
            case .brokenPipe: "the program that reads the output has ended"
            default: nil
            }
        return BuildError(
            .outputDestination, "cannot write output '\(printable(path))': \(sentence(error))", hint: hint,
            cause: FileSystemFailure(error))
    }

    static func destinationIsDirectory(_ path: String) -> BuildError {
        BuildError(
            .outputDestination, "cannot write output '\(printable(path))': it is a directory",
            hint: "name a file in it, for example 'dest=\(printable(path))\(path.hasSuffix("/") ? "" : "/")image.tar'")
    }

    static func destinationIsFile(_ path: String) -> BuildError {
        BuildError(
            .outputDestination, "cannot write into output directory '\(printable(path))': it is a file",
            hint: "name another directory, or remove the file")
    }

    static func destinationParentMissing(_ path: String, _ parent: String) -> BuildError {
        BuildError(
            .outputDestination,
            "cannot write output '\(printable(path))': there is no directory '\(printable(parent))'",
            hint: "make it with 'mkdir -p \(printable(parent))'")
    }

    static func destinationParentIsFile(_ path: String, _ parent: String) -> BuildError {
        BuildError(
            .outputDestination, "cannot write output '\(printable(path))': '\(printable(parent))' is a file",
            hint: "name a file in a directory")
    }

    static func outputConflict(_ path: String) -> BuildError {
        BuildError(
            .outputConflict,
            "cannot write output '\(printable(path))': the image has a file there, the destination a directory",
            hint: "remove the directory, or name another destination")
    }

    static func outputDevice(_ path: String) -> BuildError {
        BuildError(
            .outputDestination, "cannot write output '\(printable(path))': only root may make device nodes",
            hint: "run as root, or use 'type=tar', which keeps them in the archive")
    }
}
