internal import WhittleDockerfile

/// Sources of COPY and ADD as paths of the build context.
enum ContextPath {
    /// `path` below the top of the context, without `.` and `..`; empty for the top itself.
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.isEmpty ? (path.hasPrefix("/") ? "" : ".") : parts.joined(separator: "/")
    }

    /// Whether a source of ADD is an address.
    static func isRemote(_ path: String) -> Bool {
        let lower = path.prefix(8).lowercased()
        if ["http://", "https://", "git://", "ssh://", "git@"].contains(where: { lower.hasPrefix($0) }) { return true }
        return path.contains("@") && path.contains(":")
    }

    /// Whether nothing of the context is left, so that taking all of it takes nothing.
    static func leavesOutEverything(_ patterns: IgnorePatterns) -> Bool {
        // A name that nobody wrote a pattern for.
        patterns.excludes("a-name-that-only-a-pattern-for-all-names-matches")
    }
}
