internal import WhittleCore

/// The lines of an ignore file.
enum IgnoreFile {
    /// The patterns with their places: trimmed, shortened, and without a slash in front.
    static func lines(of source: SourceText) -> [(pattern: String, place: SourceRange)] {
        var lines: [(pattern: String, place: SourceRange)] = []
        let bytes = source.bytes
        for number in 1..<source.lineCount + 1 {
            var range = source.lineRange(number)
            if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { range = range.dropFirst(3) }
            if !range.isEmpty, bytes[range.lowerBound] == UInt8(ascii: "#") { continue }
            let content = Blank.trim(bytes, range)
            guard !content.isEmpty else { continue }
            let isException = bytes[content.lowerBound] == UInt8(ascii: "!")
            let path = isException ? Blank.trim(bytes, content.dropFirst()) : content
            let clean = path.isEmpty ? [] : withoutSlash(CleanPath.of(bytes[path]))
            let pattern = (isException ? "!" : "") + UTF8Text.string(clean, 0..<clean.count)
            lines.append((pattern, source.place(content, line: number)))
        }
        return lines
    }

    private static func withoutSlash(_ path: [UInt8]) -> [UInt8] {
        path.count > 1 && path[0] == CleanPath.slash ? Array(path.dropFirst()) : path
    }
}
