/// A place in a text file.
public struct SourcePosition: Hashable, Comparable, Sendable {
    /// Counted from 1.
    public let line: Int
    /// Counted from 1, in UTF-8 bytes.
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A half-open stretch of a text file: `end` is the position after the last byte.
public struct SourceRange: Hashable, Sendable {
    public let start: SourcePosition
    public let end: SourcePosition

    public init(_ start: SourcePosition, _ end: SourcePosition) {
        self.start = start
        self.end = end
    }
}

/// A stretch of a named file, with the lines of the file around it, so that an error can show them wherever it is
/// printed.
public struct SourceLocation: Hashable, Sendable {
    /// The file as the user named it.
    public let file: String
    public let range: SourceRange
    /// The text of the lines from `range.start.line` to `range.end.line`, without line ends; empty where unknown.
    public let lines: [String]

    public init(file: String, range: SourceRange, lines: [String]) {
        self.file = file
        self.range = range
        self.lines = lines
    }
}
