public import WhittleCore
public import WhittleGraph

/// The part of an input's files that an op reads.
public enum ContentSelection: Hashable, Sendable {
    /// One file or tree.
    case path(String)
    /// What copies select by their sources and exclusions.
    case copies([CopyAction])

    /// Names the selection where content digests are kept; two selections of equal files may differ in it.
    public var digest: Digest {
        var hasher = SHA256Hasher()
        hasher.update(field: "whittle.selection.v1")
        switch self {
        case .path(let path):
            hasher.update(field: "path")
            hasher.update(field: path)
        case .copies(let copies):
            hasher.update(field: "copies")
            hasher.update(length: copies.count)
            for copy in copies {
                hasher.update(length: copy.sources.count)
                for source in copy.sources { hasher.update(field: source) }
                hasher.update(length: copy.excludePatterns.count)
                for pattern in copy.excludePatterns { hasher.update(field: pattern) }
                hasher.update(field: "\(copy.keepsParents)")
                hasher.update(field: copy.unpacks.rawValue)
            }
        }
        return hasher.finalize()
    }
}

extension Vertex {
    /// What the op reads of `input` where it only reads files from it, or `nil` where it builds on the input as a whole.
    func selection(ofInput input: Int) -> ContentSelection? {
        if op.baseInput == input { return nil }
        switch op {
        case .source, .merge: return nil
        case .exec(let exec):
            // Where a step mounts two parts of one input, the whole of it counts: correct, and rare.
            var sources: [String] = []
            for mount in exec.mounts where mount.input == input {
                guard case .bind(_, let source, _, _) = mount else { return nil }
                sources.append(source)
            }
            return sources.count == 1 ? .path(sources[0]) : .path("/")
        case .file(let file):
            return .copies(
                file.actions.compactMap { action in
                    if case .copy(let copy) = action, copy.input == input { copy } else { nil }
                })
        }
    }

    /// Whether the vertex is outside of all builds and may change at any time (a directory of the user's machine, a URL):
    /// it has no key, and only the content that is read from it counts.
    var isKnownByContent: Bool {
        if case .source(let source) = op { source.isKnownByContent } else { false }
    }

    /// Whether it is brought in from outside; such work takes no slot of the step limit.
    var isSource: Bool {
        if case .source = op { true } else { false }
    }
}
