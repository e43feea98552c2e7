/// Finds the version of Go in a program of a Go before 1.18, whose bytes stream by once.
///
/// The header has the address of the version's own header (address and length), which follows it in the file; the version is
/// among the constants, which come before both. So the places of all texts that begin like a version are kept until it is
/// known which of them is meant.
struct OldFormat {
    /// Of the modules, between the marks.
    var modules: String?
    private var versions: [Int64: [UInt8]] = [:]
    private var segments: [Segment] = []
    private var pointers: GoBuildInfo.Pointers?
    private var textHeader: [UInt8] = []
    private var textHeaderOffset: Int64?

    /// A piece of the file with its address in memory.
    private struct Segment {
        let offset: UInt64
        let address: UInt64
        let size: UInt64
    }

    private static let begin = Array("go1.".utf8)
    private static let versionSize = 24
    /// Programs have some hundred, in messages and file names.
    private static let versionLimit = 20_000

    /// Looks at the next bytes of the file, of which the first ones may have been there before.
    mutating func take(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        var from = 0
        while versions.count < Self.versionLimit,
            let place = ByteSearch.first(Self.begin, rare: 3, in: bytes, from: from)
        {
            from = place + 1
            // The tail is at least as long as this: one that is cut off comes again, whole.
            versions[offset + Int64(place)] = Array(bytes[place...].prefix(Self.versionSize))
        }
        takeTextHeader(bytes, at: offset)
    }

    /// Notes the header of the file's build information.
    mutating func found(_ pointers: GoBuildInfo.Pointers, _ head: [UInt8]) {
        guard self.pointers == nil else { return }
        self.pointers = pointers
        segments = Self.segments(head)
        textHeaderOffset = offset(of: pointers.version)
    }

    /// What there is to say at the end of the file; `nil` where it had no header.
    var info: GoBuildInfo? {
        guard pointers != nil else { return nil }
        return GoBuildInfo(goVersion: version ?? "", modules: modules ?? "")
    }

    private var version: String? {
        guard let pointers, textHeader.count == 2 * pointers.size else { return nil }
        let address = textHeader[..<pointers.size].integer(isBigEndian: pointers.isBigEndian)
        let length = textHeader[pointers.size...].integer(isBigEndian: pointers.isBigEndian)
        guard let place = offset(of: address), let bytes = versions[place] else { return nil }
        return String(decoding: bytes.prefix(Int(min(length, UInt64(bytes.count)))), as: UTF8.self)
    }

    private mutating func takeTextHeader(_ bytes: UnsafeRawBufferPointer, at start: Int64) {
        guard let wanted = textHeaderOffset, let pointers else { return }
        let size = Int64(2 * pointers.size)
        guard wanted >= start, wanted + size <= start + Int64(bytes.count) else { return }
        textHeader = Array(bytes[Int(wanted - start)..<Int(wanted - start + size)])
    }

    private func offset(of address: UInt64) -> Int64? {
        for segment in segments where address >= segment.address && address - segment.address < segment.size {
            let (sum, overflow) = segment.offset.addingReportingOverflow(address - segment.address)
            return overflow ? nil : Int64(exactly: sum)
        }
        return nil
    }

    /// The loaded segments, by the program headers at the begin of the file.
    private static func segments(_ head: [UInt8]) -> [Segment] {
        guard head.count >= 64, head[4] == 1 || head[4] == 2, head[5] == 1 || head[5] == 2 else { return [] }
        let is64 = head[4] == 2
        let isBigEndian = head[5] == 2
        func number(_ offset: Int, _ size: Int) -> UInt64? {
            guard offset >= 0, offset <= head.count - size else { return nil }
            return head[offset..<offset + size].integer(isBigEndian: isBigEndian)
        }
        let word = is64 ? 8 : 4
        guard let table = number(is64 ? 32 : 28, word).flatMap({ Int(exactly: $0) }), table <= head.count,
            let size = number(is64 ? 54 : 42, 2).map(Int.init), let count = number(is64 ? 56 : 44, 2).map(Int.init),
            size >= (is64 ? 56 : 32)
        else { return [] }
        return (0..<count).compactMap { index in
            let start = table + index * size
            // PT_LOAD
            guard number(start, 4) == 1, let offset = number(start + (is64 ? 8 : 4), word),
                let address = number(start + (is64 ? 16 : 8), word),
                let length = number(start + (is64 ? 32 : 16), word)
            else { return nil }
            return Segment(offset: offset, address: address, size: length)
        }
    }
}
