/// Paths inside a container or a build context, as text: they are resolved only below an open root.
enum ContainerPath {
    /// The shortest path that means the same by name: no `//`, `.` or inner `..`, no trailing slash.
    /// `.` for an empty path; an absolute path never climbs above `/`.
    static func clean(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if let last = parts.last, last != ".." {
                parts.removeLast()
            } else if !isAbsolute {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        if isAbsolute { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }

    static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

    /// `path` below the directory `base`, unless it is absolute; clean in both cases.
    static func resolve(_ path: String, in base: String) -> String {
        isAbsolute(path) ? clean(path) : clean("/\(base)/\(path)")
    }

    /// The last part: `c` of `/a/b/c`.
    static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map { String($0) } ?? "/"
    }

    /// The working directory that `WORKDIR path` gives after `current`. An absolute path stays as it is written.
    static func workingDirectory(_ path: String, after current: String) -> String {
        if isAbsolute(path) { return path }
        if path.isEmpty { return current.isEmpty ? "/" : current }
        return clean("/\(current)/\(path)")
    }

    /// The destination of a copy: absolute and clean, with a trailing slash where a directory is meant.
    static func destination(_ path: String, in workingDirectory: String) -> String {
        let namesDirectory = path.isEmpty || path == "." || path.hasSuffix("/") || path.hasSuffix("/.")
        let resolved = resolve(path, in: workingDirectory)
        return namesDirectory && resolved != "/" ? resolved + "/" : resolved
    }

    /// Whether a path leads out of the directory it is relative to. A leading slash means the directory itself.
    static func climbsOut(_ path: String) -> Bool {
        var depth = 0
        for part in path.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}
