package import SystemPackage
public import WhittleCore

extension BuildError.Code {
    /// The operating system refused an operation on a file.
    public static let fileSystem = BuildError.Code(rawValue: "file-system")
    /// A path, or a link on its way, leads out of the directory that it must stay in.
    public static let pathEscapes = BuildError.Code(rawValue: "path-escapes")
    /// A file changed while it was being read.
    public static let sourceChanged = BuildError.Code(rawValue: "source-changed")
}

extension BuildError {
    /// The operating system refused `operation` (as it follows "cannot": `create directory`) on `path`.
    ///
    /// - Parameter root: what `path` is below, where that is not the root of this machine: `the build context`.
    package static func fileSystem(
        _ operation: String, _ path: String, _ error: Errno, in root: String? = nil
    ) -> BuildError {
        let place = root.map { " in \($0)" } ?? ""
        return BuildError(
            .fileSystem, "cannot \(operation) '\(printable(path))'\(place): \(sentence(error))",
            hint: hint(for: error), cause: FileSystemFailure(error))
    }

    /// Whether this says that a file, or a directory on the way to it, does not exist.
    package var isMissingFile: Bool {
        guard let failure = cause as? FileSystemFailure else { return false }
        return failure.error == .noSuchFileOrDirectory || failure.error == .notDirectory
    }

    /// The error of the operating system where that is what this is about.
    package var systemError: Errno? { (cause as? FileSystemFailure)?.error }

    /// `path` leads out of `root` because of `link`, or because of its own `..` where `link` is nil.
    package static func pathEscapes(_ path: String, link: (path: String, target: String)?, root: String) -> BuildError {
        guard let link else {
            return BuildError(
                .pathEscapes, "path '\(printable(path))' leads out of \(root)",
                hint: "only what is inside \(root) can be used; copy or move the file there")
        }
        return BuildError(
            .pathEscapes,
            "path '\(printable(path))' leads out of \(root): '\(printable(link.path))' is a symbolic link to "
                + "'\(printable(link.target))'",
            hint: "replace the link by the file that it points to")
    }

    /// `path` changed between its listing and the end of its reading.
    package static func sourceChanged(_ path: String) -> BuildError {
        BuildError(
            .sourceChanged, "'\(printable(path))' changed while it was being read",
            hint: "build again when nothing writes to it, or exclude it in .dockerignore")
    }

    /// The text of `error` without its capital letter: it stands inside a sentence.
    package static func sentence(_ error: Errno) -> String {
        let text = error.description
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    private static func hint(for error: Errno) -> String? {
        switch error {
        case .noSpace, .diskQuotaExceeded:
            "free some disk space there, or choose another place for the store with --root"
        case .permissionDenied, .notPermitted: "check the owner and the mode, or run as another user"
        case .readOnlyFileSystem: "choose a place that can be written"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "raise the limit of open files: ulimit -n"
        default: nil
        }
    }

    /// `path` with control characters as escapes, so that a hostile name cannot write to the terminal.
    package static func printable(_ path: String) -> String {
        guard path.unicodeScalars.contains(where: { isControl($0) }) else { return path }
        var text = ""
        for scalar in path.unicodeScalars {
            if isControl(scalar) {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}

/// Runs `body` and says what was being done where it fails with an `Errno`.
@inline(__always)
package func describing<Value: ~Copyable>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String, _ body: () throws(Errno) -> Value
) throws(BuildError) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw BuildError.fileSystem(operation(), path(), error)
    }
}
