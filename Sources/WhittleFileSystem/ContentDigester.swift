internal import SystemPackage
package import WhittleCore

/// Digests what a ``CopyPlan`` selects: equal digests mean that the copy would write equal files.
///
/// Goes in: for each entry its path from the source, type, permission bits, owner, size, target of a link, device,
/// extended attributes of the kinds that are copied, and the digest of the contents. Does not: times, and which names
/// are hard links of one file.
package enum ContentDigester {
    /// The digest of the selection. Contents that no index knows are read, on two threads.
    ///
    /// - Throws: `BuildError` (`file-system`, `source-changed`); `CancellationError`.
    package static func digest(of plan: CopyPlan, cancellation: Cancellation? = nil) throws -> Digest {
        try readContents(of: plan, cancellation)
        var hasher = SHA256Hasher()
        hasher.update(field: "whittle-content-1")
        hasher.update(length: plan.items.count)
        for item in plan.items {
            // The name of a directory that gives only its contents is not written anywhere.
            let usesName = !item.isDirectory || !plan.request.copiesDirectoryContents
            hasher.update(bytes: usesName ? item.name : EntryPath())
            if let position = item.entry.position {
                try add(position.index, of: position.directory, nil, plan.tree, &hasher)
            }
            hasher.update(length: item.selection.count)
            for selected in item.selection { try add(selected, plan.tree, &hasher) }
        }
        return hasher.finalize()
    }

    private static func add(_ selected: SelectedDirectory, _ tree: SourceTree, _ hasher: inout SHA256Hasher) throws {
        hasher.update(bytes: selected.path)
        hasher.update(length: selected.entries.count)
        let known = selected.directory.known
        for entry in selected.entries {
            selected.directory.listing.withName(entry.index) { name in
                hasher.update(length: name.count)
                hasher.update(UnsafeRawBufferPointer(name))
            }
            // A directory that only comes along is told apart: an existing one is then left as it is.
            hasher.update(length: entry.isParentOnly ? 1 : 0)
            try add(entry.index, of: selected.directory, known[entry.index], tree, &hasher)
        }
    }

    /// Adds everything of an entry but its name.
    private static func add(
        _ index: Int, of directory: SourceDirectory, _ known: FileIndex.Content?, _ tree: SourceTree,
        _ hasher: inout SHA256Hasher
    ) throws {
        let status = directory.listing.entries[index].status
        let owner = tree.owner(of: status)
        guard let content = known ?? directory.known[index] else {
            preconditionFailure("contents were read before")
        }
        let isDevice = status.kind == .characterDevice || status.kind == .blockDevice
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 5) { words in
            words[0] = UInt64(status.mode).littleEndian
            words[1] = (UInt64(owner.uid) << 32 | UInt64(owner.gid)).littleEndian
            // The size of a directory is an accident of the file system.
            words[2] = UInt64(status.isDirectory ? 0 : status.size).littleEndian
            words[3] = (isDevice ? status.specialDevice : 0).littleEndian
            words[4] = UInt64(content.hasAttributes ? 1 : 0).littleEndian
            hasher.update(UnsafeRawBufferPointer(words))
        }
        if status.isRegular || status.isLink {
            hasher.update(content.digest.bytes)
        }
        if content.hasAttributes { try addAttributes(index, of: directory, tree, &hasher) }
    }

    private static func addAttributes(
        _ index: Int, of directory: SourceDirectory, _ tree: SourceTree, _ hasher: inout SHA256Hasher
    ) throws {
        let name = directory.listing.name(index)
        let opened = try tree.openDirectory(directory.path)
        let attributes = try describing("read attributes of", "\(directory.path.appending(name))") {
            () throws(Errno) in
            try opened.withDescriptor { (descriptor) throws(Errno) in
                try CopiedAttributes.list(name, at: descriptor, tree.kind)
            }
        }
        hasher.update(length: attributes.count)
        for attribute in attributes {
            hasher.update(field: attribute.name)
            hasher.update(length: attribute.value.count)
            hasher.update(attribute.value)
        }
    }
}

extension SHA256Hasher {
    /// Adds a path preceded by its length.
    fileprivate mutating func update(bytes path: EntryPath) {
        update(length: path.count)
        path.withBytes { update($0) }
    }
}
