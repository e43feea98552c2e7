internal import WhittleCore

extension ContentDigester {
    /// An entry of a selection, for whoever wants to tell which ones differ from those of another.
    package struct Entry {
        /// From the root of the source, without a leading slash.
        package let path: [UInt8]
        /// Type and permission bits, as in `st_mode`.
        package let mode: UInt16
        /// Of everything else that counts: contents, owner, device, whether there are extended attributes. Not
        /// cryptographic.
        package let fingerprint: UInt64
    }

    /// Calls `body` for each entry of a selection that was digested: what ``digest(of:cancellation:)`` took in, in no
    /// particular order. Reads nothing.
    package static func forEachEntry(of plan: CopyPlan, _ body: (Entry) -> Void) {
        for item in plan.items {
            if let position = item.entry.position {
                let content = position.directory.known[position.index]
                body(
                    entry(
                        position.directory.listing.entries[position.index].status, item.entry.path, content, plan.tree))
            }
            for selected in item.selection {
                let known = selected.directory.known
                for entry in selected.entries {
                    let path = selected.directory.path.appending(selected.name(entry))
                    body(self.entry(selected.status(entry), path, known[entry.index], plan.tree))
                }
            }
        }
    }

    private static func entry(
        _ status: FileStatus, _ path: EntryPath, _ content: FileIndex.Content?, _ tree: SourceTree
    ) -> Entry {
        let owner = tree.owner(of: status)
        let isDevice = status.kind == .characterDevice || status.kind == .blockDevice
        var fingerprint: UInt64 = 0
        if let content {
            if status.isRegular || status.isLink {
                fingerprint = content.digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            }
            fingerprint ^= content.hasAttributes ? 1 : 0
        }
        // Multiplied by odd numbers, so that an owner does not cancel out a group.
        fingerprint =
            fingerprint &+ UInt64(owner.uid) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(owner.gid) &* 0xC2B2_AE3D_27D4_EB4F
        fingerprint = fingerprint &+ (isDevice ? UInt64(status.specialDevice) &* 0x1656_67B1_9E37_79F9 : 0)
        return Entry(path: path.bytes, mode: UInt16(truncatingIfNeeded: status.mode), fingerprint: fingerprint)
    }
}
