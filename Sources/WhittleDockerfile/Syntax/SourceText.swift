public import WhittleCore

/// The bytes of a Dockerfile with the places of its lines.
///
/// Cheap to copy: the bytes are shared.
public struct SourceText: Sendable {
    /// The file as the user named it.
    public let file: String
    public let bytes: [UInt8]
    /// The offset of the first byte of each line; the first is 0. A byte order mark belongs to line 1.
    public let lineStarts: [Int]

    /// - Complexity: O(bytes).
    public init(_ bytes: [UInt8], file: String) {
        self.file = file
        self.bytes = bytes
        var starts = [0]
        starts.reserveCapacity(bytes.count / 32 + 1)
        var index = bytes.startIndex
        while let feed = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) {
            index = feed + 1
            if index < bytes.count { starts.append(index) }
        }
        self.lineStarts = starts
    }

    /// How many lines there are: an empty file has none, and a line feed at the end begins no further line.
    public var lineCount: Int { bytes.isEmpty ? 0 : lineStarts.count }

    /// The offsets of line `number`, counted from 1, with its line end.
    ///
    /// - Precondition: `number` is in `1...lineCount`.
    func lineRange(_ number: Int) -> Range<Int> {
        lineStarts[number - 1]..<(number < lineStarts.count ? lineStarts[number] : bytes.count)
    }

    /// `range` without line feeds and carriage returns at its end.
    func withoutLineEnd(_ range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        return range.lowerBound..<end
    }

    /// The place of `offsets`, which lie on line `line`.
    func place(_ offsets: Range<Int>, line: Int) -> SourceRange {
        let start = lineStarts[line - 1]
        return SourceRange(
            SourcePosition(line: line, column: offsets.lowerBound - start + 1),
            SourcePosition(line: line, column: offsets.upperBound - start + 1))
    }

    /// `range` with the file's name and its lines. Of a range over many lines only the first 20 are kept, of a line
    /// only the first 64 KiB.
    public func location(of range: SourceRange) -> SourceLocation {
        let last = min(range.end.line, range.start.line + 19)
        let shown = SourceRange(range.start, SourcePosition(line: last, column: 1))
        return SourceLocation(file: file, range: range, lines: lines(of: shown))
    }

    /// The lines that `range` touches, without their ends; of a line only the first 64 KiB.
    public func lines(of range: SourceRange) -> [String] {
        let last = min(range.end.line, lineCount)
        guard range.start.line >= 1, range.start.line <= last else { return [] }
        return (range.start.line...last).map { number in
            let text = withoutLineEnd(lineRange(number))
            return UTF8Text.string(bytes, text.lowerBound..<min(text.upperBound, text.lowerBound + 65_536))
        }
    }
}
