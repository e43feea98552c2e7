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
    /// - Throws: as ``build(_:)``.
    package func build(_ request: BuildRequest, outputs: OutputPlan) async throws -> [ExportResult] {
        try await build([BuildTarget(request, outputs: outputs)])[0]
    }

    /// Builds targets as one graph, in which equal steps are one, and writes their outputs.
    ///
    /// How many steps run at once, and what a layer may unpack to, is as the first target has it.
    ///
    /// - Parameter targets: at least one; several have names.
    /// - Returns: for each target one result for each of its outputs that is an image.
    /// - Throws: `BuildError` of the step that failed first, or of an output; `CancellationError`. Nothing stays mounted
    ///   or running, and the store has the results of the steps that succeeded.
    package func build(_ targets: [BuildTarget]) async throws -> [[ExportResult]] {
        precondition(!targets.isEmpty, "a build without a target")
        let images = ImagePuller(
            store: store, layerLimit: targets[0].request.layerLimit, settings: settings, report: report)
        let pushes = BuildPushes(targets, store: store, client: images.client, report: report)
        guard let pushes else { return try await build(targets, images, nil) }
        return try await pushes.checking { try await build(targets, images, pushes.pusher) }
    }

    private func build(
        _ targets: [BuildTarget], _ images: ImagePuller, _ pusher: ImagePusher?
    ) async throws -> [[ExportResult]] {
        let fetching = targets.map { Fetching($0.request, store, settings: settings, report: report) }
        defer { for fetching in fetching { fetching.close() } }
        let builds = try await TargetPlanner(store: store, images: images, settings: settings, report: report)
            .plan(targets, fetching)
        return try await run(zip(targets, builds).map { ($0, $1) }, images, pusher)
    }

    /// - Parameter planned: targets, each with the builds for its platforms.
    private func run(
        _ planned: [(target: BuildTarget, builds: [PlannedBuild])], _ images: ImagePuller, _ pusher: ImagePusher?
    ) async throws -> [[ExportResult]] {
        let builds = planned.flatMap(\.builds)
        let layers = LayerBlobs(store)
        let contexts = ContextDirectories(builds.map(\.request), store)
        let background = BackgroundLayers(builds, layers)
        let definition = Definition.merging(builds.map(\.plan.definition), named: builds.map(\.target.name))
        let workers = builds.map { makeWorker(for: $0, contexts, images, background) }
        let together = TargetWorkers(
            definition, builds, workers,
            uploads: pusher.map { EarlyUploads(builds, layers: layers, images: images, pusher: $0) })
        do {
            let run = BuildRun(definition, worker: together, report: report)
            let generation = Digest(hashing: "\(getpid())-\(UInt64.random(in: 0 ... .max))")
            let results = try await run.outputs(stepLimit: builds[0].request.stepLimit, generation: generation)
            try await layers.finish()
            var products: [BuildProducts] = []
            var position = 0
            for (build, worker) in zip(builds, workers) {
                products.append(
                    BuildProducts(
                        store: store, plan: build.plan, snapshot: results[position]?.snapshot, layers: layers,
                        images: images, mounts: worker.mounts, epoch: build.epoch, squashes: build.request.squashes))
                position += build.plan.definition.outputs.count
            }
            var written: [[ExportResult]] = []
            for (target, builds) in planned {
                written.append(try await write(target, Array(products.prefix(builds.count)), pusher))
                products.removeFirst(builds.count)
            }
            if builds[0].request.measures {
                let snapshots = together.looked.snapshots
                try await StageSizes(store).report(snapshots, of: definition, report)
            }
            try contexts.saveIndexes()
            try await together.close()
            return written
        } catch {
            await layers.cancel()
            // In a task of its own, so that a cancelled build cleans up too; awaited at once.
            let cleanUp = await Task { try await together.close() }.result
            if case .failure(let failure) = cleanUp { throw BuildError.cleanUp(failure, after: error) }
            throw error
        }
    }

    private func makeWorker(
        for build: PlannedBuild, _ contexts: ContextDirectories, _ images: ImagePuller, _ background: BackgroundLayers
    ) -> LocalWorker {
        let request = build.request
        return LocalWorker(
            definition: build.plan.definition, store: store, contexts: contexts, images: images,
            downloads: build.fetching.downloads, repositories: build.fetching.repositories, runtime: request.runtime,
            secrets: request.secrets, agents: build.fetching.agents,
            background: background,
            explainer: StepExplainer(
                build.plan.definition, database: store.database, settings: ExplanationSettings(request), report: report),
            failures: FailureGate(request.failureShell), resources: request.resources,
            deviceDirectories: request.deviceDirectories, report: report)
    }

    private func write(
        _ target: BuildTarget, _ products: [BuildProducts], _ pusher: ImagePusher?
    ) async throws -> [ExportResult] {
        let writer = OutputWriter(store: store, products: products, pusher: pusher)
        do { return try await write(target.outputs, writer, target.naming(report)) } catch {
            throw target.describing(error)
        }
    }

    private func write(
        _ outputs: OutputPlan, _ writer: OutputWriter, _ report: (StepEvent) -> Void
    ) async throws -> [ExportResult] {
        var results: [ExportResult] = []
        for output in outputs.outputs {
            let step = Step(internal: "exporting to \(output.type)")
            report(.started(step))
            do {
                let written = try await writer.write(output)
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
}

extension BuildError {
    /// The message alone, for a line of progress.
    static func message(of error: any Error) -> String { (error as? BuildError)?.message ?? "\(error)" }
}
