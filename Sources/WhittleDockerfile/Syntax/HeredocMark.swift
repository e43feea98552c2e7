internal import WhittleCore

/// `<<NAME` in an instruction, before its body is read.
struct HeredocMark {
    let name: String
    let expands: Bool
    let chomps: Bool
    let fileDescriptor: UInt
    let place: SourceRange

    /// The heredocs that `instruction` announces; empty where it is none that can have any.
    ///
    /// Whether a word is a heredoc is decided as BuildKit decides it: by splitting the line like a shell, always with
    /// the backslash as escape character. A line that cannot be split so has no heredocs.
    static func marks(
        of instruction: RawInstruction.Parts, in line: LogicalLine
    ) -> [HeredocMark] {
        let wrapped = instruction.known == .onbuild ? instruction.arguments.wrapped : nil
        switch wrapped?.known ?? instruction.known {
        case .run, .copy, .add: break
        default: return []
        }
        guard !(wrapped?.isJSON ?? instruction.arguments.isJSON), firstMark(in: line.bytes, line.range) != nil,
            let words = fields(line.text(line.range), [.keepsQuotes, .keepsEscapes, .keepsUnset])
        else { return [] }
        var marks: [HeredocMark] = []
        var search = line.range.lowerBound
        for word in words where word.contains(UInt8(ascii: "<")) {
            let range = find(word, in: line, from: search)
            guard let found = HeredocWord(word) else { continue }
            marks.append(
                HeredocMark(
                    name: found.name, expands: found.expands, chomps: found.chomps,
                    fileDescriptor: found.fileDescriptor, place: line.place(of: range)))
            search = range.upperBound
        }
        return marks
    }

    /// The fields of `text` split like a shell with no variable set; `nil` where it cannot be split.
    static func fields(_ text: String, _ options: WordExpander.Options) -> [[UInt8]]? {
        var lexer = WordLexer(text, escape: .backslash, options: options) { _ in nil }
        lexer.losesFieldStart = true
        do {
            return try lexer.run().fields
        } catch {
            return nil
        }
    }

    /// Where `word` was written. A word that was changed by splitting is found by its `<<` alone.
    private static func find(_ word: [UInt8], in line: LogicalLine, from start: Int) -> Range<Int> {
        var index = start
        while let mark = firstMark(in: line.bytes, index..<line.range.upperBound) {
            let lead = word.firstIndex(of: UInt8(ascii: "<")) ?? 0
            let begin = mark - lead
            if begin >= start, line.bytes[begin..<line.range.upperBound].starts(with: word) {
                return begin..<begin + word.count
            }
            index = mark + 1
        }
        let mark = firstMark(in: line.bytes, start..<line.range.upperBound) ?? start
        return mark..<min(mark + 2, line.range.upperBound)
    }

    /// The offset of the first `<<`.
    private static func firstMark(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while let found = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: "<")) {
            if found + 1 < range.upperBound, bytes[found + 1] == UInt8(ascii: "<") { return found }
            index = found + 1
        }
        return nil
    }
}

/// A word that may be a heredoc, `[FD]<<[-]NAME`.
struct HeredocWord {
    let name: String
    let expands: Bool
    let chomps: Bool
    let fileDescriptor: UInt

    /// `nil` for any other word, and for one whose name is no single word.
    init?(_ word: [UInt8]) {
        var index = 0
        while index < word.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(word[index]) { index += 1 }
        let digits = UTF8Text.string(word, 0..<index)
        guard word[index...].starts(with: [UInt8(ascii: "<"), UInt8(ascii: "<")]) else { return nil }
        index += 2
        chomps = index < word.count && word[index] == UInt8(ascii: "-")
        if chomps { index += 1 }
        while index < word.count, Blank.isASCII(word[index]), word[index] != 0x0B { index += 1 }
        guard index < word.count, !word[index...].contains(UInt8(ascii: "<")) else { return nil }
        let rest = UTF8Text.string(word, index..<word.count)
        guard let plain = HeredocMark.fields(rest, [.keepsUnset]), plain.count == 1,
            let quoted = HeredocMark.fields(rest, [.keepsUnset, .keepsQuotes]), quoted.count == 1
        else { return nil }
        name = UTF8Text.string(plain[0], 0..<plain[0].count)
        // Quotes that vanish in one reading and not in the other were quotes around the name.
        expands = Self.quotes(in: plain[0]) == Self.quotes(in: quoted[0])
        fileDescriptor = digits.isEmpty ? 0 : UInt(digits) ?? .max
    }

    private static func quotes(in text: [UInt8]) -> Int {
        text.count { $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\"") }
    }
}
