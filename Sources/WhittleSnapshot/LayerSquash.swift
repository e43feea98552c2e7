internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
package import WhittleFileSystem

/// Makes one set of changes of several that stand on each other.
///
/// Every set goes through the form of a layer, so what a layer cannot hold is in the result as it would be in the layers.
/// What a set deletes or hides of an earlier one is not in the result at all; a mark of it stays only where the file
/// system below has something to hide.
package struct LayerSquash {
    private let changes: [String]
    private let base: String

    /// - Parameters:
    ///   - changes: overlayfs upper directories, lowest first.
    ///   - base: a directory that shows what they stand on.
    package init(changes: [String], base: String) {
        self.changes = changes
        self.base = base
    }

    /// Writes the result into `directory`, which is empty, in the form of an overlayfs upper directory.
    ///
    /// - Throws: `file-system`, `CancellationError`; the directory then holds a part.
    package func write(into directory: String, _ cancellation: Cancellation) throws {
        for (position, upper) in changes.enumerated() {
            if position > 0 { try removeHidden(by: upper, in: directory, cancellation) }
            var reader = TarReader(try LayerApplier(into: directory))
            _ = try LayerWriter(changesIn: upper).write(cancellation: cancellation) { try reader.feed($0) }
            try reader.finish()
            try reader.consumer.finish()
        }
        try removeIdleMarks(in: directory, cancellation)
    }

    /// Removes from the result so far what `upper` deletes or hides. A directory that it hides goes as a whole, because the
    /// layer makes it anew.
    private func removeHidden(by upper: String, in directory: String, _ cancellation: Cancellation) throws {
        let target = try LayerTree(directory)
        try TreeWalk(upper).forEach(cancellation: cancellation) { entry in
            if try Self.isMark(entry, in: upper) { try Self.remove(entry.path, from: target, in: directory) }
        }
    }

    /// Removes the deletions of what the base does not have.
    private func removeIdleMarks(in directory: String, _ cancellation: Cancellation) throws {
        let below = try LayerTree(base)
        var idle: [EntryPath] = []
        try TreeWalk(directory).forEach(cancellation: cancellation) { entry in
            guard entry.status.kind != .directory, try Self.isMark(entry, in: directory),
                let place = try LayerPath(entry.path.bytes)
            else { return }
            if try below.status(of: place) == nil { idle.append(entry.path) }
        }
        let target = try LayerTree(directory)
        for path in idle { try Self.remove(path, from: target, in: directory) }
    }

    private static func remove(_ path: EntryPath, from tree: LayerTree, in directory: String) throws {
        guard let place = try LayerPath(path.bytes),
            let parent = try tree.existingDirectory(place.parent, for: path.bytes)
        else { return }
        try TreeRemoval.remove(EntryPath(bytes: place.name), at: parent.descriptor, shownAs: "\(directory)/\(path)")
    }

    /// Whether an entry deletes something, or is a directory that hides what is below it.
    private static func isMark(_ entry: TreeWalk.Entry, in directory: String) throws -> Bool {
        let kind = entry.status.kind
        // Only these can be marks, and to look costs an open.
        guard kind == .directory || kind == .characterDevice || kind == .regular && entry.status.size == 0 else {
            return false
        }
        do throws(Errno) {
            let found = try LayerEntry(entry, nil)
            return found.isWhiteout || found.isOpaque
        } catch {
            throw BuildError.fileSystem("read", "\(directory)/\(entry.path)", error)
        }
    }
}
