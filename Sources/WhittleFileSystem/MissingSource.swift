public import WhittleCore

extension BuildError.Code {
    /// A file that is to be copied does not exist.
    public static let copySourceNotFound = BuildError.Code(rawValue: "copy-source-not-found")
}

/// What is known about a source of a copy that does not exist: the cause of a `copy-source-not-found` error, from which
/// a caller who knows more (that an ignore file hides the path) makes a better one.
package struct MissingSource: Error, CustomStringConvertible {
    /// The source as it was asked for.
    package var source: String
    /// The path that does not exist, from the root of the tree and without a leading slash.
    package var path: String
    /// What the tree is called: `the build context`.
    package var tree: String
    /// The deepest directory on the way that exists; empty for the root.
    package var directory: String
    /// Names in that directory, in byte order.
    package var names: [String]
    /// A path that was probably meant.
    package var nearest: String?

    /// Whether a link on the way leads elsewhere, to what does not exist.
    var isBehindLink: Bool {
        let asked = EntryPath(source).components.map { "\($0)" }
        return !asked.contains("..") && !GlobPattern.isPattern(source) && asked.joined(separator: "/") != path
    }

    /// Empty: the message of the error says it.
    package var description: String { "" }
}

extension BuildError {
    /// A source does not exist.
    ///
    /// - Parameter reason: why, where the caller knows: "excluded by line 3 of .dockerignore".
    package static func copySourceNotFound(_ missing: MissingSource, because reason: String? = nil) -> BuildError {
        var message = "'\(printable(missing.source))' does not exist in \(missing.tree)"
        if missing.isBehindLink { message += ": a symbolic link leads to '\(printable(missing.path))'" }
        if let reason { return BuildError(.copySourceNotFound, "\(message): \(reason)", cause: missing) }
        var hints: [String] = []
        if let nearest = missing.nearest { hints.append("did you mean '\(printable(nearest))'?") }
        hints.append(contents(of: missing))
        return BuildError(.copySourceNotFound, message, hint: hints.joined(separator: " "), cause: missing)
    }

    private static func contents(of missing: MissingSource) -> String {
        let place = missing.directory.isEmpty ? missing.tree : "'\(printable(missing.directory))'"
        if missing.names.isEmpty { return "\(place) is empty" }
        let shown = missing.names.prefix(10).map { printable($0) }.joined(separator: ", ")
        let more = missing.names.count - 10
        return "\(place) has: \(shown)" + (more > 0 ? " and \(more) more" : "")
    }
}
