internal import CWhittleLinux
package import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#endif

/// The system calls of this project, one thin function each: `EINTR` is retried, a failure is the `Errno`.
///
/// Paths are NUL-terminated bytes (a Swift `String` converts by itself). Sentences about failures are made by the
/// callers, see `BuildError.fileSystem(_:_:_:)`.
package enum Syscall {
    /// Repeats `call` while it is interrupted. A result of -1 is a failure.
    @inline(__always)
    static func retrying<Result: BinaryInteger>(_ call: () -> Result) throws(Errno) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let error = errno
            if error != EINTR { throw Errno(rawValue: error) }
        }
    }

    /// openat(2), always with `O_CLOEXEC`. A relative `path` starts at `directory`.
    package static func open(
        _ path: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0, at directory: FileDescriptor? = nil
    ) throws(Errno) -> OwnedDescriptor {
        let raw = try retrying {
            openat(directory?.rawValue ?? AT_FDCWD, path, flags.rawValue | O_CLOEXEC, mode_t(mode))
        }
        return OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
    }

    /// openat2(2), always with `O_CLOEXEC`. `EAGAIN`, which a concurrent rename or mount anywhere causes, is retried.
    package static func open(
        _ path: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0, at directory: FileDescriptor,
        resolving rule: ResolveFlags
    ) throws(Errno) -> OwnedDescriptor {
        var attempts = 0
        while true {
            do throws(Errno) {
                let raw = try retrying {
                    whittle_openat2(
                        directory.rawValue, path, UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)),
                        UInt64(mode), rule.rawValue)
                }
                return OwnedDescriptor(owning: FileDescriptor(rawValue: raw))
            } catch {
                attempts += 1
                guard error == .resourceTemporarilyUnavailable, attempts < 256 else { throw error }
            }
        }
    }

    /// close(2). `EINTR` counts as closed: on Linux the descriptor is gone by then.
    package static func close(_ descriptor: FileDescriptor) throws(Errno) {
        guard Glibc.close(descriptor.rawValue) == -1 else { return }
        let error = errno
        if error != EINTR { throw Errno(rawValue: error) }
    }

    /// read(2). 0 at the end of the file.
    package static func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try retrying { Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count) }
    }

    /// pread(2). 0 at the end of the file.
    package static func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try retrying { pread(descriptor.rawValue, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// write(2) until all of `buffer` is written.
    package static func writeAll(_ descriptor: FileDescriptor, _ buffer: UnsafeRawBufferPointer) throws(Errno) {
        var rest = buffer
        while !rest.isEmpty {
            let written = try retrying { Glibc.write(descriptor.rawValue, rest.baseAddress, rest.count) }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// pwrite(2) until all of `buffer` is written.
    package static func writeAll(
        _ descriptor: FileDescriptor, _ buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) {
        var rest = buffer
        var offset = offset
        while !rest.isEmpty {
            let written = try retrying { pwrite(descriptor.rawValue, rest.baseAddress, rest.count, off_t(offset)) }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            offset += Int64(written)
        }
    }

    /// write(2) once.
    ///
    /// - Returns: how many bytes it took.
    package static func write(
        _ descriptor: FileDescriptor, _ buffer: UnsafeRawBufferPointer
    ) throws(Errno) -> Int {
        try retrying { Glibc.write(descriptor.rawValue, buffer.baseAddress, buffer.count) }
    }

    /// lseek(2) from the start of the file.
    package static func seek(_ descriptor: FileDescriptor, to offset: Int64) throws(Errno) {
        _ = try retrying { lseek(descriptor.rawValue, off_t(offset), SEEK_SET) }
    }

    /// lseek(2) to the start, so that a directory is read anew.
    package static func rewind(_ descriptor: FileDescriptor) throws(Errno) { try seek(descriptor, to: 0) }

    /// ftruncate(2).
    package static func truncate(_ descriptor: FileDescriptor, to size: Int64) throws(Errno) {
        _ = try retrying { ftruncate(descriptor.rawValue, off_t(size)) }
    }

    /// fsync(2).
    package static func sync(_ descriptor: FileDescriptor) throws(Errno) {
        _ = try retrying { fsync(descriptor.rawValue) }
    }

    /// fdatasync(2).
    package static func syncData(_ descriptor: FileDescriptor) throws(Errno) {
        _ = try retrying { fdatasync(descriptor.rawValue) }
    }

    /// sync_file_range(2) with `SYNC_FILE_RANGE_WRITE`: starts to write a part of the file back, without waiting for it.
    package static func startWriteBack(
        _ descriptor: FileDescriptor, offset: Int64, count: Int64
    ) throws(Errno) {
        _ = try retrying { whittle_start_write_back(descriptor.rawValue, offset, count) }
    }

    /// syncfs(2): writes back the whole file system that `descriptor` is on.
    package static func syncFileSystem(_ descriptor: FileDescriptor) throws(Errno) {
        _ = try retrying { whittle_sync_file_system(descriptor.rawValue) }
    }

    /// flock(2) without waiting; `false` where another open file holds a conflicting lock.
    package static func tryLock(_ descriptor: FileDescriptor, exclusive: Bool) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try retrying { flock(descriptor.rawValue, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) }
            return true
        } catch {
            guard error == .wouldBlock else { throw error }
            return false
        }
    }

    /// fcntl(2) `F_OFD_SETLK` on one byte, which need not exist; `false` where another open file holds it.
    package static func tryLock(_ descriptor: FileDescriptor, byteAt offset: Int64) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try retrying { whittle_try_lock_byte(descriptor.rawValue, offset) }
            return true
        } catch {
            guard error == .resourceTemporarilyUnavailable || error == .permissionDenied else { throw error }
            return false
        }
    }

    /// flock(2), waiting. For locks that are held for moments only: the thread is blocked meanwhile.
    package static func lock(_ descriptor: FileDescriptor, exclusive: Bool) throws(Errno) {
        _ = try retrying { flock(descriptor.rawValue, exclusive ? LOCK_EX : LOCK_SH) }
    }

    /// flock(2) with `LOCK_UN`.
    package static func unlock(_ descriptor: FileDescriptor) throws(Errno) {
        _ = try retrying { flock(descriptor.rawValue, LOCK_UN) }
    }

    /// statx(2) of an open file.
    package static func status(_ descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        try status("", at: descriptor, flags: emptyPath)
    }

    /// statx(2). A link at the end of `path` is not followed unless `followingLinks`.
    package static func status(
        _ path: UnsafePointer<CChar>, at directory: FileDescriptor? = nil, followingLinks: Bool = false
    ) throws(Errno) -> FileStatus {
        try status(path, at: directory, flags: followingLinks ? 0 : AT_SYMLINK_NOFOLLOW)
    }

    /// `AT_EMPTY_PATH`, which Glibc hides from Swift.
    private static let emptyPath: CInt = 0x1000

    private static func status(
        _ path: UnsafePointer<CChar>, at directory: FileDescriptor?, flags: CInt
    ) throws(Errno) -> FileStatus {
        var found = whittle_status()
        _ = try retrying {
            whittle_status_at(directory?.rawValue ?? AT_FDCWD, path, flags, &found)
        }
        return FileStatus(found)
    }

    /// getdents64(2): raw `struct linux_dirent64` records; 0 bytes at the end.
    static func directoryEntries(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        try retrying { whittle_getdents(descriptor.rawValue, buffer.baseAddress, buffer.count) }
    }
}

/// The bits of open(2) that this project uses.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: CInt
    package init(rawValue: CInt) { self.rawValue = rawValue }

    package static let readOnly: OpenFlags = []
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    /// With ``create``: an existing name is an error.
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let directory = OpenFlags(rawValue: O_DIRECTORY)
    package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    /// `O_TMPFILE`: a file without a name, in the directory that is opened. Glibc's value for every architecture Swift
    /// runs on, but for the bit of `O_DIRECTORY` in it.
    package static let unnamed = OpenFlags(rawValue: 0o20000000 | O_DIRECTORY)
    /// Opening a fifo or a device does not wait.
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// `O_PATH`: names the file without opening it. Glibc's value for every architecture Swift runs on.
    package static let pathOnly = OpenFlags(rawValue: 0o10000000)
}

/// The `RESOLVE_*` bits of openat2(2).
package struct ResolveFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let noMountCrossing = ResolveFlags(rawValue: 0x01)
    package static let noMagicLinks = ResolveFlags(rawValue: 0x02)
    package static let noLinks = ResolveFlags(rawValue: 0x04)
    package static let beneath = ResolveFlags(rawValue: 0x08)
    package static let inRoot = ResolveFlags(rawValue: 0x10)
}
