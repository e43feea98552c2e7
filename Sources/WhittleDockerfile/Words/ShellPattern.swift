/// A pattern of `${NAME#PATTERN}` and its relatives: `*` is any text, `?` any character (neither a line feed), `\`
/// escapes `*`, `?` and itself.
struct ShellPattern {
    private let program: PatternProgram

    /// More work than this many pairs of pattern place and text byte is refused.
    static let workLimit = 1 << 26
    /// A replacement that makes a value longer than this many bytes is refused: both may hold as much as a file does,
    /// and their lengths multiply.
    static let resultLimit = 1 << 24

    /// - Throws: ``WordError/badPattern(_:)``.
    init(_ pattern: [UInt8], isGreedy: Bool) throws(WordError) {
        var program = PatternProgram()
        var index = pattern.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while index < pattern.count {
            let (scalar, length) = UTF8Text.scalar(in: pattern, at: index, before: pattern.count)
            index += length
            switch scalar {
            case UInt32(UInt8(ascii: "*")): program.steps.append(.star(.anyButNewline, isGreedy: isGreedy))
            case UInt32(UInt8(ascii: "?")): program.steps.append(.one(.anyButNewline))
            case UInt32(UInt8(ascii: "\\")):
                guard index < pattern.count else { throw .badPattern(UTF8Text.string(pattern, 0..<pattern.count)) }
                let next = pattern[index]
                // `\}` and `\/` only kept the character from ending the pattern.
                if next == UInt8(ascii: "}") || next == UInt8(ascii: "/") { continue }
                guard [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "\\")].contains(next) else {
                    throw .badPattern(UTF8Text.string(pattern, 0..<pattern.count))
                }
                program.steps.append(.one(.literal(UInt32(next))))
                index += 1
            default: program.steps.append(.one(.literal(scalar)))
            }
        }
        self.program = program
    }

    /// `value` without the part at its start that the pattern matches.
    func removingPrefix(from value: [UInt8]) throws(WordError) -> [UInt8] {
        try checkWork(value.count)
        var scratch = PatternProgram.Scratch()
        guard let end = program.match(value, from: 0, to: value.count, goal: .anywhere, scratch: &scratch) else {
            return value
        }
        return Array(value[end...])
    }

    /// `value` with the first match replaced by the text of `replacement`.
    func replacingFirst(in value: [UInt8], with replacement: [UInt8]) throws(WordError) -> [UInt8] {
        try checkWork(value.count)
        var scratch = PatternProgram.Scratch()
        guard let match = search(value, from: 0, scratch: &scratch) else { return value }
        return Array(value[..<match.lowerBound]) + replacement + Array(value[match.upperBound...])
    }

    /// `value` with each match replaced. In `replacement`, `$0` is the match, `$$` a dollar sign, other references are
    /// empty: what BuildKit's use of Go's regular expressions makes of it.
    func replacingAll(in value: [UInt8], with replacement: [UInt8]) throws(WordError) -> [UInt8] {
        try checkWork(value.count)
        let template = ReplacementTemplate(replacement)
        var scratch = PatternProgram.Scratch()
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position <= value.count, let match = search(value, from: position, scratch: &scratch) {
            result += value[copied..<match.lowerBound]
            if match.upperBound > copied || match.lowerBound == 0 {
                template.append(value[match], to: &result)
            }
            guard result.count <= Self.resultLimit else { throw .patternTooLong }
            copied = match.upperBound
            let width =
                position < value.count ? UTF8Text.scalar(in: value, at: position, before: value.count).length : 1
            position = max(match.upperBound, position + width)
        }
        return result + value[copied...]
    }

    /// The leftmost match that begins at `start` or later.
    private func search(
        _ value: [UInt8], from start: Int, scratch: inout PatternProgram.Scratch
    ) -> Range<Int>? {
        var position = start
        while position <= value.count {
            if let end = program.match(value, from: position, to: value.count, goal: .anywhere, scratch: &scratch) {
                return position..<end
            }
            guard position < value.count else { return nil }
            let next = position + UTF8Text.scalar(in: value, at: position, before: value.count).length
            position = max(next, hopelessEnd(value, after: position))
        }
        return nil
    }

    /// Where the next start may be after one at `start` that led to no match: the first star looked for what follows it up to
    /// the end of the line, so no start in front of that finds it either. Without this, each start of a long line would search
    /// the whole line.
    private func hopelessEnd(_ value: [UInt8], after start: Int) -> Int {
        var index = start
        var count = 0
        for step in program.steps {
            switch step {
            case .one(let wanted):
                guard index < value.count else { return start }
                let (scalar, length) = UTF8Text.scalar(in: value, at: index, before: value.count)
                guard wanted.contains(scalar) else { return start }
                index += length
                count += 1
            case .star:
                let line = value[index...].firstIndex(of: 0x0A) ?? value.count
                // What stands in front of the star takes four bytes a step at most.
                var end = max(start, line - 4 * count)
                while end > start, end < value.count, value[end] & 0xC0 == 0x80 { end -= 1 }
                return end
            case .optional, .textStart, .textEnd, .wordBoundary: return start
            }
        }
        return start
    }

    private func checkWork(_ length: Int) throws(WordError) {
        guard (program.steps.count + 1) * (length + 1) <= Self.workLimit else { throw .patternTooLong }
    }

    /// `pattern` backwards, escapes kept in front of what they escape.
    static func reversed(_ pattern: [UInt8]) -> [UInt8] {
        var units: [[Unicode.Scalar]] = []
        var escape: Unicode.Scalar?
        for scalar in UTF8Text.string(pattern, 0..<pattern.count).unicodeScalars {
            if let pending = escape {
                units.append([pending, scalar])
                escape = nil
            } else if scalar == "\\" {
                escape = scalar
            } else {
                units.append([scalar])
            }
        }
        if let escape { units.append([escape]) }
        return units.reversed().joined().flatMap { Array(String($0).utf8) }
    }
}

/// What replaces a match: text with references to it.
private struct ReplacementTemplate {
    private enum Part {
        case text([UInt8])
        case match
    }
    private var parts: [Part] = []

    init(_ template: [UInt8]) {
        var text: [UInt8] = []
        var index = 0
        while index < template.count {
            guard template[index] == UInt8(ascii: "$") else {
                text.append(template[index])
                index += 1
                continue
            }
            if index + 1 < template.count, template[index + 1] == UInt8(ascii: "$") {
                text.append(UInt8(ascii: "$"))
                index += 2
            } else if let (name, end) = Self.reference(template, index + 1) {
                if name == "0" {
                    parts += [.text(text), .match]
                    text = []
                }
                index = end
            } else {
                text.append(UInt8(ascii: "$"))
                index += 1
            }
        }
        parts.append(.text(text))
    }

    /// The `NAME` or `{NAME}` at `start` and the offset after it.
    private static func reference(_ template: [UInt8], _ start: Int) -> (name: String, end: Int)? {
        let isBraced = start < template.count && template[start] == UInt8(ascii: "{")
        let nameStart = isBraced ? start + 1 : start
        var index = nameStart
        while index < template.count {
            let (scalar, length) = UTF8Text.scalar(in: template, at: index, before: template.count)
            guard VariableName.isLetter(scalar) || VariableName.isDigit(scalar) || scalar == 0x5F else { break }
            index += length
        }
        guard index > nameStart else { return nil }
        let name = UTF8Text.string(template, nameStart..<index)
        guard isBraced else { return (name, index) }
        return index < template.count && template[index] == UInt8(ascii: "}") ? (name, index + 1) : nil
    }

    func append(_ match: ArraySlice<UInt8>, to result: inout [UInt8]) {
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .match: result += match
            }
        }
    }
}
