internal import SystemPackage
public import WhittleCore

extension BuildError.Code {
    /// A wildcard pattern of a copy has wrong syntax.
    public static let invalidPattern = BuildError.Code(rawValue: "invalid-pattern")
}

extension BuildError {
    static func invalidPattern(_ pattern: String) -> BuildError {
        BuildError(
            .invalidPattern, "the pattern '\(printable(pattern))' has wrong syntax",
            hint: "close every '[', and write '[[]' for a bracket of the name itself")
    }
}

/// What a ``CopyRequest`` selects from a tree: every entry, in order, with its status.
///
/// Made once, then used for the digest of the selection (``ContentDigester``) and for copying it (``TreeCopier``).
package struct CopyPlan: Sendable {
    /// One source, or one match of a pattern.
    package struct Item: Sendable {
        let entry: SourceEntry
        /// The last component of the path as it was asked for, which a link may lead away from.
        package let name: EntryPath
        /// For a directory: what is selected below it, directories in byte order, the source itself first.
        let selection: [SelectedDirectory]

        /// From the root of the source tree, without links and without a leading slash.
        package var path: String { entry.path.description }
        package var isDirectory: Bool { entry.isDirectory }
        /// `nil` for the root of the tree.
        package var status: FileStatus? { entry.status }
    }

    package let request: CopyRequest
    package let tree: SourceTree
    package let items: [Item]
    /// Whether ``CopyRequest/latestTime`` does not apply to what is copied: a directory is among it.
    private let keepsTimes: Bool

    /// Finds what `request` selects from `tree`. Reads directories and no file; runs on two threads.
    ///
    /// - Throws: `BuildError` (`copy-source-not-found`, `path-escapes`, `invalid-pattern`, `file-system`);
    ///   `CancellationError`.
    package init(_ request: CopyRequest, from tree: SourceTree, cancellation: Cancellation? = nil) throws {
        self.request = request
        self.tree = tree
        var items: [Item] = []
        for source in request.sources {
            var source = source
            var filter = request.filter
            if request.keepsParents {
                let parts = ParentsPattern.split(source)
                do throws(GlobPattern.Malformed) {
                    let parents = try ParentsPattern(parts.pattern).filter
                    filter = filter.map { parents.joined(with: $0) } ?? parents
                } catch {
                    throw BuildError.invalidPattern(source)
                }
                // Without a wildcard the path must exist.
                if !GlobPattern.isPattern(source) { _ = try tree.find(source, followingLast: false) }
                source = parts.root
            }
            for match in try tree.matches(source, request) {
                try cancellation?.check()
                if let item = try Self.item(match, filter, tree, cancellation) { items.append(item) }
            }
        }
        self.items = items
        keepsTimes = items.contains(where: \.isDirectory)
    }

    private init(_ request: CopyRequest, _ tree: SourceTree, _ items: [Item]) {
        self.request = request
        self.tree = tree
        self.items = items
        keepsTimes = items.contains(where: \.isDirectory)
    }

    /// The time that a copy of something modified at `time` gets.
    func timeOfCopy(_ time: FileTime) -> FileTime { request.fixedTime ?? clamped(time) }

    /// `time`, or the latest one allowed.
    func clamped(_ time: FileTime) -> FileTime {
        guard request.clampsDirectories || !keepsTimes, let latest = request.latestTime else { return time }
        return min(latest, time)
    }

    /// The same plan with only the item at `position`; for an `ADD` that unpacks others.
    package func selecting(_ position: Int) -> CopyPlan { CopyPlan(request, tree, [items[position]]) }

    /// Opens an item that is a regular file, for reading.
    package func open(_ item: Item) throws(BuildError) -> OwnedDescriptor {
        guard let position = item.entry.position, item.status?.isRegular == true else {
            throw tree.root.failure("open", item.path, .invalidArgument)
        }
        let directory = try tree.openDirectory(position.directory.path)
        do throws(Errno) {
            return try directory.withDescriptor { (descriptor) throws(Errno) -> OwnedDescriptor in
                try position.directory.listing.name(position.index).withCString { (name) throws(Errno) in
                    try Syscall.open(name, [.readOnly, .noFollow], at: descriptor)
                }
            }
        } catch {
            throw tree.root.failure("open", item.path, error)
        }
    }

    private static func item(
        _ match: SourceTree.Match, _ filter: TreeFilter?, _ tree: SourceTree, _ cancellation: Cancellation?
    ) throws -> Item? {
        guard match.entry.isDirectory else {
            if let filter, !filter.judge("\(match.name)", false, nil).isTaken { return nil }
            return Item(entry: match.entry, name: match.name, selection: [])
        }
        let top =
            if let position = match.entry.position {
                try tree.directory(position.index, of: position.directory)
            } else {
                try tree.rootDirectory()
            }
        return Item(
            entry: match.entry, name: match.name,
            selection: try TreeSelection.select(top, of: tree, filter: filter, cancellation: cancellation))
    }
}

extension TreeFilter {
    /// Takes what both filters take.
    func joined(with other: TreeFilter) -> TreeFilter {
        TreeFilter { path, isDirectory, state in
            let states = state as? JoinedState
            let first = judge(path, isDirectory, states?.first)
            guard first.isTaken || first.isSearched else { return .prune }
            let second = other.judge(path, isDirectory, states?.second)
            return Verdict(
                isTaken: first.isTaken && second.isTaken, isSearched: first.isSearched && second.isSearched,
                state: JoinedState(first: first.state, second: second.state))
        }
    }
}

private struct JoinedState: Sendable {
    let first: (any Sendable)?
    let second: (any Sendable)?
}
