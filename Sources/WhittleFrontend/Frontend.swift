internal import WhittleCore
public import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// Lowers a Dockerfile to the graph of a build.
///
/// The meaning of every instruction is that of BuildKit's Dockerfile frontend; `README.md` of this target lists the few
/// differences. Reads no file and runs nothing: images are found through the ``ImageResolver``.
public struct Frontend: Sendable {
    private let resolver: any ImageResolver

    public init(resolver: any ImageResolver) { self.resolver = resolver }

    /// Lowers what `options` ask for.
    ///
    /// Stages that no target needs are checked as far as their FROM and their dependencies go, and left out: their
    /// images are not resolved. The images that are needed are resolved side by side.
    ///
    /// - Throws: `BuildError` for everything that is wrong in the Dockerfile or the options; what the resolver throws;
    ///   `CancellationError`.
    public func plan(_ dockerfile: Dockerfile, options: BuildOptions = BuildOptions()) async throws -> BuildPlan {
        guard !dockerfile.stages.isEmpty else { throw BuildError.noStages(in: dockerfile.source.file) }
        let expansion = Expansion(dockerfile)
        try FrontendImage.check(dockerfile, options)
        var globals = try GlobalVariables(dockerfile, options: options, expansion: expansion)
        var options = options
        let epochWarning = try SourceDateEpoch(dockerfile).apply(to: &options, &globals)
        var table = try StageTable(dockerfile, options: options, globals: globals, expansion: expansion)
        let targets = try ([table.target(options.target)] + options.additionalTargets.map { try table.target($0) })
        try table.checkCycles()
        var images = ResolvedImages()
        while true {
            let needed = table.reachable(from: targets)
            try await images.resolve(table.wantedImages(needed), with: resolver)
            guard try table.addTriggers(to: needed.stages, images: images) else { break }
            try table.checkCycles()
        }
        return try lower(
            table, globals: globals, images: images, targets: targets,
            warnings: options.builderArgumentWarnings + (epochWarning.map { [$0] } ?? []))
    }

    private func lower(
        _ table: StageTable, globals: GlobalVariables, images: ResolvedImages, targets: [Int],
        warnings: [BuildWarning]
    ) throws -> BuildPlan {
        let output = LoweringOutput(localNames: table.options.localNames)
        for warning in warnings + table.warnings + table.undeclaredArguments(globals) { output.warn(warning) }
        let needed = table.reachable(from: targets).stages
        // A stage that a context replaces is there from the start, so that stages above it may take its files too.
        let order =
            needed.sorted().filter { table.stages[$0].isReplaced }
            + needed.sorted().filter { !table.stages[$0].isReplaced }
        for index in order {
            var lowering = StageLowering(
                stage: table.stages[index], table: table, globals: globals, images: images, output: output)
            output.finished[index] = try lowering.lowered()
        }
        let planned = targets.map { index -> (target: PlannedTarget, root: Edge?) in
            guard let state = output.finished[index] else { preconditionFailure("a target is reachable from itself") }
            return (PlannedTarget(stage: index, configuration: state.finalImage(table.options)), state.root)
        }
        return BuildPlan(
            definition: output.graph.definition(of: planned.map(\.root)), targets: planned.map(\.target),
            stages: table.stages.map { stage in
                StageSummary(
                    index: stage.index, name: stage.name, base: stage.base, isBuilt: needed.contains(stage.index),
                    location: stage.location, baseImage: stage.image(among: images))
            }, baseImages: output.baseImages, warnings: output.warnings,
            sourceDateEpoch: table.options.sourceDateEpoch)
    }
}

extension StageState {
    /// The configuration of an image made from the stage.
    fileprivate func finalImage(_ options: BuildOptions) -> ImageConfiguration {
        var image = image
        image.config.labels.merge(options.labels) { _, new in new }
        guard let platform = options.platform else { return image }
        let isSame = image.os == platform.os && image.architecture == platform.architecture
        image.os = platform.os
        image.architecture = platform.architecture
        if !platform.variant.isEmpty || !isSame { image.variant = platform.variant }
        if !platform.osVersion.isEmpty || !isSame { image.osVersion = platform.osVersion }
        return image
    }
}

extension StageTable {
    /// The images among what is needed.
    fileprivate func wantedImages(_ needed: (stages: Set<Int>, externals: Set<Int>)) -> [ResolvedImages.Wanted] {
        let stageNames = stages.map(\.name)
        func wanted(_ origin: Origin, _ name: String, at location: SourceLocation) -> ResolvedImages.Wanted? {
            guard case .image(let request) = origin else { return nil }
            return ResolvedImages.Wanted(request: request, name: name, location: location, stageNames: stageNames)
        }
        let bases = needed.stages.sorted().compactMap { index in
            wanted(stages[index].origin, stages[index].base, at: stages[index].baseLocation)
        }
        let sources = needed.externals.sorted().compactMap { index in
            wanted(externals[index].origin, externals[index].name, at: externals[index].location)
        }
        return bases + sources
    }
}
