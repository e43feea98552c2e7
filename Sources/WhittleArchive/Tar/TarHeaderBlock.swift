internal import WhittleCore

/// One header block as it was read.
struct TarHeaderBlock {
    /// What is wrong with a header.
    struct Problem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    let bytes: [UInt8]
    let type: UInt8
    let size: Int64

    /// - Throws: where the checksum is wrong or the size is no number.
    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        let stored = try Self.number(bytes[148..<156])
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for byte in bytes {
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        // The sum is that of the header with blanks in the sum's own place.
        for byte in bytes[148..<156] {
            unsigned += Int64(UInt8(ascii: " ")) - Int64(byte)
            signed += Int64(UInt8(ascii: " ")) - Int64(Int8(bitPattern: byte))
        }
        // Old programs summed signed characters.
        guard stored == unsigned || stored == signed else { throw Problem("a header with a wrong checksum") }
        type = bytes[156]
        size = try Self.checked(size: Self.number(bytes[124..<136]))
    }

    /// The entry, or `nil` for a type that is no file.
    func entry(with extensions: TarExtensions) throws -> TarEntry? {
        let name = extensions.path ?? headerPath
        guard let kind = kind(of: name) else { return nil }
        guard !name.contains(0) else { throw Problem("a name with a NUL byte") }
        let target = extensions.linkTarget ?? Self.text(bytes[157..<257])
        let isLink = kind == .hardLink || kind == .symbolicLink
        guard !isLink || (!target.isEmpty && !target.contains(0)) else { throw Problem("a link without a target") }
        let uid = try extensions.number("uid") ?? Self.number(bytes[108..<116])
        let gid = try extensions.number("gid") ?? Self.number(bytes[116..<124])
        let size = try self.size(with: extensions)
        let isDevice = kind == .characterDevice || kind == .blockDevice
        return TarEntry(
            path: name, kind: kind, permissions: UInt16(truncatingIfNeeded: try Self.number(bytes[100..<108]) & 0o7777),
            uid: UInt32(clamping: uid), gid: UInt32(clamping: gid), size: kind == .regular ? size : 0,
            modified: try extensions.modified ?? Timestamp(seconds: Self.number(bytes[136..<148])),
            linkTarget: isLink ? target : [],
            deviceMajor: isDevice ? UInt32(clamping: try Self.number(bytes[329..<337])) : 0,
            deviceMinor: isDevice ? UInt32(clamping: try Self.number(bytes[337..<345])) : 0,
            attributes: extensions.attributes)
    }

    /// How many bytes of data follow the header.
    func size(with extensions: TarExtensions) throws -> Int64 {
        try Self.checked(size: extensions.size ?? size)
    }

    /// A size that leaves room for padding.
    private static func checked(size: Int64) throws -> Int64 {
        guard size >= 0 else { throw Problem("a header with a negative size") }
        guard size <= Int64.max - Int64(tarBlockSize) else { throw Problem("a number that is too large") }
        return size
    }

    private func kind(of name: [UInt8]) -> TarEntry.Kind? {
        switch type {
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        // Before ustar a directory was a file whose name ends with a slash.
        case 0, UInt8(ascii: "0"): name.last == UInt8(ascii: "/") ? .directory : .regular
        case UInt8(ascii: "7"), UInt8(ascii: "S"): .regular
        default: nil
        }
    }

    /// The path in the fields `prefix` and `name`. GNU's own format uses the prefix for other things.
    private var headerPath: [UInt8] {
        let name = Self.text(bytes[0..<100])
        let isPOSIX = bytes[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? Self.text(bytes[345..<500]) : []
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    /// The bytes before the first NUL.
    static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// A number: octal digits between blanks and NULs, or GNU's big-endian binary form with the first bit set.
    static func number(_ field: ArraySlice<UInt8>) throws -> Int64 {
        guard let first = field.first else { return 0 }
        if first & 0x80 != 0 {
            // The rest is two's complement; 0xff starts a negative number.
            var value: Int64 = first == 0xff ? -1 : Int64(first & 0x7f)
            for byte in field.dropFirst() {
                let (product, overflow) = value.multipliedReportingOverflow(by: 256)
                guard !overflow else { throw Problem("a number that is too large") }
                value = product | Int64(byte)
            }
            return value
        }
        var value: Int64 = 0
        for byte in field.drop(while: { $0 == UInt8(ascii: " ") || $0 == 0 }) {
            guard byte != UInt8(ascii: " "), byte != 0 else { break }
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) else {
                throw Problem("a header that is no tar header")
            }
            guard value < Int64.max >> 3 else { throw Problem("a number that is too large") }
            value = value << 3 | Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }
}

/// Tells whether bytes are the start of a tar archive.
public enum TarHeaderProbe {
    /// Whether `bytes` begin with a header block whose checksum is right.
    public static func isHeader(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= tarBlockSize, bytes.prefix(tarBlockSize).contains(where: { $0 != 0 }) else { return false }
        // Not a header, for whatever reason: that is the answer.
        return (try? TarHeaderBlock(Array(bytes.prefix(tarBlockSize)))) != nil
    }
}
