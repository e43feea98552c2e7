internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// Turns the instructions of one stage into vertices and an image configuration, in order.
struct StageLowering {
    let table: StageTable
    let globals: GlobalVariables
    let images: ResolvedImages
    let output: LoweringOutput
    let stage: StageEntry
    var state: StageState
    /// The command being lowered.
    var command: StageCommand?
    /// CMD was given in this stage.
    var hasCommand = false
    private var stepIndex = 0
    private let stepTotal: Int

    var options: BuildOptions { table.options }
    var expansion: Expansion { table.expansion }

    init(
        stage: StageEntry, table: StageTable, globals: GlobalVariables, images: ResolvedImages, output: LoweringOutput
    ) {
        self.stage = stage
        self.table = table
        self.globals = globals
        self.images = images
        self.output = output
        state = StageState(scratchFor: table.options.targetPlatform)
        stepTotal = stage.stepCount
    }

    /// Lowers the whole stage.
    mutating func lowered() throws -> StageState {
        beginWithBase()
        state.begin()
        try output.checkSize(at: location)
        for command in stage.commands {
            self.command = command
            try lower(command)
            guard state.environment.size <= StageState.environmentLimit else {
                throw BuildError.environmentTooLarge(limit: StageState.environmentLimit, at: location)
            }
            try output.checkSize(at: location)
        }
        return state
    }

    // MARK: Base

    private mutating func beginWithBase() {
        switch stage.origin {
        case .scratch: break
        case .stage(let index):
            guard let base = output.finished[index] else { preconditionFailure("a base stage comes first") }
            output.spend(base.size)
            state = base
        case .image(let request):
            guard let image = images[request] else { preconditionFailure("a needed image is resolved") }
            let shown = "FROM \(image.reference)"
            // Before the state is the image's, a step is shown with the platform that the image is wanted for.
            state = StageState(base: image, root: nil, platform: request.platform)
            let name = request.contextName.map { "[context \($0)] \(image.reference)" } ?? stepName(shown)
            let root = output.source(of: image, request: request, metadata: metadata(name, at: stage.location))
            state.root = root
        case .directory(let name, let ignore):
            beginWithFiles(of: output.source(ofDirectory: name, ignore: ignore), named: name)
        case .download(let name, let source):
            beginWithFiles(of: output.source(of: source, contextName: name), named: name)
        case .planned(let context):
            state = StageState(planned: context.plan.configuration, root: output.include(context.plan))
        }
    }

    /// The files become a layer: a directory of the user's machine, or a download, is no layer by itself.
    private mutating func beginWithFiles(of source: Edge, named name: String) {
        let copy = FileAction.copy(CopyAction(input: 0, sources: ["/"], destination: "/"))
        let history = "FROM \(name)"
        var metadata = metadata(stepName(history), at: stage.location)
        metadata.history = history
        state.root = output.graph.add(
            .file(FileOp(base: nil, actions: [copy], time: options.fileTime)), inputs: [source], metadata: metadata)
        addHistory(history, makesLayer: true)
    }

    // MARK: Places and names

    /// The place of a part of the current instruction; of a trigger, the FROM that it runs for.
    func location(of range: SourceRange) -> SourceLocation {
        command?.isTrigger == true ? stage.location : table.dockerfile.location(of: range)
    }

    /// The place of the current instruction.
    var location: SourceLocation { command.map { location(of: $0.instruction.range) } ?? stage.location }

    /// The name of a step that counts: `[builder 3/5] RUN npm ci`.
    mutating func stepName(_ text: String) -> String {
        stepIndex += 1
        return numbered(text)
    }

    /// `text` with the number of the current step once more. It stays on one line, whatever a variable holds.
    func numbered(_ text: String) -> String {
        let text = text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? Self.withoutControls(text) : text
        let total = "\(stepTotal)"
        let index = "\(stepIndex)"
        let padding = String(repeating: " ", count: max(0, total.count - index.count))
        let name = table.displayName(of: stage.index)
        let stageName = name.isEmpty ? "" : name + " "
        let trigger = command?.isTrigger == true ? "ONBUILD " : ""
        return "[\(platformName)\(stageName)\(padding)\(index)/\(total)] \(trigger)\(text)"
    }

    private static func withoutControls(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar) }
        return String(result)
    }

    func metadata(_ name: String, at location: SourceLocation, ignoresCache: Bool = false) -> VertexMetadata {
        // A step with its digest, place and texts takes about this much.
        output.spend(2048 + 32 * state.arguments.count)
        return VertexMetadata(
            name: name, stage: platformName + (stage.name ?? "stage-\(stage.index)"), location: location,
            ignoresCache: ignoresCache,
            origin: StepOrigin(
                position: stepIndex, instruction: command == nil ? "FROM \(stage.base)" : instructionText,
                arguments: Set(state.arguments.map(\.name))))
    }

    // MARK: History

    /// Adds an entry for the current instruction.
    mutating func addHistory(_ text: String, makesLayer: Bool) {
        output.spend(text.utf8.count)
        state.image.history.append(
            HistoryEntry(
                created: options.sourceDateEpoch, createdBy: text, comment: "buildkit.dockerfile.v0",
                isEmptyLayer: !makesLayer))
    }

    // MARK: Words

    /// Expands a word of the current instruction.
    func expand(_ token: Token) throws -> String {
        let text = try expansion.word(token, variables: state.environment, at: location(of: token.range)).text
        output.spend(text.utf8.count)
        return text
    }

    // MARK: Dependencies

    /// The files that a `--from` names.
    ///
    /// - Throws: `later-stage` for a stage that is not above this one.
    func files(of dependency: Dependency) throws -> Edge? {
        switch dependency.kind {
        case .stage(let index):
            guard let state = output.finished[index] else {
                throw BuildError.laterStage(
                    table.names[index], than: table.names[stage.index], at: dependency.location)
            }
            guard table.stages[index].isReplaced else { return state.root }
            switch table.stages[index].origin {
            case .directory(let name, let ignore): return output.source(ofDirectory: name, ignore: ignore)
            case .download(let name, let source): return output.source(of: source, contextName: name)
            case .scratch, .stage, .image, .planned: return state.root
            }
        case .external(let position):
            let external = table.externals[position]
            switch external.origin {
            case .scratch, .stage: return nil
            case .planned(let context): return output.include(context.plan)
            case .directory(let name, let ignore): return output.source(ofDirectory: name, ignore: ignore)
            case .download(let name, let source): return output.source(of: source, contextName: name)
            case .image(let request):
                guard let image = images[request] else { preconditionFailure("a needed image is resolved") }
                let name =
                    request.contextName.map { "[context \($0)] \(image.reference)" } ?? "FROM \(image.reference)"
                return output.source(
                    of: image, request: request,
                    metadata: VertexMetadata(name: name, location: external.location))
            }
        }
    }

    // MARK: Instructions

    private mutating func lower(_ command: StageCommand) throws {
        switch command.instruction.kind {
        case .from: preconditionFailure("a FROM begins a stage")
        case .run(let run): try lower(run, dependencies: command.dependencies)
        case .copy(let copy): try lower(copy, from: command.dependencies.first ?? nil)
        case .add(let add): try lower(add)
        case .workdir(let path): try lowerWorkingDirectory(path)
        case .env(let assignments): try lowerEnvironment(assignments)
        case .arg(let declarations): try lowerArguments(declarations)
        case .label(let assignments): try lowerLabels(assignments)
        case .user(let user): try lowerUser(user)
        case .expose(let ports): try lowerPorts(ports)
        case .volume(let paths): try lowerVolumes(paths)
        case .cmd(let line): lowerCommand(line)
        case .entrypoint(let line): lowerEntrypoint(line)
        case .healthcheck(let check): lowerHealthcheck(check)
        case .stopsignal(let signal): try lowerStopSignal(signal)
        case .shell(let words): lowerShell(words)
        case .onbuild(let trigger):
            if let problem = trigger.problem { output.warn(.uselessTrigger(problem)) }
            state.image.config.onBuild.append(trigger.expression)
        case .maintainer(let name): lowerMaintainer(name)
        }
    }
}
