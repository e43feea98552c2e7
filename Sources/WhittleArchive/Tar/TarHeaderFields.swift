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
        let path = entry.kind == .directory && entry.path.last != UInt8(ascii: "/") ? entry.path + [UInt8(ascii: "/")] : entry.path
        setName(path)
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

    /// The 512 bytes of the header.
    func block() -> [UInt8] {
        var block = [UInt8](repeating: 0, count: tarBlockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        put(name, at: 0)
        put(Self.octal(mode, 7), at: 100)
        put(Self.octal(uid, 7), at: 108)
        put(Self.octal(gid, 7), at: 116)
        put(Self.octal(size, 11), at: 124)
        put(Self.octal(seconds, 11), at: 136)
        block[156] = type
        put(linkName, at: 157)
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        put(Self.octal(major, 7), at: 329)
        put(Self.octal(minor, 7), at: 337)
        put(prefix, at: 345)
        // The checksum is that of the header with blanks in the checksum's place.
        for index in 148..<156 { block[index] = UInt8(ascii: " ") }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(Self.octal(sum, 6) + [0, UInt8(ascii: " ")], at: 148)
        return block
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

    private mutating func setName(_ path: [UInt8]) {
        if path.count <= 100, Self.isPlain(path) {
            name = path
        } else if path.count <= 256, Self.isPlain(path), let slash = Self.prefixLength(of: path) {
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

    private static func octal(_ value: UInt64, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
    }

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
