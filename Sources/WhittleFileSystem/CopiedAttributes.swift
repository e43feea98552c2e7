internal import SystemPackage

/// Which extended attributes a copy carries over.
///
/// Capabilities and `user.` attributes always. From an image also POSIX access lists, whose ids mean the same on both
/// sides. Labels of security modules and the marks of overlayfs belong to the machine and stay behind.
enum CopiedAttributes {
    static func isCopied(_ name: String, _ kind: SourceTree.Kind) -> Bool {
        if name == "security.capability" { return true }
        if name.utf8.starts(with: "user.".utf8) { return !name.utf8.starts(with: "user.overlay.".utf8) }
        return kind == .image && (name == accessList || name == defaultList)
    }

    static let accessList = "system.posix_acl_access"
    static let defaultList = "system.posix_acl_default"

    /// Those of the entry `name` of `directory`, sorted by name.
    static func list(
        _ name: EntryPath, at directory: FileDescriptor, _ kind: SourceTree.Kind
    ) throws(Errno) -> [ExtendedAttribute] {
        try ExtendedAttributes.list(name, at: directory).filter { isCopied($0.name, kind) }
    }

    /// Those of an open file, sorted by name.
    static func list(_ descriptor: FileDescriptor, _ kind: SourceTree.Kind) throws(Errno) -> [ExtendedAttribute] {
        try ExtendedAttributes.list(descriptor).filter { isCopied($0.name, kind) }
    }
}
