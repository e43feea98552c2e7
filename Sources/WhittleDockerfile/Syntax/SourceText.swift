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
        bytes.withUnsafeBufferPointer { buffer in
            for index in buffer.indices where buffer[index] == UInt8(ascii: "\n") { starts.append(index + 1) }
        }
        if starts.count > 1, starts.last == bytes.count { starts.removeLast() }
        self.lineStarts = starts
    }

    /// The bytes of line `number`, counted from 1, without its end; `nil` where there is no such line.
    public func line(_ number: Int) -> ArraySlice<UInt8>? {
        guard number >= 1, number <= lineStarts.count else { return nil }
        let start = lineStarts[number - 1]
        var end = number < lineStarts.count ? lineStarts[number] : bytes.count
        while end > start, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return bytes[start..<end]
    }

    /// `range` with the file's name and its lines. Of a range over many lines only the first 20 are kept.
    public func location(of range: SourceRange) -> SourceLocation {
        let last = min(range.end.line, range.start.line + 19)
        let lines = stride(from: range.start.line, through: max(range.start.line, last), by: 1).compactMap { number in
            line(number).map { String(decoding: $0, as: UTF8.self) }
        }
        return SourceLocation(file: file, range: range, lines: lines)
    }
}
