internal import WhittleCore

/// The fields of one ustar header as they are written, and what needs a pax header beside it.
struct TarHeaderFields {
    private var name: [UInt8] = []
    private var prefix: [UInt8] = []
    private var linkName: [UInt8] = []
    private var mode: UInt64 = 0
    private var uid: UInt64 = 0
    private var gid: UInt64 = 0
    private var size: UInt64 = 0
    private var seconds: UInt64 = 0
    private var type: UInt8 = 0
    private var major: UInt64 = 0
    private var minor: UInt64 = 0
    /// pax records: what does not fit into the fields above.
    private(set) var extended: [String: [UInt8]] = [:]

    init(_ entry: TarEntry) {
        type = Self.type(of: entry.kind)
        mode = UInt64(entry.permissions)
        let needsSlash = entry.kind == .directory && entry.path.last != UInt8(ascii: "/")
        setName(needsSlash ? entry.path + [UInt8(ascii: "/")] : entry.path)
        linkName = entry.linkTarget
        if linkName.count > 100 || !Self.isPlain(linkName) {
            extended["linkpath"] = linkName
            linkName = Array(linkName.prefix(100))
        }
        uid = number(UInt64(entry.uid), digits: 7, "uid")
        gid = number(UInt64(entry.gid), digits: 7, "gid")
        size = number(UInt64(entry.kind == .regular ? max(0, entry.size) : 0), digits: 11, "size")
        if entry.modified.seconds < 0 {
            extended["mtime"] = Array(String(entry.modified.seconds).utf8)
        } else {
            seconds = number(UInt64(entry.modified.seconds), digits: 11, "mtime")
        }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            // Linux has 12 bits for the one and 20 for the other, and the fields have 21.
            major = min(UInt64(entry.deviceMajor), Self.limit(7))
            minor = min(UInt64(entry.deviceMinor), Self.limit(7))
        }
        for (name, value) in entry.attributes { extended["SCHILY.xattr." + name] = value }
    }

    /// The header of the pax records that precede `entry`.
    init(extensionOf entry: TarEntry, size: Int) {
        type = UInt8(ascii: "x")
        mode = 0o644
        self.size = UInt64(size)
        // The name matters to nobody but tar programs that do not know pax headers, which unpack them as files.
        let last = entry.path.split(separator: UInt8(ascii: "/")).last ?? []
        name = Array("PaxHeaders.0/".utf8) + last.prefix(80).filter { $0 < 0x80 && $0 >= 0x20 }
    }

    /// Writes the 512 bytes of the header to `block`, which holds zeros.
    func write(to block: UnsafeMutableRawBufferPointer) {
        func put(_ bytes: [UInt8], at offset: Int) {
            UnsafeMutableRawBufferPointer(rebasing: block[offset..<offset + bytes.count]).copyBytes(from: bytes)
        }
        func put(octal value: UInt64, digits: Int, at offset: Int) {
            var rest = value
            for index in stride(from: offset + digits - 1, through: offset, by: -1) {
                block[index] = UInt8(ascii: "0") + UInt8(rest & 7)
                rest >>= 3
            }
        }
        put(name, at: 0)
        put(octal: mode, digits: 7, at: 100)
        put(octal: uid, digits: 7, at: 108)
        put(octal: gid, digits: 7, at: 116)
        put(octal: size, digits: 11, at: 124)
        put(octal: seconds, digits: 11, at: 136)
        block[156] = type
        put(linkName, at: 157)
        put(Self.magic, at: 257)
        put(octal: major, digits: 7, at: 329)
        put(octal: minor, digits: 7, at: 337)
        put(prefix, at: 345)
        // The checksum is that of the header with blanks in the checksum's place.
        var sum: UInt64 = 8 * UInt64(UInt8(ascii: " "))
        for byte in block { sum += UInt64(byte) }
        put(octal: sum, digits: 6, at: 148)
        block[155] = UInt8(ascii: " ")
    }

    /// pax records in the order of their keys: `LENGTH KEY=VALUE\n`, where the length counts itself.
    static func records(_ records: [String: [UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in records.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let rest = key.utf8.count + value.count + 3
            var length = rest + 1
            while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
            bytes += Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        }
        return bytes
    }

    /// With the version.
    private static let magic = Array("ustar\u{0}00".utf8)

    private mutating func setName(_ path: [UInt8]) {
        let isPlain = Self.isPlain(path)
        if path.count <= 100, isPlain {
            name = path
        } else if path.count <= 256, isPlain, let slash = Self.prefixLength(of: path) {
            prefix = Array(path[..<slash])
            name = Array(path[(slash + 1)...])
        } else {
            extended["path"] = path
            name = Array(path.prefix(100))
        }
    }

    /// Where to split a path into a prefix of at most 155 and a name of at most 100 bytes, at a slash.
    private static func prefixLength(of path: [UInt8]) -> Int? {
        let end = path.last == UInt8(ascii: "/") ? path.count - 1 : path.count
        let slash = path[..<min(end, 156)].lastIndex(of: UInt8(ascii: "/"))
        return slash.flatMap { $0 > 0 && path.count - $0 - 1 <= 100 && path.count - $0 - 1 > 0 ? $0 : nil }
    }

    private mutating func number(_ value: UInt64, digits: Int, _ key: String) -> UInt64 {
        if value <= Self.limit(digits) { return value }
        extended[key] = Array(String(value).utf8)
        return 0
    }

    private static func limit(_ digits: Int) -> UInt64 { (1 << UInt64(3 * digits)) - 1 }

    /// ASCII, which every reader takes alike.
    private static func isPlain(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 < 0x80 && $0 != 0 } }

    private static func type(of kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .regular: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }
}
