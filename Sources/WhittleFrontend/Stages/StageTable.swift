internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// The stages of a Dockerfile with what each of them needs.
struct StageTable {
    let dockerfile: Dockerfile
    let options: BuildOptions
    let expansion: Expansion
    private(set) var stages: [StageEntry] = []
    private(set) var externals: [ExternalSource] = []
    /// Warnings about options that name stages.
    private(set) var warnings: [BuildWarning] = []

    /// The last stage of each name. FROM sees only what is above it, `--from` sees all.
    private var indexByName: [String: Int] = [:]
    private let contexts: [String: NamedContext]

    /// Expands every FROM and finds what each instruction reads from, in stages that are needed or not.
    init(
        _ dockerfile: Dockerfile, options: BuildOptions, globals: GlobalVariables, expansion: Expansion
    ) throws {
        self.dockerfile = dockerfile
        self.options = options
        self.expansion = expansion
        contexts = Dictionary(
            options.namedContexts.map { (NamedContext.normalisedName($0.key) ?? $0.key, $0.value) },
            uniquingKeysWith: { first, _ in first })
        for stage in dockerfile.stages {
            stages.append(try entry(of: stage, globals: globals))
            if let name = stage.name { indexByName[name] = stage.index }
        }
        for stage in dockerfile.stages where !stages[stage.index].isReplaced {
            stages[stage.index].commands = try stage.instructions.map { instruction in
                try command(instruction, trigger: nil)
            }
        }
        warnAboutCacheFilter()
    }

    // MARK: Names

    /// The name a step is shown with: `builder`, `stage-1`, or empty where there is but one source of files.
    func displayName(of index: Int) -> String {
        if stages.count == 1, externals.isEmpty { return "" }
        return stages[index].name ?? "stage-\(index)"
    }

    /// The stages' names, numbers where they have none.
    var names: [String] { stages.map { $0.name ?? "\($0.index)" } }

    /// The stage that a target names.
    ///
    /// - Throws: `unknown-target`.
    func target(_ name: String?) throws(BuildError) -> Int {
        guard let name else { return stages.count - 1 }
        if let index = indexByName[name.lowercased()] { return index }
        if let index = Int(name), stages.indices.contains(index) { return index }
        throw .unknownTarget(name, stages: names, nearest: nearestStage(to: name))
    }

    /// The stage whose name is nearest to one that was found nowhere. For a number it is the stage of that number, which
    /// `RUN --mount=from=` does not take.
    func nearestStage(to name: String) -> String? { Self.nearestStage(to: name, among: stages.map(\.name)) }

    /// - Parameter names: of all stages in their order, `nil` for those without one.
    static func nearestStage(to name: String, among names: [String?]) -> String? {
        if let index = Int(name), names.indices.contains(index) { return names[index] }
        return NearestName.of(name, among: names.compactMap { $0 })
    }

    // MARK: FROM

    private mutating func entry(of stage: Stage, globals: GlobalVariables) throws -> StageEntry {
        let from = stage.from
        let location = dockerfile.location(of: stage.instruction.range)
        let baseLocation = dockerfile.location(of: from.image.range)
        let base = try expansion.word(from.image, variables: globals.values)
        guard !base.text.isEmpty else {
            throw BuildError.emptyBaseName(
                from.image.text, undefined: base.undefined, globals: globals, at: baseLocation)
        }
        let platform = try from.platform.map { try self.platform($0, globals: globals) }
        let context = from.stageName.flatMap { named($0) }
        let origin: Origin
        if let context {
            origin = try self.origin(
                of: context.context, name: context.name, platform: platform ?? options.targetPlatform, at: baseLocation)
        } else if let index = indexByName[base.text] {
            origin = .stage(index)
        } else if base.text == "scratch" {
            origin = .scratch
        } else {
            origin = try self.origin(
                of: base.text, platform: platform ?? options.targetPlatform, undefined: base.undefined,
                globals: globals, at: baseLocation)
        }
        return StageEntry(
            index: stage.index, name: from.stageName, base: base.text, origin: origin, isReplaced: context != nil,
            platform: platform, location: location, baseLocation: baseLocation, commands: [],
            ignoresCache: options.ignoresCache(stage: from.stageName))
    }

    private mutating func platform(_ token: Token, globals: GlobalVariables) throws -> Platform {
        let location = dockerfile.location(of: token.range)
        let word = try expansion.word(token, variables: globals.values)
        guard let platform = Platform(parsing: word.text, default: options.buildPlatform) else {
            throw BuildError.invalidPlatform(
                word.text, written: token.text, undefined: word.undefined, globals: globals, at: location)
        }
        return platform
    }

    // MARK: Sources

    /// The named context for a stage or image name.
    private func named(_ name: String) -> (name: String, context: NamedContext)? {
        guard !contexts.isEmpty, name != "scratch", name != "context",
            let key = NamedContext.normalisedName(name), let context = contexts[key]
        else { return nil }
        return (key, context)
    }

    private func origin(
        of context: NamedContext, name: String, platform: Platform, at location: SourceLocation
    ) throws(BuildError) -> Origin {
        switch context {
        case .scratch: return .scratch
        case .directory(_, let ignore): return .directory(name: name, ignore)
        case .http(let source): return .download(name: name, .http(source))
        case .git(let source): return .download(name: name, .git(source))
        case .planned(let contexts):
            // As buildx: a target for one platform serves all; of several, only the right one does.
            let fitting =
                contexts.first { $0.platform.satisfies(platform) } ?? (contexts.count == 1 ? contexts[0] : nil)
            guard let fitting else {
                throw .contextForOtherPlatforms(name, platform, available: contexts.map(\.platform), at: location)
            }
            return .planned(fitting)
        case .image(let reference):
            return .image(ImageRequest(source: .reference(reference), platform: platform, contextName: name))
        case .layout(let layout):
            return .image(ImageRequest(source: .layout(layout), platform: platform, contextName: name))
        }
    }

    /// An image by name, or the named context that replaces it.
    private func origin(
        of name: String, platform: Platform, undefined: [String] = [], globals: GlobalVariables? = nil,
        at location: SourceLocation
    ) throws(BuildError) -> Origin {
        if let context = named(name) {
            return try origin(of: context.context, name: context.name, platform: platform, at: location)
        }
        do throws(ImageReference.Invalid) {
            let reference = try ImageReference(parsing: name)
            return .image(ImageRequest(source: .reference(reference), platform: platform, contextName: nil))
        } catch {
            let stage = indexByName[name.lowercased()].flatMap { stages.indices.contains($0) ? stages[$0].name : nil }
            throw .invalidBaseName(
                name, error, undefined: undefined, globals: globals, stage: stage ?? nearestStage(to: name),
                at: location)
        }
    }

    // MARK: Instructions

    /// - Parameter trigger: the FROM that an ONBUILD trigger runs for.
    private mutating func command(_ instruction: Instruction, trigger: SourceLocation?) throws -> StageCommand {
        var dependencies: [Dependency?] = []
        switch instruction.kind {
        case .copy(let copy):
            guard let from = copy.from else { break }
            let location = trigger ?? dockerfile.location(of: from.range)
            let expanded = try expansion.word(from, variables: VariableList(), at: location)
            guard expanded.text == from.text else { throw BuildError.variableInFrom(from.text, at: location) }
            dependencies = [try dependency(from.text, allowsNumber: true, at: location)]
        case .run(let run):
            dependencies = try run.mounts.map { mount in
                guard let field = mount.fields.last(where: { $0.key == "from" }), let name = field.value, !name.isEmpty
                else { return nil }
                let location = trigger ?? dockerfile.location(of: field.token.range)
                return try dependency(name, allowsNumber: false, at: location)
            }
        default: break
        }
        return StageCommand(instruction: instruction, isTrigger: trigger != nil, dependencies: dependencies)
    }

    private mutating func dependency(
        _ name: String, allowsNumber: Bool, at location: SourceLocation
    ) throws -> Dependency {
        if allowsNumber, let index = Int(name) {
            guard stages.indices.contains(index) else {
                throw BuildError.unknownStageNumber(index, count: stages.count, at: location)
            }
            return Dependency(kind: .stage(index), location: location)
        }
        if let index = indexByName[name.lowercased()] {
            return Dependency(kind: .stage(index), location: location)
        }
        let origin =
            name == "scratch"
            ? .scratch : try self.origin(of: name, platform: options.targetPlatform, at: location)
        let position =
            externals.firstIndex { $0.name == name }
            ?? {
                externals.append(ExternalSource(name: name, origin: origin, location: location))
                return externals.count - 1
            }()
        return Dependency(kind: .external(position), location: location)
    }

    /// Puts ONBUILD triggers in front of a stage's instructions.
    mutating func addTriggers(_ instructions: [Instruction], to index: Int) throws {
        let location = stages[index].location
        let commands = try instructions.map { try command($0, trigger: location) }
        stages[index].commands.insert(contentsOf: commands, at: 0)
    }

    /// Notes that a stage's triggers are known.
    mutating func markTriggersAdded(to index: Int) { stages[index].hasTriggers = true }

    private mutating func warnAboutCacheFilter() {
        for name in options.noCacheFilter.sorted() where indexByName[name.lowercased()] == nil {
            warnings.append(.unknownCacheFilter(name, nearest: nearestStage(to: name)))
        }
    }
}
