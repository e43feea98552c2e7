/// The files that a content digest stands for, one fingerprint for each path: enough to say which of them differ.
///
/// Format: a byte with the depth that paths are cut to (0 for none), then for each entry in byte order of the paths: the
/// number of leading bytes shared with the path before and the number of further bytes (both as LEB128), those
/// bytes, the mode (2 bytes) and the fingerprint (8 bytes), little endian.
package struct FileManifest: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// From the root of the source, without a leading slash.
        package var path: [UInt8]
        /// Type and permission bits, as in `st_mode`.
        package var mode: UInt16
        /// Differs where contents, owner or device do.
        package var fingerprint: UInt64

        package init(path: [UInt8], mode: UInt16, fingerprint: UInt64) {
            self.path = path
            self.mode = mode
            self.fingerprint = fingerprint
        }
    }

    /// In byte order of the paths, each once.
    package private(set) var entries: [Entry]
    /// The number of components that paths were cut to; 0 where every path is whole.
    package private(set) var depth: UInt8 = 0

    /// More entries are not told apart one by one: paths are cut until no more are left. At about 20 bytes each this
    /// is a third of a mebibyte.
    package static let limit = 16_384

    /// A manifest of `entries` in any order; of equal paths one is kept.
    package init(_ entries: [Entry], limit: Int = FileManifest.limit) {
        self.entries = Self.merged(entries)
        while self.entries.count > limit, depth != 1 { cut(to: depth == 0 ? 8 : depth - 1) }
        if self.entries.count > limit { self.entries.removeLast(self.entries.count - limit) }
    }

    /// This manifest with the entries below `newDepth` components taken together.
    func cut(toAtMost newDepth: UInt8) -> FileManifest {
        guard newDepth != 0, depth == 0 || newDepth < depth else { return self }
        var copy = self
        copy.cut(to: newDepth)
        return copy
    }

    private mutating func cut(to newDepth: UInt8) {
        depth = newDepth
        entries = Self.merged(
            entries.map { entry in
                var slashes = 0
                let end = entry.path.firstIndex { byte in
                    if byte == UInt8(ascii: "/") { slashes += 1 }
                    return slashes == Int(newDepth)
                }
                guard let end else { return entry }
                // What is below counts in the directory: its path and mode go into the sum.
                let below = entry.path[end...].reduce(entry.fingerprint ^ UInt64(entry.mode)) {
                    ($0 ^ UInt64($1)) &* 0x100_0000_01b3
                }
                return Entry(path: Array(entry.path[..<end]), mode: 0o040000, fingerprint: below)
            })
    }

    /// Sorted, with entries of equal paths made one.
    private static func merged(_ entries: [Entry]) -> [Entry] {
        var result: [Entry] = []
        result.reserveCapacity(entries.count)
        for entry in entries.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
            if let last = result.indices.last, result[last].path == entry.path {
                if result[last] != entry { result[last].fingerprint = result[last].fingerprint &+ entry.fingerprint }
            } else {
                result.append(entry)
            }
        }
        return result
    }
}

// MARK: - Bytes

extension FileManifest {
    /// The manifest as it is kept.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = [depth]
        var last: [UInt8] = []
        for entry in entries {
            let shared = zip(entry.path, last).prefix { $0 == $1 }.count
            Self.append(shared, to: &bytes)
            Self.append(entry.path.count - shared, to: &bytes)
            bytes += entry.path[shared...]
            withUnsafeBytes(of: entry.mode.littleEndian) { bytes += $0 }
            withUnsafeBytes(of: entry.fingerprint.littleEndian) { bytes += $0 }
            last = entry.path
        }
        return bytes
    }

    /// Reads what ``encoded`` gave; `nil` for anything else.
    package init?(decoding bytes: [UInt8]) {
        guard let depth = bytes.first else { return nil }
        var rest = bytes.dropFirst()
        entries = []
        self.depth = depth
        var path: [UInt8] = []
        while !rest.isEmpty {
            guard let shared = Self.number(&rest), let added = Self.number(&rest), shared <= path.count,
                rest.count >= 10, added <= rest.count - 10
            else { return nil }
            path = Array(path[..<shared] + rest.prefix(added))
            rest = rest.dropFirst(added)
            let mode = rest.prefix(2).reversed().reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
            let fingerprint = rest.dropFirst(2).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(10)
            entries.append(Entry(path: path, mode: mode, fingerprint: fingerprint))
        }
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        var number = number
        while number > 127 {
            bytes.append(UInt8(number & 127) | 128)
            number >>= 7
        }
        bytes.append(UInt8(number))
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        var number = 0
        var shift = 0
        while let byte = rest.popFirst() {
            guard shift < 28 else { return nil }
            number |= Int(byte & 127) << shift
            if byte < 128 { return number }
            shift += 7
        }
        return nil
    }
}
