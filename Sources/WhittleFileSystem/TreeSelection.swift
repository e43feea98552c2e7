internal import Synchronization
internal import WhittleCore

/// What is selected of one directory.
struct SelectedDirectory: Sendable {
    let directory: SourceDirectory
    /// From the source that is copied; empty for the source itself.
    let path: EntryPath
    /// The entries, in byte order of their names.
    let entries: [Entry]

    struct Entry: Sendable {
        /// In the listing of the directory.
        let index: Int
        /// A directory that the filter left out, and that comes along because of something in it.
        let isParentOnly: Bool
    }

    func status(_ entry: Entry) -> FileStatus { directory.listing.entries[entry.index].status }
    func name(_ entry: Entry) -> EntryPath { directory.listing.name(entry.index) }
}

/// Walks the part of a ``SourceTree`` that a filter takes.
enum TreeSelection {
    /// A directory that was judged, with those below it.
    private final class Node: Sendable {
        let directory: SourceDirectory
        let path: EntryPath
        let state: (any Sendable)?
        private let judged = Mutex<(taken: [Bool], children: [Int: Node])>(([], [:]))

        init(_ directory: SourceDirectory, path: EntryPath, state: (any Sendable)?) {
            self.directory = directory
            self.path = path
            self.state = state
        }

        func note(taken: [Bool], children: [Int: Node]) { judged.withLock { $0 = (taken, children) } }
        var result: (taken: [Bool], children: [Int: Node]) { judged.withLock { $0 } }
    }

    /// What `filter` takes of `top`: the directory itself first, then each directory right before those in it.
    static func select(
        _ top: SourceDirectory, of tree: SourceTree, filter: TreeFilter?, cancellation: Cancellation?
    ) throws -> [SelectedDirectory] {
        let root = Node(top, path: EntryPath(), state: nil)
        try WorkQueue.run([root], threads: 2) { node, queue in
            try cancellation?.check()
            for child in try judge(node, tree, filter) { queue.add(child) }
        }
        return collect(root)
    }

    /// Judges the entries of a directory; gives the directories that are to be judged next.
    private static func judge(_ node: Node, _ tree: SourceTree, _ filter: TreeFilter?) throws -> [Node] {
        let listing = node.directory.listing
        var taken = [Bool](repeating: false, count: listing.entries.count)
        var children: [Int: Node] = [:]
        let prefix = node.path.isEmpty ? "" : "\(node.path)/"
        for (index, entry) in listing.entries.enumerated() where !tree.isForeign(entry.status) {
            let isDirectory = entry.status.isDirectory
            let verdict =
                filter?.judge("\(prefix)\(listing.name(index))", isDirectory, node.state) ?? TreeFilter.Verdict.take
            taken[index] = entry.isTaken && verdict.isTaken
            guard isDirectory, verdict.isSearched else { continue }
            children[index] = Node(
                try tree.directory(index, of: node.directory), path: node.path.appending(listing.name(index)),
                state: verdict.state)
        }
        node.note(taken: taken, children: children)
        return Array(children.values)
    }

    /// The directories that have something, in byte order. No recursion: trees may be deep.
    private static func collect(_ root: Node) -> [SelectedDirectory] {
        var order: [(node: Node, parent: Int, indexInParent: Int)] = []
        var pending = [(node: root, parent: -1, indexInParent: -1)]
        while let next = pending.popLast() {
            let position = order.count
            order.append(next)
            for (index, child) in next.node.result.children.sorted(by: { $0.key > $1.key }) {
                pending.append((child, position, index))
            }
        }
        // From the end, so that a directory is known to have something before the one that holds it is looked at.
        var parentOnly = [Set<Int>](repeating: [], count: order.count)
        for position in order.indices.reversed() where position > 0 {
            let (node, parent, index) = order[position]
            let (taken, _) = node.result
            let hasSomething = taken.contains(true) || !parentOnly[position].isEmpty
            if hasSomething, !order[parent].node.result.taken[index] { parentOnly[parent].insert(index) }
        }
        return order.indices.compactMap { position in
            selected(order[position].node, parentOnly[position], isTop: position == 0)
        }
    }

    private static func selected(_ node: Node, _ parentOnly: Set<Int>, isTop: Bool) -> SelectedDirectory? {
        let taken = node.result.taken
        var entries: [SelectedDirectory.Entry] = []
        for index in taken.indices {
            if taken[index] {
                entries.append(SelectedDirectory.Entry(index: index, isParentOnly: false))
            } else if parentOnly.contains(index) {
                entries.append(SelectedDirectory.Entry(index: index, isParentOnly: true))
            }
        }
        // One that has nothing is told by the entry in its parent.
        guard isTop || !entries.isEmpty else { return nil }
        return SelectedDirectory(directory: node.directory, path: node.path, entries: entries)
    }
}
