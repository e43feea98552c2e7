internal import CWhittleLinux
internal import SystemPackage
public import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

extension BuildError.Code {
    /// The kernel refused to mount or unmount a file system.
    public static let mount = BuildError.Code(rawValue: "mount")
}

/// Mounts and unmounts. Meant for a process in a private mount namespace, whose mounts end with it.
///
/// Every function throws `BuildError` (`mount`) with what the kernel said; after a throw nothing is mounted.
package enum Mount {
    /// Shows `source` also at `target`; both are directories, or both are not. Device nodes in it cannot be opened there.
    ///
    /// - Parameters:
    ///   - isRecursive: whether mounts below `source` come along.
    ///   - isReadOnly: no write goes through `target`, nor through the mounts that came along.
    package static func bind(
        _ source: String, at target: String, isReadOnly: Bool = false, isRecursive: Bool = true
    ) throws(BuildError) {
        try explaining("bind '\(source)'", at: target) { () throws(Errno) in
            let tree = try Syscall.retrying { whittle_clone_tree(AT_FDCWD, source, isRecursive ? 1 : 0) }
            let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: tree))
            try owned.withDescriptor { (tree) throws(Errno) in
                let attributes = noDeviceAttribute | (isReadOnly ? readOnlyAttribute : 0)
                _ = try Syscall.retrying {
                    whittle_mount_setattr(tree.rawValue, attributes, 0, isRecursive ? 1 : 0)
                }
                _ = try Syscall.retrying { whittle_move_mount(tree.rawValue, target) }
            }
        }
    }

    /// Mounts an empty file system in memory.
    ///
    /// - Parameters:
    ///   - size: the most it can hold; half of the memory where `nil`, as the kernel has it.
    ///   - mode: permission bits of its root.
    package static func temporary(
        at target: String, size: ByteCount? = nil, mode: UInt32 = 0o755, owner: FileOwner? = nil
    ) throws(BuildError) {
        var options = "mode=\(String(mode, radix: 8))"
        if let size { options += ",size=\(size.bytes)" }
        if let owner { options += ",uid=\(owner.uid),gid=\(owner.gid)" }
        try explaining("a file system in memory", at: target) { () throws(Errno) in
            let flags = UInt64(MS_NOSUID) | UInt64(MS_NODEV)
            _ = try Syscall.retrying { whittle_mount("tmpfs", target, "tmpfs", flags, options) }
        }
    }

    /// Mounts binfmt_misc, whose files are the handlers of this process's user namespace.
    package static func binaryFormats(at target: String) throws(BuildError) {
        try explaining("binfmt_misc", at: target) { () throws(Errno) in
            let flags = UInt64(MS_NOSUID) | UInt64(MS_NODEV) | UInt64(MS_NOEXEC)
            _ = try Syscall.retrying { whittle_mount("binfmt_misc", target, "binfmt_misc", flags, nil) }
        }
    }

    /// Takes the mount at `target` out of the tree at once; the kernel ends it when nobody uses it any more.
    package static func unmount(_ target: String) throws(BuildError) {
        do throws(Errno) {
            _ = try Syscall.retrying { whittle_unmount(target, CInt(2)) }  // MNT_DETACH
        } catch {
            throw BuildError(
                .mount, "cannot unmount '\(BuildError.printable(target))': \(BuildError.sentence(error))",
                cause: FileSystemFailure(error))
        }
    }

    /// Ends the sharing of mount events with other namespaces, for `target` and all mounts below.
    package static func makePrivate(_ target: String) throws(BuildError) {
        try explaining("a private tree", at: target) { () throws(Errno) in
            _ = try Syscall.retrying { whittle_make_private(target) }
        }
    }

    static let readOnlyAttribute: UInt64 = 0x1  // MOUNT_ATTR_RDONLY
    static let noDeviceAttribute: UInt64 = 0x4  // MOUNT_ATTR_NODEV

    static func explaining(
        _ what: String, at target: String, _ body: () throws(Errno) -> Void
    ) throws(BuildError) {
        do throws(Errno) {
            try body()
        } catch {
            throw failure(what, at: target, error)
        }
    }

    static func failure(_ what: String, at target: String, _ error: Errno, log: String? = nil) -> BuildError {
        let detail = log.map { " (\($0))" } ?? ""
        return BuildError(
            .mount,
            "cannot mount \(what) at '\(BuildError.printable(target))': \(BuildError.sentence(error))\(detail)",
            hint: error == .notPermitted ? "mounting needs root, or a user namespace" : nil,
            cause: FileSystemFailure(error))
    }
}
