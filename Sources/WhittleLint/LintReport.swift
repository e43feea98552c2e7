public import WhittleCore
public import WhittleDockerfile

/// What the checks say of a Dockerfile.
public struct LintReport: Sendable {
    public let source: SourceText
    /// In the order in which they were found: those about single instructions, about the file, about stages.
    public private(set) var findings: [LintFinding] = []
    /// What would keep the file from being built. The findings are then those up to there.
    public var error: BuildError?
    /// A finding fails a build.
    public private(set) var isStrict = false
    /// The file, where it can be read.
    public private(set) var dockerfile: Dockerfile?

    /// Checks the file as far as it can be read. Nothing is executed, fetched or written.
    public init(_ source: SourceText, _ request: LintRequest) {
        self.source = source
        do throws(BuildError) {
            let raw = try RawDockerfile(parsing: source)
            let options = try CheckOptions(raw.directives, of: source, arguments: request.arguments)
            do throws(BuildError) {
                try check(try Dockerfile(raw), options, request)
            } catch {
                if dockerfile == nil {
                    var list = FindingList(options)
                    SyntaxRules.check(raw, before: error.location?.range.start.line, into: &list)
                    findings = list.findings
                }
                throw error
            }
        } catch {
            self.error = error
        }
    }

    /// Checks a file that was read already.
    ///
    /// - Throws: `invalid-check-options`, `unknown-target`, `too-many-variables`.
    public init(_ dockerfile: Dockerfile, _ request: LintRequest) throws(BuildError) {
        source = dockerfile.source
        let options = try CheckOptions(dockerfile.directives, of: source, arguments: request.arguments)
        try check(dockerfile, options, request)
    }

    private mutating func check(
        _ dockerfile: Dockerfile, _ options: CheckOptions, _ request: LintRequest
    ) throws(BuildError) {
        self.dockerfile = dockerfile
        isStrict = options.isStrict
        var list = FindingList(options)
        SyntaxRules.check(dockerfile.raw, before: nil, into: &list)
        FileRules.checkNames(dockerfile, into: &list)
        FileRules.checkCasing(dockerfile, into: &list)
        let expander = LintExpander(dockerfile.escape)
        FileRules.checkDefaults(dockerfile, request, expander: expander, into: &list)
        defer { findings = list.findings }
        // An argument that cannot be expanded is the build's error.
        guard !dockerfile.stages.isEmpty,
            let globals = try? GlobalArguments(dockerfile, request, expander: expander)
        else { return }
        for stage in dockerfile.stages { FileRules.checkFrom(stage, globals, expander: expander, into: &list) }
        var walk = StageWalk(dockerfile, request, globals, expander: expander, list: list)
        defer { list = walk.list }
        try walk.walk()
    }

    /// The error of a strict file that has findings.
    public var strictError: BuildError? {
        isStrict && !findings.isEmpty ? .checksFailed(findings, in: source) : nil
    }
}
