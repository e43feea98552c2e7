package import WhittleCore

/// One file of an image: its metadata, and the digest of what is in it.
package struct FileEntry: Hashable, Sendable {
    package var kind: Kind
    /// The twelve permission bits.
    package var permissions: UInt16
    package var uid: UInt32
    package var gid: UInt32
    /// Bytes of a regular file; 0 for all else.
    package var size: Int64
    package var modified: Timestamp
    /// Of a regular file; `nil` for all else.
    package var content: Digest?
    /// Of a symbolic link, as bytes: links need not be UTF-8.
    package var linkTarget: [UInt8]
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    /// Extended attributes by full name.
    package var attributes: [String: [UInt8]]
    /// A directory that no layer has an entry for: made for something in it, with mode 0755 and no time of its own.
    package var isImplicit: Bool

    package enum Kind: String, Hashable, Sendable {
        case file
        case directory
        case symbolicLink = "symlink"
        case characterDevice = "character device"
        case blockDevice = "block device"
        case fifo
        case socket

        package var isDevice: Bool { self == .characterDevice || self == .blockDevice }
    }

    package init(
        kind: Kind, permissions: UInt16 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0, size: Int64 = 0,
        modified: Timestamp = Timestamp(seconds: 0), content: Digest? = nil, linkTarget: [UInt8] = [],
        deviceMajor: UInt32 = 0, deviceMinor: UInt32 = 0, attributes: [String: [UInt8]] = [:], isImplicit: Bool = false
    ) {
        self.kind = kind
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modified = modified
        self.content = content
        self.linkTarget = linkTarget
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.attributes = attributes
        self.isImplicit = isImplicit
    }

    /// A directory that only its contents tell of.
    static let implicitDirectory = FileEntry(kind: .directory, permissions: 0o755, isImplicit: true)
}
