internal import WhittleCore

/// An instruction's line, continuations joined, that knows where each of its bytes was written.
struct LogicalLine {
    /// The whole file where the instruction stands on one line, else a buffer of the joined lines.
    let bytes: [UInt8]
    let range: Range<Int>
    /// In order of `start`; the first starts at or before `range.lowerBound`.
    private let first: Segment
    private let others: [Segment]

    /// A stretch of ``bytes`` that stands on one line of the file.
    struct Segment {
        let start: Int
        let line: Int
        /// The column of `start`.
        let column: Int
    }

    /// A line of the file as it stands: `lineStart` is the offset of column 1.
    init(_ source: SourceText, range: Range<Int>, line: Int) {
        self.bytes = source.bytes
        self.range = range
        self.first = Segment(start: source.lineStarts[line - 1], line: line, column: 1)
        self.others = []
    }

    init(joined bytes: [UInt8], first: Segment, others: [Segment]) {
        self.bytes = bytes
        self.range = 0..<bytes.count
        self.first = first
        self.others = others
    }

    private init(bytes: [UInt8], range: Range<Int>, first: Segment, others: [Segment]) {
        self.bytes = bytes
        self.range = range
        self.first = first
        self.others = others
    }

    /// A part of this line with the same places.
    func narrowed(to part: Range<Int>) -> LogicalLine {
        LogicalLine(bytes: bytes, range: part, first: first, others: others)
    }

    func text(_ range: Range<Int>) -> String { UTF8Text.string(bytes, range) }

    func token(_ range: Range<Int>) -> Token { Token(text(range), at: place(of: range)) }

    func token(_ text: String, at range: Range<Int>) -> Token { Token(text, at: place(of: range)) }

    /// Where `range` was written. The end is the place after its last byte, on that byte's line.
    func place(of range: Range<Int>) -> SourceRange {
        let start = position(of: range.lowerBound)
        guard !range.isEmpty else { return SourceRange(start, start) }
        let last = position(of: range.upperBound - 1)
        return SourceRange(start, SourcePosition(line: last.line, column: last.column + 1))
    }

    func position(of offset: Int) -> SourcePosition {
        let segment = segment(of: offset)
        return SourcePosition(line: segment.line, column: segment.column + offset - segment.start)
    }

    private func segment(of offset: Int) -> Segment {
        var low = 0
        var high = others.count
        while low < high {
            let middle = (low + high) / 2
            if others[middle].start <= offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : others[low - 1]
    }
}
