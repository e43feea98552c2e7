internal import WhittleCore

extension SourceTree {
    /// Something that a source of a copy stands for.
    struct Match {
        let entry: SourceEntry
        /// The last component of the path as it was asked for.
        let name: EntryPath
    }

    /// What `source` stands for: one path, or all that match it as a pattern, in byte order.
    ///
    /// - Throws: `BuildError` (`copy-source-not-found`, `path-escapes`, `invalid-pattern`, `file-system`).
    func matches(_ source: String, _ request: CopyRequest) throws(BuildError) -> [Match] {
        guard request.allowsWildcards, GlobPattern.isPattern(source) else {
            return [try match(source, followingLast: request.followsLinks)]
        }
        let components = EntryPath(source).components.map { "\($0)" }
        let firstPattern = components.firstIndex { GlobPattern.isPattern($0) } ?? components.count
        let base = components[..<firstPattern].joined(separator: "/")
        var patterns: [GlobPattern] = []
        do throws(GlobPattern.Malformed) {
            for component in components[firstPattern...] { patterns.append(try GlobPattern(component)) }
        } catch {
            throw BuildError.invalidPattern(source)
        }
        guard case .found(let start) = try resolve(base, followingLast: true), start.isDirectory else {
            if request.allowsEmptyWildcard { return [] }
            throw try notFound(source)
        }
        let paths = try paths(matching: patterns, from: start)
        if paths.isEmpty, !request.allowsEmptyWildcard { throw try notFound(source) }
        var matches: [Match] = []
        for (directory, index) in paths {
            let name = directory.listing.name(index)
            let path = "\(directory.path.appending(name))"
            // A link that matched stands for what it points to, under its own name.
            let isFollowed = request.followsLinks && directory.listing.entries[index].status.isLink
            let entry = isFollowed ? try find(path, followingLast: true) : SourceEntry(position: (directory, index))
            matches.append(Match(entry: entry, name: name))
        }
        return matches
    }

    /// What `source` leads to.
    ///
    /// - Throws: `BuildError` (`copy-source-not-found`, `path-escapes`, `file-system`).
    func find(_ source: String, followingLast: Bool) throws(BuildError) -> SourceEntry {
        try match(source, followingLast: followingLast).entry
    }

    private func match(_ source: String, followingLast: Bool) throws(BuildError) -> Match {
        // BuildKit takes a path without wildcards as it is, escapes and all; people expect `\[` to be a bracket.
        let unescaped = GlobPattern.unescaped(source)
        for path in unescaped == source ? [source] : [source, unescaped] {
            if case .found(let entry) = try resolve(path, followingLast: followingLast) {
                return Match(entry: entry, name: EntryPath(path).components.last ?? EntryPath())
            }
        }
        throw try notFound(source)
    }

    /// Entries whose path from `start` matches component by component. Links on the way are not followed.
    private func paths(
        matching patterns: [GlobPattern], from start: SourceEntry
    ) throws(BuildError) -> [(SourceDirectory, Int)] {
        var directories = [try directory(of: start)]
        for (depth, pattern) in patterns.enumerated() {
            let isLast = depth == patterns.count - 1
            var found: [(SourceDirectory, Int)] = []
            var next: [SourceDirectory] = []
            for directory in directories {
                for (index, entry) in directory.listing.entries.enumerated() {
                    guard isLast || entry.status.isDirectory, pattern.matches("\(directory.listing.name(index))"),
                        try exists(index, in: directory)
                    else { continue }
                    if isLast {
                        found.append((directory, index))
                    } else {
                        next.append(try self.directory(index, of: directory))
                    }
                }
            }
            if isLast { return found }
            directories = next
        }
        return []
    }

    func directory(of entry: SourceEntry) throws(BuildError) -> SourceDirectory {
        guard let position = entry.position else { return try rootDirectory() }
        return try directory(position.index, of: position.directory)
    }

    /// The error about a source that does not exist, with what does.
    private func notFound(_ source: String) throws(BuildError) -> BuildError {
        guard case .missing(let directory, let name, let remainder) = try resolve(source, followingLast: true) else {
            // A pattern that matched nothing: say what its directory has.
            return try patternNotFound(source)
        }
        let names = try names(in: directory)
        let prefix = directory.path.isEmpty ? "" : "\(directory.path)/"
        let missing = MissingSource(
            source: source, path: prefix + ([name] + remainder).joined(separator: "/"), tree: root.name,
            directory: "\(directory.path)", names: names,
            nearest: NearestName.of(name, among: names).map { prefix + $0 })
        return BuildError.copySourceNotFound(missing)
    }

    private func patternNotFound(_ source: String) throws(BuildError) -> BuildError {
        let directory = try rootDirectory()
        return BuildError.copySourceNotFound(
            MissingSource(
                source: source, path: EntryPath(source).components.map { "\($0)" }.joined(separator: "/"),
                tree: root.name, directory: "", names: try names(in: directory), nearest: nil))
    }

    private func names(in directory: SourceDirectory) throws(BuildError) -> [String] {
        var names: [String] = []
        for index in directory.listing.entries.indices where try exists(index, in: directory) {
            names.append("\(directory.listing.name(index))")
        }
        return names
    }
}
