public import WhittleCore
internal import WhittleDockerfile

/// Something that a check found.
public struct LintFinding: Hashable, Sendable {
    public let rule: LintRule
    /// What was found, in one sentence.
    public let detail: String
    /// The instruction: first and last line. Of a trigger, the FROM that it runs for.
    public let lines: ClosedRange<Int>
    /// The same as a range; `nil` where only lines are known.
    public let range: SourceRange?
}

/// Collects what the rules find, as far as it is wanted.
struct FindingList {
    /// Those of the file.
    let options: CheckOptions
    private(set) var findings: [LintFinding] = []
    /// Those of the instruction whose comments were looked at last.
    private var local: CheckOptions

    init(_ options: CheckOptions) {
        self.options = options
        local = options
    }

    /// Looks at the comments above an instruction: they hold for ``add(_:_:at:)`` until the next call.
    mutating func enter(comments: [String]) { local = comments.isEmpty ? options : options.adding(comments) }

    /// Adds what is wanted with the comments of the instruction.
    mutating func add(_ rule: LintRule, _ detail: @autoclosure () -> String, at place: LintPlace) {
        if local.allows(rule) { append(rule, detail(), at: place) }
    }

    /// Adds what no comment above an instruction can silence: rules about the file.
    mutating func addForFile(_ rule: LintRule, _ detail: @autoclosure () -> String, at place: LintPlace) {
        if options.allows(rule) { append(rule, detail(), at: place) }
    }

    private mutating func append(_ rule: LintRule, _ detail: String, at place: LintPlace) {
        findings.append(LintFinding(rule: rule, detail: detail, lines: place.lines, range: place.range))
    }
}

/// Where a finding is.
struct LintPlace: Hashable {
    let lines: ClosedRange<Int>
    let range: SourceRange?

    init(lines: ClosedRange<Int>, range: SourceRange?) {
        self.lines = lines
        self.range = range
    }

    init(_ instruction: RawInstruction) { self.init(lines: instruction.lines, range: instruction.range) }

    init(_ instruction: Instruction) { self.init(instruction.raw) }
}
