internal import WhittleCore

/// Splits a file into lines, joins continued ones, and reads each instruction with its heredocs.
struct RawParser {
    private let source: SourceText
    private let bytes: [UInt8]
    /// How many lines are read.
    private var number = 0
    private var directives = DirectiveScanner()
    private var comments: [Comment] = []
    /// The comments above the next instruction.
    private var pendingComments: [String] = []
    private var instructions: [RawInstruction] = []
    private var emptyContinuations: [SourceRange] = []

    private static let hash = UInt8(ascii: "#")

    init(_ source: SourceText) {
        self.source = source
        self.bytes = source.bytes
    }

    mutating func parse() throws(BuildError) -> RawDockerfile {
        while number < source.lineCount { try parseNext() }
        guard !instructions.isEmpty else {
            let start = SourcePosition(line: 1, column: 1)
            throw .noInstructions(at: source.location(of: SourceRange(start, start)))
        }
        return RawDockerfile(
            source: source, directives: directives, comments: comments, instructions: instructions,
            emptyContinuations: emptyContinuations)
    }

    /// The directives at the top alone, as far as they are valid.
    static func directives(of source: SourceText) -> DirectiveScanner {
        var parser = RawParser(source)
        while parser.number < source.lineCount, !parser.directives.isDone {
            do {
                _ = try parser.nextContent()
            } catch {
                return parser.directives
            }
        }
        return parser.directives
    }

    private mutating func parseNext() throws(BuildError) {
        guard let content = try nextContent() else { return }
        let first = number
        let line: LogicalLine
        if let end = continuation(content) {
            line = joined(content.lowerBound..<end)
        } else {
            line = LogicalLine(source, range: content, line: number)
        }
        let scanner = InstructionScanner(line, source: source, escape: directives.escape, comments: pendingComments)
        var instruction = try scanner.scan(lines: first...number)
        try readHeredocs(HeredocMark.marks(of: instruction, in: line), into: &instruction)
        instructions.append(RawInstruction(instruction))
        pendingComments.removeAll(keepingCapacity: true)
    }

    /// Reads one line: directives, comments and empty lines are dealt with here. What is left is the start of an
    /// instruction, without blanks in front and without its line end.
    private mutating func nextContent() throws(BuildError) -> Range<Int>? {
        number += 1
        var range = source.withoutLineEnd(source.lineRange(number))
        if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            range = min(range.lowerBound + 3, range.upperBound)..<range.upperBound
        }
        let content = Blank.skip(bytes, range)..<range.upperBound
        if !content.isEmpty, bytes[content.lowerBound] == Self.hash {
            if !directives.isDone, try directives.scan(source, content, line: number) { return nil }
            let text = addComment(content)
            if text.isEmpty { pendingComments = [] } else { pendingComments.append(text) }
            return nil
        }
        directives.finish()
        return content.isEmpty ? nil : content
    }

    private mutating func addComment(_ range: Range<Int>) -> String {
        let text = UTF8Text.string(bytes, Blank.trim(bytes, range.lowerBound + 1..<range.upperBound))
        comments.append(Comment(text, at: source.place(range, line: number)))
        return text
    }

    /// Where the text of a continued line ends: in front of an escape character that only blanks follow, and no other
    /// escape character precedes. `nil` where the line is not continued.
    private func continuation(_ range: Range<Int>) -> Int? {
        var end = range.upperBound
        while end > range.lowerBound, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        let escape = directives.escape.rawValue
        guard end > range.lowerBound, bytes[end - 1] == escape else { return nil }
        return end - 2 >= range.lowerBound && bytes[end - 2] == escape ? nil : end - 1
    }

    /// Reads the lines that continue `start`. Comments and empty lines between them belong to nothing.
    private mutating func joined(_ start: Range<Int>) -> LogicalLine {
        func segment(_ offset: Int, _ range: Range<Int>) -> LogicalLine.Segment {
            LogicalLine.Segment(
                start: offset, line: number, column: range.lowerBound - source.lineStarts[number - 1] + 1)
        }
        var text = Array(bytes[start])
        let first = segment(0, start)
        var others: [LogicalLine.Segment] = []
        var isOpen = true
        while isOpen, number < source.lineCount {
            number += 1
            let range = source.withoutLineEnd(source.lineRange(number))
            let content = Blank.skip(bytes, range)
            if content == range.upperBound {
                emptyContinuations.append(source.place(range, line: number))
                continue
            }
            if bytes[content] == Self.hash {
                _ = addComment(content..<range.upperBound)
                continue
            }
            let end = continuation(range)
            isOpen = end != nil
            others.append(segment(text.count, range))
            text += bytes[range.lowerBound..<(end ?? range.upperBound)]
        }
        return LogicalLine(joined: text, first: first, others: others)
    }

    private mutating func readHeredocs(
        _ marks: [HeredocMark], into instruction: inout RawInstruction.Parts
    ) throws(BuildError) {
        for mark in marks {
            let firstLine = number
            let terminator = Array(mark.name.utf8)
            var terminatorLine: Range<Int>?
            while terminatorLine == nil, number < source.lineCount {
                number += 1
                var text = source.withoutLineEnd(source.lineRange(number))
                if mark.chomps {
                    while !text.isEmpty, bytes[text.lowerBound] == 0x09 { text = text.dropFirst() }
                }
                if bytes[text].elementsEqual(terminator) { terminatorLine = text }
            }
            guard let end = terminatorLine else {
                throw .unterminatedHeredoc(mark.name, at: source.location(of: mark.place))
            }
            instruction.heredocs.append(heredoc(mark, afterLine: firstLine))
            instruction.lines = instruction.lines.lowerBound...number
            instruction.range = SourceRange(instruction.range.start, source.place(end, line: number).end)
        }
    }

    /// The heredoc whose body begins after line `line` and whose terminator is the line just read.
    private func heredoc(_ mark: HeredocMark, afterLine line: Int) -> Heredoc {
        let body = source.lineStarts[line]..<source.lineStarts[number - 1]
        return Heredoc(
            name: mark.name, content: UTF8Text.string(bytes, body), expands: mark.expands, chomps: mark.chomps,
            fileDescriptor: mark.fileDescriptor, marker: mark.place,
            body: SourceRange(
                SourcePosition(line: line + 1, column: 1), SourcePosition(line: number, column: 1)))
    }
}
