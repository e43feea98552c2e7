public import WhittleCore

/// The metadata of one entry of a tar archive.
///
/// Format: POSIX.1-2017 `pax`, "pax Interchange Format" and "ustar Interchange Format"; GNU tar's extensions when reading.
public struct TarEntry: Hashable, Sendable {
    /// As in the archive, as bytes: names need not be UTF-8. May be absolute, may hold `..`: readers beware.
    public var path: [UInt8]
    /// What the entry is.
    public var kind: Kind
    /// The twelve permission bits.
    public var permissions: UInt16
    /// The owner, by number; names are neither written nor read.
    public var uid: UInt32
    /// The owning group, by number.
    public var gid: UInt32
    /// Bytes of data that follow; 0 for all but regular files.
    public var size: Int64
    /// When the contents last changed. Written as whole seconds.
    public var modified: Timestamp
    /// The target of a symbolic link, or the earlier entry that a hard link names.
    public var linkTarget: [UInt8]
    /// The major number of a device node; 0 for everything else.
    public var deviceMajor: UInt32
    /// The minor number of a device node; 0 for everything else.
    public var deviceMinor: UInt32
    /// Extended attributes by full name (`security.capability`).
    public var attributes: [String: [UInt8]]

    /// What an entry is.
    public enum Kind: Hashable, Sendable {
        case regular
        case hardLink
        case symbolicLink
        case characterDevice
        case blockDevice
        case directory
        case fifo
    }

    /// An entry; what is left out is zero or empty, and the mode is 0644.
    public init(
        path: [UInt8], kind: Kind, permissions: UInt16 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0, size: Int64 = 0,
        modified: Timestamp = Timestamp(seconds: 0), linkTarget: [UInt8] = [], deviceMajor: UInt32 = 0,
        deviceMinor: UInt32 = 0, attributes: [String: [UInt8]] = [:]
    ) {
        self.path = path
        self.kind = kind
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modified = modified
        self.linkTarget = linkTarget
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.attributes = attributes
    }

    /// The path as text, for messages: what is not UTF-8 is replaced.
    public var displayPath: String { String(decoding: path, as: UTF8.self) }
}

/// The size of a tar record; headers and data are padded to it.
let tarBlockSize = 512
