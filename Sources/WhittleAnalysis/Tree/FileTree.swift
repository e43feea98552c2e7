/// The file system that layers make, lowest first: whiteouts carried out, hard links as one file with several names.
///
/// Format: image-spec v1.1, `layer.md`. A whiteout hides what is below its layer and nothing of the layer itself, wherever
/// it stands in the archive.
package struct FileTree: Sendable {
    /// A name in a directory. Several names may stand for one file.
    private struct Node {
        var file: Int
        /// For a directory; `nil` for all else.
        var children: [[UInt8]: Int]?
        /// The layer that last had an entry for it, or for something in it.
        var layer: Int
        /// The layer that last hid what was below it here.
        var opaqueIn = -1
    }

    private var nodes: [Node] = [Node(file: 0, children: [:], layer: -1)]
    private var files: [FileEntry] = [.implicitDirectory]
    private static let root = 0

    package init() {}

    /// What went wrong with an entry of a layer, as the end of a sentence.
    package struct Refusal: Error, Hashable {
        package let reason: String
    }

    /// Whether the tree has a root directory to compare: a directory of this machine has one that nobody asked for.
    package var hasRoot: Bool { !files[nodes[Self.root].file].isImplicit }

    // MARK: Changes

    package mutating func setRoot(_ entry: FileEntry) throws(Refusal) {
        guard entry.kind == .directory else { throw Refusal(reason: "the root must be a directory") }
        files.append(entry)
        nodes[Self.root].file = files.count - 1
    }

    /// Adds an entry of `layer`, in the place of what is there.
    package mutating func add(_ entry: FileEntry, at path: [[UInt8]], layer: Int) throws(Refusal) {
        files.append(entry)
        try put(files.count - 1, isDirectory: entry.kind == .directory, at: path, layer)
    }

    /// Gives the file at `target` another name.
    package mutating func link(_ path: [[UInt8]], to target: [[UInt8]], layer: Int) throws(Refusal) {
        guard let found = find(target) else { throw Refusal(reason: "it is a hard link to a file that is not there") }
        guard nodes[found].children == nil else { throw Refusal(reason: "it is a hard link to a directory") }
        guard path != target else { throw Refusal(reason: "it is a hard link to itself") }
        try put(nodes[found].file, isDirectory: false, at: path, layer)
    }

    /// Hides what the layers below `layer` have at `path`.
    package mutating func hide(_ path: [[UInt8]], layer: Int) {
        guard let name = path.last, let parent = find(path.dropLast()), let node = nodes[parent].children?[name] else {
            return
        }
        if nodes[node].layer == layer { purge(node, layer) } else { nodes[parent].children?[name] = nil }
    }

    /// Hides what the layers below `layer` have in the directory `path`.
    package mutating func hideContents(of path: [[UInt8]], layer: Int) throws(Refusal) {
        purge(try directory(path[...], layer), layer)
    }

    private mutating func put(_ file: Int, isDirectory: Bool, at path: [[UInt8]], _ layer: Int) throws(Refusal) {
        guard let name = path.last else { preconditionFailure("the root has a call of its own") }
        let parent = try directory(path.dropLast(), layer)
        if isDirectory, let node = nodes[parent].children?[name], nodes[node].children != nil {
            nodes[node].file = file
            nodes[node].layer = layer
            return
        }
        let node = nodes.count
        nodes.append(Node(file: file, children: isDirectory ? [:] : nil, layer: layer))
        nodes[parent].children?[name] = node
    }

    /// The directory at `path`, made where it is missing, marked as one that `layer` has something in.
    private mutating func directory(_ path: ArraySlice<[UInt8]>, _ layer: Int) throws(Refusal) -> Int {
        var node = Self.root
        for name in path {
            let parent = node
            if let child = nodes[parent].children?[name], nodes[child].children != nil {
                node = child
            } else if let child = nodes[parent].children?[name], nodes[child].layer == layer {
                let shown = String(decoding: name, as: UTF8.self)
                throw Refusal(reason: "'\(shown)' on its way is not a directory")
            } else {
                // A directory of a layer stands for itself, whatever the layers below have under its name.
                files.append(.implicitDirectory)
                nodes.append(Node(file: files.count - 1, children: [:], layer: layer))
                node = nodes.count - 1
                nodes[parent].children?[name] = node
            }
            nodes[node].layer = layer
        }
        return node
    }

    /// Removes what lower layers put into a directory. Each is visited once in a layer, however often it is hidden.
    private mutating func purge(_ top: Int, _ layer: Int) {
        var pending = [top]
        while let node = pending.popLast() {
            guard let children = nodes[node].children, nodes[node].opaqueIn != layer else { continue }
            nodes[node].opaqueIn = layer
            let kept = children.filter { nodes[$0.value].layer == layer }
            nodes[node].children = kept
            pending += kept.values
        }
    }

    private func find(_ path: some Sequence<[UInt8]>) -> Int? {
        var node = Self.root
        for name in path {
            guard let child = nodes[node].children?[name] else { return nil }
            node = child
        }
        return node
    }

    // MARK: Reading

    /// One name of the tree.
    package struct Item: Sendable {
        /// From the root, without a leading slash; empty for the root.
        package let path: [UInt8]
        package let entry: FileEntry
        /// The same number for all names of one file.
        package let file: Int
    }

    /// Every name, the root first where it has an entry, in the byte order of whole paths.
    package var items: [Item] {
        var items: [Item] = []
        if hasRoot { items.append(Item(path: [], entry: files[nodes[Self.root].file], file: nodes[Self.root].file)) }
        var pending: [(path: [UInt8], node: Int)] = [([], Self.root)]
        while let (path, node) = pending.popLast() {
            for (name, child) in nodes[node].children ?? [:] {
                let full = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
                items.append(Item(path: full, entry: files[nodes[child].file], file: nodes[child].file))
                if nodes[child].children != nil { pending.append((full, child)) }
            }
        }
        return items.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }
}
