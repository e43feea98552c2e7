internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// Follows the instructions of the stages in their order, with the variables that each of them sees, for the rules that need
/// those and for outlines.
struct StageWalk {
    let dockerfile: Dockerfile
    let request: LintRequest
    let expander: LintExpander
    let globals: GlobalArguments
    let links: StageLinks
    var list: FindingList
    /// Of the stages that were walked.
    var outlines: [StageOutline]
    private var scopes: [StageScope?]
    /// Bytes that words came to.
    private var expanded = 0
    /// Variables that stages took over from each other.
    private var handedDown = 0

    /// More than this would take seconds and gigabytes. A build of a hundred stages with a hundred variables each hands down
    /// ten thousand.
    private static let handDownLimit = 2_000_000
    /// What a person writes comes to less than a megabyte.
    private static let expansionLimit = 64 << 20

    init(
        _ dockerfile: Dockerfile, _ request: LintRequest, _ globals: GlobalArguments, expander: LintExpander,
        list: FindingList
    ) {
        self.dockerfile = dockerfile
        self.request = request
        self.expander = expander
        self.globals = globals
        self.list = list
        links = StageLinks(dockerfile, request, globals, expander: expander)
        outlines = Array(repeating: StageOutline(), count: dockerfile.stages.count)
        scopes = Array(repeating: nil, count: dockerfile.stages.count)
    }

    /// Walks the stages that are asked for.
    ///
    /// - Throws: `unknown-target`, `too-many-variables`.
    mutating func walk() throws(BuildError) {
        var targets = [try links.target(request.target)]
        for name in request.additionalTargets { targets.append(try links.target(name)) }
        let all = request.target == nil && request.looksAtAllStages
        let wanted = all ? Set(dockerfile.stages.indices) : links.reachable(from: targets)
        for stage in dockerfile.stages where wanted.contains(stage.index) { try walk(stage) }
    }

    private mutating func walk(_ stage: Stage) throws(BuildError) {
        if stage.name.map({ request.replacedStages.contains($0) }) ?? false { return }
        var scope = try scope(beginning: stage)
        noteFromArguments(of: stage)
        var visit = StageVisit(stage: stage.index)
        for command in links.commands[stage.index] {
            list.enter(comments: command.comments)
            guard expanded <= Self.expansionLimit else {
                throw .expansionsTooLarge(
                    limit: Self.expansionLimit, at: dockerfile.location(of: stage.instruction.range))
            }
            look(at: command, &scope, &visit)
        }
        scopes[stage.index] = scope
    }

    private mutating func scope(beginning stage: Stage) throws(BuildError) -> StageScope {
        var platform = request.targetPlatform
        if let flag = stage.from.platform, let word = expander.word(flag.text, globals.values) {
            platform = Platform(parsing: word.text, default: request.buildPlatform) ?? platform
        }
        guard let base = links.bases[stage.index], let below = scopes[base] else {
            var scope = StageScope(platform: platform)
            let name = expander.word(stage.from.image.text, globals.values)?.text ?? ""
            if let image = request.images[stage.index] {
                checkPlatform(of: image, name, wanted: platform, stage)
                scope.begin(with: image)
            } else if name != "scratch" {
                scope.unknownImage = name
            }
            scope.completePath()
            return scope
        }
        handedDown += below.values.count + below.declared.count
        guard handedDown <= Self.handDownLimit else {
            throw .tooManyVariables(
                limit: Self.handDownLimit, at: dockerfile.location(of: stage.instruction.range))
        }
        return below
    }

    private mutating func checkPlatform(
        of image: ImageConfiguration, _ name: String, wanted: Platform, _ stage: Stage
    ) {
        let found = image.platform
        guard !image.diffIDs.isEmpty, found.os != wanted.os || found.architecture != wanted.architecture else { return }
        list.addForFile(
            .invalidBaseImagePlatform, "the base image '\(name)' is for \(found), and the build is for \(wanted)",
            at: LintPlace(stage.instruction))
    }

    /// The global arguments that a FROM needs, and those that their defaults name.
    private mutating func noteFromArguments(of stage: Stage) {
        var names: Set<String> = []
        for token in [stage.from.image, stage.from.platform].compactMap({ $0 }) {
            names.formUnion(expander.word(token.text, globals.values)?.used ?? [])
        }
        noteGlobals(names, in: stage.index)
    }

    mutating func noteGlobals(_ names: Set<String>, in stage: Int) {
        var pending = Array(names)
        var seen: Set<String> = []
        while let name = pending.popLast() {
            guard seen.insert(name).inserted, let argument = globals.declared[name] else { continue }
            outlines[stage].add(argument)
            pending += argument.dependencies
        }
    }

    // MARK: Words

    /// Expands a word, and finds the variables in it that nothing sets.
    mutating func expand(
        _ text: String, in scope: StageScope, _ visit: inout StageVisit, _ command: StageLinks.Command,
        isDocument: Bool = false
    ) -> String {
        let word = isDocument ? expander.document(text, scope.values) : expander.word(text, scope.values)
        guard let word else { return text }
        expanded += word.text.utf8.count
        for name in word.unset.sorted() { undefined(name, in: scope, &visit, command) }
        return word.text
    }

    mutating func undefined(
        _ name: String, in scope: StageScope, _ visit: inout StageVisit, _ command: StageLinks.Command
    ) {
        guard !scope.declared.contains(name), !Self.silent.contains(name), visit.reported.insert(name).inserted else {
            return
        }
        var note = ""
        if let image = scope.unknownImage {
            if UsualVariables.isSet(name, by: image) { return }
            note = "; the base image '\(image.prefix(100))' was not looked at, which may set it"
        }
        // Looking for a near name takes time with each variable there is; nobody reads the hundredth.
        let known = list.findings.count < 100 && scope.values.count <= 1000 ? scope.values.keys.sorted() : []
        if let near = NearestName.of(name, among: known) { note = " (did you mean '$\(near)'?)" + note }
        list.add(.undefinedVar, "the variable '$\(name)' is not defined\(note)", at: command.place)
    }

    /// Arguments that speak to the builder, and that no variable comes of.
    static let silent: Set<String> = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]
}

/// What is remembered while one stage is walked.
struct StageVisit {
    let stage: Int
    /// The last CMD, ENTRYPOINT and HEALTHCHECK.
    var last: [String: LintPlace] = [:]
    /// Variables that were reported for the current instruction.
    var reported: Set<String> = []
}
