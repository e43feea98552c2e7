public import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// What each stage begins with and takes files from.
struct StageLinks {
    /// The stage that a FROM names, by the number of the stage.
    private(set) var bases: [Int?] = []
    /// The instructions of each stage, triggers of its base in front.
    private(set) var commands: [[Command]] = []
    private var indexByName: [String: Int] = [:]
    private let dockerfile: Dockerfile

    /// An instruction and where findings about it belong.
    struct Command {
        let instruction: Instruction
        let place: LintPlace
        /// Empty for a trigger.
        let comments: [String]
    }

    init(_ dockerfile: Dockerfile, _ request: LintRequest, _ globals: GlobalArguments, expander: LintExpander) {
        self.dockerfile = dockerfile
        for stage in dockerfile.stages {
            let name = expander.word(stage.from.image.text, globals.values)?.text ?? stage.from.image.text
            let isReplaced = stage.name.map { request.replacedStages.contains($0) } ?? false
            let base = isReplaced ? nil : indexByName[name]
            bases.append(base)
            if let name = stage.name { indexByName[name] = stage.index }
            let own = stage.instructions.map {
                Command(instruction: $0, place: LintPlace($0), comments: $0.comments)
            }
            let triggers = isReplaced ? [] : triggers(of: stage, base: base, request)
            commands.append(isReplaced ? [] : triggers + own)
        }
    }

    private func triggers(of stage: Stage, base: Int?, _ request: LintRequest) -> [Command] {
        var expressions: [String]
        if let base {
            expressions = commands[base].compactMap { command in
                if case .onbuild(let trigger) = command.instruction.kind { trigger.expression } else { nil }
            }
        } else {
            expressions = request.images[stage.index]?.config.onBuild ?? []
        }
        return expressions.compactMap { expression in
            // A trigger that is no instruction is an error of the build.
            guard let instruction = try? Instruction(parsingTrigger: expression, of: stage.from.image.text) else {
                return nil
            }
            return Command(instruction: instruction, place: LintPlace(stage.instruction), comments: [])
        }
    }

    /// The number of the stage that a target names.
    ///
    /// - Throws: `unknown-target`.
    func target(_ name: String?) throws(BuildError) -> Int {
        guard let name else { return bases.count - 1 }
        if let index = indexByName[name.lowercased()] { return index }
        if let index = Int(name), bases.indices.contains(index) { return index }
        let names = dockerfile.stages.map { $0.name ?? "\($0.index)" }
        throw .unknownTarget(name, stages: names)
    }

    /// The stages that `stage` takes files from, as far as they are stages, in order.
    func sources(of stage: Int) -> [Int] {
        commands[stage].flatMap { command -> [Int] in
            switch command.instruction.kind {
            case .copy(let copy):
                guard let from = copy.from?.text else { return [] }
                if let index = Int(from) { return bases.indices.contains(index) ? [index] : [] }
                return indexByName[from.lowercased()].map { [$0] } ?? []
            case .run(let run):
                return run.mounts.compactMap { mount in
                    mount.fields.last { $0.key == "from" }?.value.flatMap { indexByName[$0.lowercased()] }
                }
            default: return []
            }
        }
    }

    /// The stages that `targets` need, themselves included.
    func reachable(from targets: [Int]) -> Set<Int> {
        var found: Set<Int> = []
        var pending = targets
        while let stage = pending.popLast() {
            guard found.insert(stage).inserted else { continue }
            if let base = bases[stage] { pending.append(base) }
            pending += sources(of: stage)
        }
        return found
    }
}

extension BuildError.Code {
    /// `--target` names no stage.
    static let unknownTarget = Self(rawValue: "unknown-target")
    /// The stages together have more variables than anybody could mean.
    public static let tooManyVariables = Self(rawValue: "too-many-variables")
}

extension BuildError {
    fileprivate static func unknownTarget(_ name: String, stages: [String]) -> BuildError {
        let near = NearestName.of(name, among: stages).map { "did you mean '\($0)'? " } ?? ""
        let shown = stages.prefix(20).joined(separator: ", ") + (stages.count > 20 ? ", …" : "")
        return BuildError(.unknownTarget, "no stage is named '\(name)'", hint: near + "the stages are: \(shown)")
    }

    static func expansionsTooLarge(limit: Int, at location: SourceLocation) -> BuildError {
        BuildError(
            .tooManyVariables, "the words up to here come to more than \(ByteCount(Int64(limit)))",
            hint: "fewer or smaller ENV and ARG", at: location)
    }

    static func tooManyVariables(limit: Int, at location: SourceLocation) -> BuildError {
        BuildError(
            .tooManyVariables, "the stages up to here hand down more than \(limit) variables to each other",
            hint: "fewer ENV and ARG, or fewer stages on top of each other", at: location)
    }
}
