/// Paths as Go's `filepath.Clean` leaves them: the shortest that mean the same, without looking at any disk.
enum CleanPath {
    static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// `path` without empty parts, `.`, and `..` that a part in front can take back; `.` for nothing.
    static func of(_ path: ArraySlice<UInt8>) -> [UInt8] {
        let isRooted = path.first == slash
        var parts: [ArraySlice<UInt8>] = []
        for part in path.split(separator: slash) where part != [dot] {
            if part == [dot, dot] {
                if let last = parts.last, last != [dot, dot] {
                    parts.removeLast()
                    continue
                }
                if isRooted { continue }
            }
            parts.append(part)
        }
        let joined = Array(parts.joined(separator: [slash]))
        if isRooted { return [slash] + joined }
        return joined.isEmpty ? [dot] : joined
    }
}
