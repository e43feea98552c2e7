internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// Where a repository has its files. Format: gitrepository-layout(5).
struct GitRepository {
    /// HEAD and what else belongs to one work tree.
    let directory: String
    /// Objects and references, which all work trees share.
    let common: String

    /// What messages call it.
    var shown: String { directory }

    /// The repository that `path` is in, looked for upwards as git does; `nil` where there is none.
    init?(above path: String) throws(BuildError) {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        var current = String(cString: resolved)
        while true {
            let candidate = current == "/" ? "/.git" : current + "/.git"
            if let directory = try Self.directory(at: candidate), Self.isRepository(directory) {
                self.directory = directory
                common = try Self.common(of: directory)
                return
            }
            guard current != "/", let slash = current.lastIndex(of: "/") else { return nil }
            current = slash == current.startIndex ? "/" : String(current[..<slash])
        }
    }

    /// `.git` itself, or the directory that it names as a file: of a work tree or a submodule.
    private static func directory(at path: String) throws(BuildError) -> String? {
        if isDirectory(path) { return path }
        guard let text = try text(of: path), text.hasPrefix("gitdir:") else { return nil }
        return absolute(trimmed(text.dropFirst("gitdir:".count)), in: String(path.dropLast("/.git".count)))
    }

    private static func isRepository(_ directory: String) -> Bool {
        access(directory + "/HEAD", F_OK) == 0
            && (isDirectory(directory + "/objects") || access(directory + "/commondir", F_OK) == 0)
    }

    private static func common(of directory: String) throws(BuildError) -> String {
        guard let text = try text(of: directory + "/commondir") else { return directory }
        return absolute(trimmed(text[...]), in: directory)
    }

    /// A short file of the repository; `nil` where there is none.
    static func text(of path: String, limit: Int = 64 << 10) throws(BuildError) -> String? {
        var status = stat()
        // A directory of this name is a part of a longer reference.
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return try FileReading.bytes(ofFileAt: path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    static func absolute(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : directory + "/" + path
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
