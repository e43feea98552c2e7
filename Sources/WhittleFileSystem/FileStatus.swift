internal import CWhittleLinux

#if canImport(Glibc)
    internal import Glibc
#endif

/// What a file is.
package enum FileKind: UInt8, Sendable {
    case regular, directory, symbolicLink, fifo, socket, characterDevice, blockDevice
    /// A type that this program has no name for.
    case unknown

    /// The kind that the type bits of `mode` name.
    package init(mode: UInt32) {
        switch mode & 0o170000 {
        case 0o100000: self = .regular
        case 0o040000: self = .directory
        case 0o120000: self = .symbolicLink
        case 0o010000: self = .fifo
        case 0o140000: self = .socket
        case 0o020000: self = .characterDevice
        case 0o060000: self = .blockDevice
        default: self = .unknown
        }
    }
}

/// A user and a group, by number.
package struct FileOwner: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    /// User and group 0.
    package static let root = FileOwner(uid: 0, gid: 0)
}

/// A time of a file: seconds since 1970, and nanoseconds from 0 to 999,999,999.
package struct FileTime: Hashable, Comparable, Sendable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The clock of the system.
    package static var now: FileTime {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }

    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
    }
}

/// What statx(2) tells of a file.
package struct FileStatus: Hashable, Sendable {
    package var inode: UInt64
    /// The device that the file is on.
    package var device: UInt64
    /// The device that the file is, for a device node.
    package var specialDevice: UInt64
    /// In bytes; the length of the target for a link.
    package var size: Int64
    /// Disk space in units of 512 bytes.
    package var blocks: UInt64
    package var modified: FileTime
    /// When contents or metadata last changed; a program cannot set it.
    package var changed: FileTime
    /// Type and permission bits.
    package var mode: UInt32
    package var links: UInt32
    package var owner: FileOwner

    init(_ raw: whittle_status) {
        inode = raw.inode
        device = raw.device
        specialDevice = raw.special_device
        size = Int64(clamping: raw.size)
        blocks = raw.blocks
        modified = FileTime(seconds: raw.modified_seconds, nanoseconds: raw.modified_nanoseconds)
        changed = FileTime(seconds: raw.changed_seconds, nanoseconds: raw.changed_nanoseconds)
        mode = raw.mode
        links = raw.links
        owner = FileOwner(uid: raw.uid, gid: raw.gid)
    }

    package var kind: FileKind { FileKind(mode: mode) }
    package var isDirectory: Bool { mode & 0o170000 == 0o040000 }
    package var isRegular: Bool { mode & 0o170000 == 0o100000 }
    package var isSocket: Bool { mode & 0o170000 == 0o140000 }
    package var isLink: Bool { mode & 0o170000 == 0o120000 }
    /// The twelve permission bits, with setuid, setgid and sticky.
    package var permissions: UInt32 { mode & 0o7777 }

    /// Whether `other` is the same file with, as far as the kernel tells, the same contents.
    package func isUnchanged(since other: FileStatus) -> Bool {
        inode == other.inode && size == other.size && modified == other.modified && changed == other.changed
            && mode == other.mode && device == other.device
    }
}
