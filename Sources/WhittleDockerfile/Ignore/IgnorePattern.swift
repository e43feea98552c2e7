/// One line of an ignore file, ready to match.
struct IgnorePattern: Sendable {
    /// Whether a match brings a path back: the line began with `!`.
    let isException: Bool
    private let matcher: Matcher

    private enum Matcher: Sendable {
        case exact([UInt8])
        /// Paths that begin with this.
        case prefix([UInt8])
        /// Paths that end with this, and with a slash in front the path without it.
        case suffix([UInt8])
        /// Alternatives, almost always one.
        case expression([Alternative])
    }

    /// - Parameter pattern: cleaned, without `!`, and well-formed.
    /// - Returns: `nil` where moby/patternmatcher cannot compile the pattern.
    init?(_ pattern: [UInt8], isException: Bool) {
        self.isException = isException
        let expression = IgnoreExpression(pattern)
        switch expression.kind {
        case .exact: matcher = .exact(pattern)
        case .prefix: matcher = .prefix(Array(pattern.dropLast(2)))
        case .suffix: matcher = .suffix(Array(pattern.dropFirst(2)))
        case .expression:
            guard let programs = expression.programs() else { return nil }
            matcher = .expression(programs.map { Alternative($0) })
        }
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
        case .expression(let alternatives):
            return alternatives.contains { $0.matches(path, upTo: end, goal: .anywhere, scratch: &scratch) }
        }
    }

    /// Whether the pattern could match something below the directory `path`.
    func canMatch(below path: [UInt8], scratch: inout PatternProgram.Scratch) -> Bool {
        let directory = path + [CleanPath.slash]
        switch matcher {
        case .exact(let text): return text.starts(with: directory)
        case .prefix(let text): return text.starts(with: directory) || directory.starts(with: text)
        case .suffix: return true
        case .expression(let alternatives):
            return alternatives.contains {
                $0.matches(directory, upTo: directory.count, goal: .asPrefix, scratch: &scratch)
            }
        }
    }

    fileprivate static func hasPrefix(_ path: [UInt8], _ end: Int, _ text: [UInt8]) -> Bool {
        guard end >= text.count else { return false }
        for index in text.indices where path[index] != text[index] { return false }
        return true
    }

    fileprivate static func hasSuffix(_ path: [UInt8], _ end: Int, _ text: [UInt8]) -> Bool {
        let start = end - text.count
        guard start >= 0 else { return false }
        // From the end: names differ there more often than in front.
        for index in text.indices.reversed() where path[start + index] != text[index] { return false }
        return true
    }
}

/// One alternative of a pattern's expression.
private struct Alternative: Sendable {
    private let program: PatternProgram
    /// Whether it can only match from the start of a path.
    private let isAtStart: Bool
    /// What every matching path begins and ends with; looked at first.
    private let literalStart: [UInt8]
    private let literalEnd: [UInt8]
    /// How many slashes every matching path has, `nil` where that is not fixed.
    private let slashes: Int?

    init(_ program: PatternProgram) {
        self.program = program
        isAtStart = program.steps.first == .textStart
        literalStart = isAtStart ? Self.literals(program.steps.dropFirst()) : []
        let isAtEnd = program.steps.last == .textEnd
        let tail = program.steps[Self.endOfOptions(program.steps)...]
        literalEnd = isAtEnd ? Self.literals(tail.dropLast().reversed()).reversed() : []
        slashes = isAtStart && isAtEnd ? Self.slashes(program.steps) : nil
    }

    /// Where the steps begin that no way leaves out.
    private static func endOfOptions(_ steps: [PatternProgram.Step]) -> Int {
        var end = 0
        for (index, step) in steps.enumerated() {
            if case .optional(let count) = step { end = index + 1 + count }
        }
        return end
    }

    private static func slashes(_ steps: [PatternProgram.Step]) -> Int? {
        var count = 0
        for step in steps {
            switch step {
            case .one(.literal(let scalar)): count += scalar == UInt32(CleanPath.slash) ? 1 : 0
            case .one(let accepted), .star(let accepted, _):
                guard !accepted.contains(UInt32(CleanPath.slash)) else { return nil }
            case .optional: return nil
            case .textStart, .textEnd, .wordBoundary: break
            }
        }
        return count
    }

    /// The ASCII literals that `steps` begin with.
    private static func literals(_ steps: some Sequence<PatternProgram.Step>) -> [UInt8] {
        var literals: [UInt8] = []
        for step in steps {
            guard case .one(.literal(let scalar)) = step, scalar < 0x80 else { break }
            literals.append(UInt8(scalar))
        }
        return literals
    }

    func matches(
        _ path: [UInt8], upTo end: Int, goal: PatternProgram.Goal, scratch: inout PatternProgram.Scratch
    ) -> Bool {
        if case .anywhere = goal {
            guard IgnorePattern.hasSuffix(path, end, literalEnd), IgnorePattern.hasPrefix(path, end, literalStart)
            else { return false }
            if let slashes, Self.slashes(in: path, upTo: end) != slashes { return false }
        }
        for start in 0...(isAtStart ? 0 : end) {
            if program.match(path, from: start, to: end, goal: goal, scratch: &scratch) != nil { return true }
        }
        return false
    }

    private static func slashes(in path: [UInt8], upTo end: Int) -> Int {
        var count = 0
        for index in 0..<end where path[index] == CleanPath.slash { count += 1 }
        return count
    }
}
