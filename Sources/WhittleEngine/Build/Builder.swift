internal import Glibc
internal import WhittleArchive
internal import WhittleCore
internal import WhittleDockerfile
package import WhittleExport
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGitRemote
package import WhittleGraph
internal import WhittleLint
internal import WhittleOCI
package import WhittleRegistry
internal import WhittleRuntime
internal import WhittleSSH
internal import WhittleSecrets
internal import WhittleSnapshot
internal import WhittleStore

/// Builds: reads a Dockerfile, plans, does the steps, and writes the outputs.
package struct Builder: Sendable {
    private let store: BuildStore
    private let settings: @Sendable () throws -> RegistrySettings
    private let report: @Sendable (StepEvent) -> Void

    /// - Parameters:
    ///   - settings: what a registry client needs; read when an image is first looked for in a registry.
    ///   - report: receives what happens, from any thread.
    package init(
        store: BuildStore, settings: @escaping @Sendable () throws -> RegistrySettings,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.store = store
        self.settings = settings
        self.report = report
    }

    /// Builds what `request` asks for and writes `outputs`.
    ///
    /// - Returns: one result for each output that is an image.
    /// - Throws: `BuildError` of the step that failed first, or of an output; `CancellationError`. Nothing stays mounted
    ///   or running, and the store has the results of the steps that succeeded.
    package func build(_ request: BuildRequest, outputs: OutputPlan) async throws -> [ExportResult] {
        var request = request
        let downloads = Downloads(
            store: store, settings: settings, secrets: request.secrets, limit: request.layerLimit, report: report)
        let agents = ForwardedAgents(request.agents) { [store] in try store.scratch.makeDirectory("ssh") }
        defer { agents.close() }
        let gitAgent = GitAgent(agents)
        // Its socket is in the scratch directory, which goes with the process at the latest.
        defer { try? gitAgent.close() }
        let repositories = GitRepositories(store.layout, secrets: request.secrets, limit: request.layerLimit) {
            try gitAgent.socket(for: $0)
        }
        let fetching = Fetching(downloads: downloads, repositories: repositories, agents: agents)
        if let context = request.remoteContext {
            try await ContextLoader(store: store, fetching: fetching, limit: request.layerLimit, report: report)
                .load(context, into: &request)
        }
        return try await build(request, fetching, outputs)
    }

    /// What brings things in from elsewhere.
    struct Fetching: Sendable {
        let downloads: Downloads
        let repositories: GitRepositories
        let agents: ForwardedAgents
    }

    private func build(
        _ request: BuildRequest, _ fetching: Fetching, _ outputs: OutputPlan
    ) async throws -> [ExportResult] {
        announce(request)
        let dockerfile = try Dockerfile(parsing: request.dockerfile, file: request.dockerfileName)
        let images = ImagePuller(
            store: store, ignoringStoreNames: request.pullsAlways, layerLimit: request.layerLimit, settings: settings,
            report: report)
        let plan = try await EpochPlanner(store: store, images: images, report: report).plan(dockerfile, request)
        guard plan.sourceDateEpoch != nil || !outputs.imageFormats.contains(where: \.rewritesTimes) else {
            throw BuildError.epochMissing
        }
        let annotated = Set(outputs.imageFormats.flatMap(\.annotations.platforms))
        for platform in annotated where platform != plan.configuration.platform {
            report(.warning(.annotationForOtherPlatform(platform, plan.configuration.platform)))
        }
        for warning in plan.warnings { report(.warning(warning)) }
        try check(dockerfile, request, plan)
        try checkSecrets(request, plan)
        let layers = LayerBlobs(store)
        let contexts = ContextDirectories(request, store)
        let epoch = BuildEpoch(
            time: plan.sourceDateEpoch, isReproducible: request.options.isReproducible,
            setsAllTimes: request.setsAllTimes)
        let forms = outputs.imageFormats.map { LayerForm($0, epoch) }
        let worker = LocalWorker(
            definition: plan.definition, store: store, contexts: contexts, images: images,
            downloads: fetching.downloads, repositories: fetching.repositories, runtime: request.runtime,
            secrets: request.secrets, agents: fetching.agents,
            background: BackgroundLayers(plan.definition, layers, request.squashes ? [] : forms),
            explainer: StepExplainer(
                plan.definition, database: store.database, settings: ExplanationSettings(request), report: report),
            failures: FailureGate(request.failureShell), resources: request.resources,
            deviceDirectories: request.deviceDirectories, report: report)
        do {
            let run = BuildRun(plan.definition, worker: worker, report: report)
            let generation = Digest(hashing: "\(getpid())-\(UInt64.random(in: 0 ... .max))")
            let results = try await run.outputs(stepLimit: request.stepLimit, generation: generation)
            let products = BuildProducts(
                store: store, plan: plan, snapshot: results.first.flatMap { $0?.snapshot }, layers: layers,
                images: images, mounts: worker.mounts, epoch: epoch, squashes: request.squashes)
            let written = try await write(outputs, products)
            try contexts.saveIndexes()
            try await worker.close()
            return written
        } catch {
            await layers.cancel()
            // In a task of its own, so that a cancelled build cleans up too; awaited at once.
            let cleanUp = await Task { try await worker.close() }.result
            if case .failure(let failure) = cleanUp { throw BuildError.cleanUp(failure, after: error) }
            throw CopySourceLocation.narrowed(error, dockerfile)
        }
    }

    /// Says that the Dockerfile was read, in the words that readers of such logs know.
    private func announce(_ request: BuildRequest) {
        let step = Step(internal: "[internal] load build definition from \(request.dockerfileName)")
        let size = ByteCount(request.dockerfile.count)
        report(.started(step))
        report(
            .progress(
                step,
                StepProgress(name: "transferring dockerfile: \(size)", current: .zero, total: nil, isDone: true)))
        report(.finished(step))
    }

    private func write(_ outputs: OutputPlan, _ products: BuildProducts) async throws -> [ExportResult] {
        var results: [ExportResult] = []
        for output in outputs.outputs {
            let step = Step(internal: "exporting to \(output.type)")
            report(.started(step))
            do {
                let written = try await OutputWriter(store: store, products: products).write(output)
                if let result = written.image {
                    results.append(result)
                    report(
                        .progress(
                            step,
                            StepProgress(
                                name: "manifest \(result.manifest.digest)", current: .zero, total: nil, isDone: true)))
                    for name in result.names {
                        report(
                            .progress(
                                step, StepProgress(name: "naming to \(name)", current: .zero, total: nil, isDone: true))
                        )
                    }
                }
                report(.finished(step))
                report(.exported(name: output.summary, size: written.size))
            } catch {
                report(
                    error is CancellationError
                        ? .cancelled(step) : .failed(step, message: BuildError.message(of: error)))
                throw error
            }
        }
        return results
    }

    /// Warns about what the checks find in the stages that are built.
    ///
    /// - Throws: `checks-failed` where the file asks for that, `invalid-check-options`.
    private func check(_ dockerfile: Dockerfile, _ request: BuildRequest, _ plan: BuildPlan) throws {
        let lint = try LintReport(dockerfile, try LintRequest(request.options).knowing(plan.stages))
        for finding in lint.findings { report(.warning(BuildWarning(finding, in: dockerfile.source))) }
        if let error = lint.strictError { throw error }
    }

    /// Warns about secrets that cannot be searched for, and looks for the others in what the image says of itself: a build
    /// argument may have carried one there.
    private func checkSecrets(_ request: BuildRequest, _ plan: BuildPlan) throws {
        guard !request.secrets.isEmpty else { return }
        let given = request.secrets.sorted { $0.key < $1.key }.map { NamedSecret(id: $0.key, value: $0.value) }
        for secret in given where secret.isTooShort { report(.warning(.shortSecret(secret.id))) }
        guard let leak = ConfigurationLeak.find(given, in: plan.configuration) else { return }
        guard request.options.allowsSecretLeak else { throw leak }
        report(.warning(BuildWarning(leak.message)))
    }
}

/// Starts the layers of the exported stage as soon as their steps are done.
struct BackgroundLayers: Sendable {
    private let vertices: Set<Digest>
    private let layers: LayerBlobs
    private let forms: Set<LayerForm>

    init(_ definition: Definition, _ layers: LayerBlobs, _ forms: [LayerForm]) {
        vertices = Set(definition.layerChain(of: definition.outputs.first ?? nil).filter { !$0.isImage }.map(\.digest))
        self.layers = layers
        self.forms = Set(forms)
    }

    /// To be called when a step of the build has a new result.
    func begin(_ vertex: Vertex, _ snapshot: SnapshotID) async throws {
        guard vertices.contains(vertex.digest) else { return }
        for form in forms { try await layers.begin(snapshot, form) }
    }
}

extension Vertex {
    fileprivate var isImage: Bool {
        if case .source = op { true } else { false }
    }
}

extension BuildWarning {
    static func annotationForOtherPlatform(_ platform: Platform, _ built: Platform) -> BuildWarning {
        BuildWarning("annotations for \(platform) have no effect: the image is for \(built)")
    }
}

extension BuildError {
    /// The message alone, for a line of progress.
    static func message(of error: any Error) -> String { (error as? BuildError)?.message ?? "\(error)" }
}
