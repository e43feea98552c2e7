internal import WhittleCore
internal import WhittleDockerfile
package import WhittleFrontend
internal import WhittleGraph
package import WhittleLint
internal import WhittleOCI

extension LintRequest {
    /// What the checks are told of a build.
    ///
    /// - Throws: `bad-ignore-pattern`.
    package init(_ options: BuildOptions) throws {
        self.init()
        arguments = options.buildArguments
        target = options.target
        additionalTargets = options.additionalTargets
        targetPlatform = options.platform ?? options.buildPlatform
        buildPlatform = options.buildPlatform
        if options.ignore.file != nil {
            ignore = try IgnorePatterns(options.ignore.patterns)
            ignoreFile = options.ignore.file
        }
        replacedStages = Set(options.namedContexts.keys.map { $0.lowercased() })
    }

    /// The same with what the frontend learned of the base images.
    package func knowing(_ stages: [StageSummary]) -> LintRequest {
        var request = self
        for stage in stages where !(stage.baseImage?.isUnknown ?? true) {
            request.images[stage.index] = stage.baseImage?.configuration
        }
        return request
    }
}

extension BuildWarning {
    /// A finding as a build shows it.
    init(_ finding: LintFinding, in source: SourceText) {
        let position = SourcePosition(line: finding.lines.lowerBound, column: 1)
        let rule = finding.rule
        self.init(
            "\(rule.name): \(finding.detail)",
            at: source.location(of: finding.range ?? SourceRange(position, position)),
            rule: Rule(name: rule.name, description: rule.description, url: rule.url))
    }
}
