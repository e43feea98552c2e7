internal import CWhittleLinux
package import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#endif

// Calls that make, change and remove names. A name is relative to `directory`, and never followed if it is a link.
extension Syscall {
    /// mkdirat(2). The process's umask applies.
    package static func makeDirectory(
        _ name: UnsafePointer<CChar>, mode: UInt32, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying { mkdirat(directory?.rawValue ?? AT_FDCWD, name, mode_t(mode)) }
    }

    /// unlinkat(2) of anything but a directory.
    package static func unlink(_ name: UnsafePointer<CChar>, at directory: FileDescriptor? = nil) throws(Errno) {
        _ = try retrying { unlinkat(directory?.rawValue ?? AT_FDCWD, name, 0) }
    }

    /// unlinkat(2) of an empty directory.
    package static func removeDirectory(
        _ name: UnsafePointer<CChar>, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying { unlinkat(directory?.rawValue ?? AT_FDCWD, name, AT_REMOVEDIR) }
    }

    /// renameat(2), which replaces `target` atomically.
    package static func rename(
        _ source: UnsafePointer<CChar>, at sourceDirectory: FileDescriptor? = nil,
        to target: UnsafePointer<CChar>, at targetDirectory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying {
            renameat(
                sourceDirectory?.rawValue ?? AT_FDCWD, source, targetDirectory?.rawValue ?? AT_FDCWD, target)
        }
    }

    /// renameat2(2) with `RENAME_NOREPLACE`: an existing `target` is `EEXIST`.
    package static func renameNew(
        _ source: UnsafePointer<CChar>, at sourceDirectory: FileDescriptor? = nil,
        to target: UnsafePointer<CChar>, at targetDirectory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying {
            whittle_rename_new(
                sourceDirectory?.rawValue ?? AT_FDCWD, source, targetDirectory?.rawValue ?? AT_FDCWD, target)
        }
    }

    /// linkat(2): a second name for the file `source`.
    package static func link(
        _ source: UnsafePointer<CChar>, at sourceDirectory: FileDescriptor? = nil,
        to target: UnsafePointer<CChar>, at targetDirectory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying {
            linkat(
                sourceDirectory?.rawValue ?? AT_FDCWD, source, targetDirectory?.rawValue ?? AT_FDCWD, target, 0)
        }
    }

    /// linkat(2) by way of procfs: a name for an open file that was made without one.
    package static func link(_ file: FileDescriptor, to target: UnsafePointer<CChar>) throws(Errno) {
        _ = try retrying {
            linkat(AT_FDCWD, "/proc/self/fd/\(file.rawValue)", AT_FDCWD, target, AT_SYMLINK_FOLLOW)
        }
    }

    /// symlinkat(2).
    package static func makeLink(
        _ name: UnsafePointer<CChar>, to target: UnsafePointer<CChar>, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying { symlinkat(target, directory?.rawValue ?? AT_FDCWD, name) }
    }

    /// readlinkat(2). With an empty `name`, the link that `directory` was opened on with `O_PATH`.
    package static func linkTarget(
        _ name: UnsafePointer<CChar>, at directory: FileDescriptor? = nil
    ) throws(Errno) -> EntryPath {
        // A target longer than PATH_MAX (4096 with the terminator) cannot be made.
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { (buffer) throws(Errno) -> EntryPath in
            guard let base = buffer.baseAddress else { throw .noMemory }
            let length = try retrying {
                readlinkat(directory?.rawValue ?? AT_FDCWD, name, base, buffer.count)
            }
            return EntryPath(UnsafeBufferPointer(rebasing: buffer[..<length]))
        }
    }

    /// mknodat(2). `mode` includes the type.
    package static func makeNode(
        _ name: UnsafePointer<CChar>, mode: UInt32, device: UInt64, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying { mknodat(directory?.rawValue ?? AT_FDCWD, name, mode_t(mode), dev_t(device)) }
    }

    /// fchmod(2). `mode` without the type.
    package static func changeMode(_ descriptor: FileDescriptor, to mode: UInt32) throws(Errno) {
        _ = try retrying { fchmod(descriptor.rawValue, mode_t(mode)) }
    }

    /// fchmodat(2). `EOPNOTSUPP` for a link.
    package static func changeMode(
        _ name: UnsafePointer<CChar>, to mode: UInt32, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying { whittle_chmod_at(directory?.rawValue ?? AT_FDCWD, name, mode) }
    }

    /// fchown(2).
    package static func changeOwner(_ descriptor: FileDescriptor, to owner: FileOwner) throws(Errno) {
        _ = try retrying { fchown(descriptor.rawValue, owner.uid, owner.gid) }
    }

    /// fchownat(2).
    package static func changeOwner(
        _ name: UnsafePointer<CChar>, to owner: FileOwner, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        _ = try retrying {
            fchownat(directory?.rawValue ?? AT_FDCWD, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// futimens(2): both times.
    package static func changeTimes(_ descriptor: FileDescriptor, to time: FileTime) throws(Errno) {
        let times = (time.timespec, time.timespec)
        _ = try withUnsafeBytes(of: times) { (raw) throws(Errno) in
            try retrying { futimens(descriptor.rawValue, raw.assumingMemoryBound(to: timespec.self).baseAddress) }
        }
    }

    /// utimensat(2): both times.
    package static func changeTimes(
        _ name: UnsafePointer<CChar>, to time: FileTime, at directory: FileDescriptor? = nil
    ) throws(Errno) {
        let times = (time.timespec, time.timespec)
        _ = try withUnsafeBytes(of: times) { (raw) throws(Errno) in
            try retrying {
                utimensat(
                    directory?.rawValue ?? AT_FDCWD, name, raw.assumingMemoryBound(to: timespec.self).baseAddress,
                    AT_SYMLINK_NOFOLLOW)
            }
        }
    }
}
