/// The part of a `--parents` source after its pivot: a pattern of whole paths, in which `**` stands for any number of
/// directories. What is below a match is part of it.
struct ParentsPattern: Sendable {
    private enum Component {
        case anyDepth
        case literal(String)
        case pattern(GlobPattern)
    }

    private let components: [Component]

    /// The directory before `/./`, the root where there is none, and what comes after.
    static func split(_ source: String) -> (root: String, pattern: String) {
        let bytes = Array(source.utf8)
        if bytes.starts(with: [0x2e, 0x2f]) { return split(String(source.dropFirst(2))) }
        for index in bytes.indices.dropLast(2) where bytes[index...].starts(with: [0x2f, 0x2e, 0x2f]) {
            let root = String(decoding: bytes[..<index], as: UTF8.self)
            return (root.isEmpty ? "/" : root, String(decoding: bytes[(index + 3)...], as: UTF8.self))
        }
        return ("/", source)
    }

    init(_ text: String) throws(GlobPattern.Malformed) {
        var components: [Component] = []
        for part in EntryPath(text).components.map({ "\($0)" }) {
            if part == ".." {
                // As a path is cleaned: it takes back the component before, and nothing at the root.
                _ = components.popLast()
            } else if part == "**" {
                components.append(.anyDepth)
            } else if GlobPattern.isPattern(part) {
                components.append(.pattern(try GlobPattern(part)))
            } else {
                components.append(.literal(GlobPattern.unescaped(part)))
            }
        }
        self.components = components
    }

    /// Takes what matches, with all below it.
    var filter: TreeFilter {
        TreeFilter { path, isDirectory, state in
            if components.isEmpty || state as? Progress == .matched { return verdict(.matched) }
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            let start: Set<Int> = if case .at(let positions) = state as? Progress { positions } else { skipping([0]) }
            let next = advanced(start, by: name)
            if next.contains(components.count) { return verdict(.matched) }
            if next.isEmpty || !isDirectory { return .prune }
            return TreeFilter.Verdict(isTaken: false, isSearched: true, state: Progress.at(next))
        }
    }

    private enum Progress: Equatable {
        /// Positions in the pattern that the path so far may be at.
        case at(Set<Int>)
        case matched
    }

    private func verdict(_ progress: Progress) -> TreeFilter.Verdict {
        TreeFilter.Verdict(isTaken: true, isSearched: true, state: progress)
    }

    private func advanced(_ positions: Set<Int>, by name: String) -> Set<Int> {
        var next: Set<Int> = []
        for position in positions where position < components.count {
            switch components[position] {
            case .anyDepth:
                next.insert(position)
                // At the end it stands for everything below, but not for the directory itself.
                if position == components.count - 1 { next.insert(components.count) }
            case .literal(let wanted): if wanted == name { next.insert(position + 1) }
            case .pattern(let pattern): if pattern.matches(name) { next.insert(position + 1) }
            }
        }
        return skipping(next)
    }

    /// `**` may also stand for no directory at all.
    private func skipping(_ positions: Set<Int>) -> Set<Int> {
        var result = positions
        for position in positions {
            var next = position
            while next < components.count - 1, case .anyDepth = components[next] {
                next += 1
                result.insert(next)
            }
        }
        return result
    }
}
