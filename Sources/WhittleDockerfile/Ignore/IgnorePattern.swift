/// One line of an ignore file, ready to match.
struct IgnorePattern: Sendable {
    /// Whether a match brings a path back: the line began with `!`.
    let isException: Bool
    private let matcher: Matcher
    /// What every matching path begins and ends with; looked at first.
    private let literalStart: [UInt8]
    private let literalEnd: [UInt8]

    private enum Matcher: Sendable {
        case exact([UInt8])
        /// Paths that begin with this.
        case prefix([UInt8])
        /// Paths that end with this, and with a slash in front the path without it.
        case suffix([UInt8])
        case program(PatternProgram)
    }

    /// - Parameter pattern: cleaned, without `!`, and well-formed.
    /// - Returns: `nil` where moby/patternmatcher cannot compile the pattern.
    init?(_ pattern: [UInt8], isException: Bool) {
        self.isException = isException
        let expression = IgnoreExpression(pattern)
        var start: [UInt8] = []
        var end: [UInt8] = []
        switch expression.kind {
        case .exact: matcher = .exact(pattern)
        case .prefix: matcher = .prefix(Array(pattern.dropLast(2)))
        case .suffix: matcher = .suffix(Array(pattern.dropFirst(2)))
        case .expression:
            guard let program = expression.program() else { return nil }
            matcher = .program(program)
            start = Self.literals(program.steps)
            end = Self.literals(program.steps.reversed()).reversed()
        }
        literalStart = start
        literalEnd = end
    }

    /// The ASCII literals that `steps` begin with.
    private static func literals(_ steps: [PatternProgram.Step]) -> [UInt8] {
        var literals: [UInt8] = []
        for case .one(.literal(let scalar)) in steps.prefix(while: { Self.isASCII($0) }) {
            literals.append(UInt8(truncatingIfNeeded: scalar))
        }
        return literals
    }

    private static func isASCII(_ step: PatternProgram.Step) -> Bool {
        if case .one(.literal(let scalar)) = step { scalar < 0x80 } else { false }
    }

    /// Whether the pattern matches `path[..<end]` itself, not one of its parents.
    func matches(_ path: [UInt8], upTo end: Int, scratch: inout PatternProgram.Scratch) -> Bool {
        switch matcher {
        case .exact(let text): return end == text.count && Self.hasPrefix(path, end, text)
        case .prefix(let text): return Self.hasPrefix(path, end, text)
        case .suffix(let text):
            if Self.hasSuffix(path, end, text) { return true }
            return text.first == CleanPath.slash && end == text.count - 1
                && zip(path, text.dropFirst()).allSatisfy { $0 == $1 }
        case .program(let program):
            guard end >= literalStart.count, end >= literalEnd.count, Self.hasSuffix(path, end, literalEnd),
                Self.hasPrefix(path, end, literalStart)
            else { return false }
            return program.match(path, from: 0, to: end, goal: .atEnd, scratch: &scratch) != nil
        }
    }

    /// Whether the pattern could match something below the directory `path`.
    func canMatch(below path: [UInt8], scratch: inout PatternProgram.Scratch) -> Bool {
        let directory = path + [CleanPath.slash]
        switch matcher {
        case .exact(let text): return text.starts(with: directory)
        case .prefix(let text): return text.starts(with: directory) || directory.starts(with: text)
        case .suffix: return true
        case .program(let program):
            return program.match(directory, from: 0, to: directory.count, goal: .asPrefix, scratch: &scratch) != nil
        }
    }

    private static func hasPrefix(_ path: [UInt8], _ end: Int, _ text: [UInt8]) -> Bool {
        guard end >= text.count else { return false }
        for index in text.indices where path[index] != text[index] { return false }
        return true
    }

    private static func hasSuffix(_ path: [UInt8], _ end: Int, _ text: [UInt8]) -> Bool {
        let start = end - text.count
        guard start >= 0 else { return false }
        // From the end: names differ there more often than in front.
        for index in text.indices.reversed() where path[start + index] != text[index] { return false }
        return true
    }
}
