/// Finds objects in a pack. Format: gitformat-pack(5), versions 1 and 2 of `*.idx`.
///
/// Reads the few entries on the way of a binary search: the index of a large repository is larger than a build's memory
/// should be.
struct GitPackIndex {
    private let file: GitFile
    private let isVersion2: Bool
    private let path: String

    init(_ path: String) throws {
        self.path = path
        file = try GitFile(path)
        isVersion2 = try file.bytes(at: 0, 4) == [0xFF, 0x74, 0x4F, 0x63]
        if isVersion2, try file.number(at: 4) != 2 { throw GitDamage("'\(path)' has an unknown version") }
    }

    var packPath: String { path.dropLast(".idx".count) + ".pack" }

    /// Where the object begins in the pack; `nil` where it is not in it.
    func offset(of name: GitObjectName) throws -> Int64? {
        let wanted = name.bytes
        let table: Int64 = isVersion2 ? 8 : 0
        // How many names begin with each byte or a lower one.
        let first = wanted[0] == 0 ? 0 : Int64(try file.number(at: table + 4 * Int64(wanted[0] - 1)))
        var range = first..<max(first, Int64(try file.number(at: table + 4 * Int64(wanted[0]))))
        let total = Int64(try file.number(at: table + 4 * 255))
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            let found = try file.bytes(at: position(of: middle, wanted.count), wanted.count)
            if found == wanted { return try offset(of: middle, total, wanted.count) }
            let isBelow = found.lexicographicallyPrecedes(wanted)
            range = isBelow ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }

    private func position(of number: Int64, _ nameLength: Int) -> Int64 {
        // Version 1 has the offset in front of each name.
        isVersion2 ? 8 + 1024 + number * Int64(nameLength) : 1024 + number * Int64(nameLength + 4) + 4
    }

    private func offset(of number: Int64, _ total: Int64, _ nameLength: Int) throws -> Int64 {
        guard isVersion2 else { return Int64(try file.number(at: position(of: number, nameLength) - 4)) }
        let offsets = 8 + 1024 + total * Int64(nameLength + 4)
        let offset = try file.number(at: offsets + 4 * number)
        guard offset & 0x8000_0000 != 0 else { return Int64(offset) }
        // Beyond 2 GiB: the number of an entry of 8 bytes in another table.
        let large = try file.bytes(at: offsets + 4 * total + 8 * Int64(offset & 0x7FFF_FFFF), 8)
        return Int64(bitPattern: large.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
