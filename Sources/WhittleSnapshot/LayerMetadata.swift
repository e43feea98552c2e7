internal import SystemPackage
internal import WhittleArchive
internal import WhittleFileSystem

/// Gives a file or directory the owner, mode and attributes of its entry.
package enum LayerMetadata {
    static func set(_ entry: TarEntry, on descriptor: FileDescriptor) throws(Errno) {
        try Syscall.changeOwner(descriptor, to: FileOwner(uid: entry.uid, gid: entry.gid))
        // After the owner: changing that takes set-user-ID bits and capabilities away.
        try Syscall.changeMode(descriptor, to: UInt32(entry.permissions))
        if entry.attributes.isEmpty { return }
        for (name, value) in entry.attributes.sorted(by: { $0.key < $1.key }) {
            try set(ExtendedAttribute(name: name, value: value), on: descriptor)
        }
    }

    /// Gives a directory what another one has, `status` included.
    static func copy(
        from source: FileDescriptor, _ status: FileStatus, to descriptor: FileDescriptor
    ) throws(Errno) {
        try Syscall.changeOwner(descriptor, to: status.owner)
        try Syscall.changeMode(descriptor, to: status.permissions)
        for attribute in try ExtendedAttributes.list(source) { try set(attribute, on: descriptor) }
        try Syscall.changeTimes(descriptor, to: status.modified)
    }

    private static func set(_ attribute: ExtendedAttribute, on descriptor: FileDescriptor) throws(Errno) {
        if isReserved(attribute.name) { return }
        do throws(Errno) {
            try ExtendedAttributes.set(attribute, on: descriptor)
        } catch {
            guard isForgivable(attribute.name, error) else { throw error }
        }
    }

    /// Whether a layer keeps this attribute: those that belong to a file wherever it is, capabilities and the user's own.
    /// The others belong to this machine: overlayfs's marks, SELinux labels, access control lists of the host.
    package static func isKept(_ name: String) -> Bool {
        name == "security.capability" || name.hasPrefix("user.") && !name.hasPrefix("user.overlay.")
    }

    /// The type bits of a node's mode.
    static func typeBits(_ kind: TarEntry.Kind) -> UInt32 {
        switch kind {
        case .characterDevice: 0o020000
        case .blockDevice: 0o060000
        default: 0o010000
        }
    }

    /// Attributes that would tell overlayfs something, which a layer says with markers, or this program.
    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("trusted.overlay.") || name.hasPrefix("user.overlay.") || name == DevicePlaceholder.attributeName
    }

    /// Whether a layer is as good without an attribute: on a file system that has none, in a user namespace that may not
    /// set it, or where it belongs to another machine (labels of a security module that this one does not know).
    private static func isForgivable(_ name: String, _ error: Errno) -> Bool {
        switch error {
        case .notSupported, .notPermitted: true
        case .invalidArgument: name != "security.capability" && !name.hasPrefix("user.")
        default: false
        }
    }
}
