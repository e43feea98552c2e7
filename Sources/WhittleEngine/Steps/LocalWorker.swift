internal import Glibc
internal import Synchronization
internal import WhittleCache
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleGitRemote
package import WhittleGraph
internal import WhittleRuntime
internal import WhittleSSH
internal import WhittleSnapshot
package import WhittleSolver
internal import WhittleStore

/// Does the steps of one build on this machine, over one store.
package final class LocalWorker: Worker {
    let definition: Definition
    let store: BuildStore
    let pool = BlockingPool.shared
    let mounts: MountedSnapshots
    let mountPoints: MountPoints
    let contexts: ContextDirectories
    let images: ImagePuller
    let downloads: Downloads
    let repositories: GitRepositories
    let secrets: [String: Redacted<[UInt8]>]
    let agents: ForwardedAgents
    let report: @Sendable (StepEvent) -> Void
    let explainer: StepExplainer
    let failures: FailureGate
    let resources: StepResources
    let deviceDirectories: [String]
    private let runtime: String
    private let background: BackgroundLayers
    /// Made when the first step runs: it costs a start of the runtime.
    private let running = Mutex<Running?>(nil)

    private struct Running: Sendable {
        let runner: StepRunner
        /// Memory for what steps need, mounted.
        let scratch: ScratchSpace
    }

    /// - Parameters:
    ///   - runtime: name or path of the OCI runtime.
    ///   - background: is told of new results.
    ///   - explainer: is told why steps run and what went into them.
    ///   - resources: what each step may use.
    ///   - deviceDirectories: where descriptions of devices are.
    ///   - failures: is asked before a failure is passed on.
    ///   - report: receives the output and progress of steps, from any thread.
    init(
        definition: Definition, store: BuildStore, contexts: ContextDirectories, images: ImagePuller,
        downloads: Downloads, repositories: GitRepositories, runtime: String, secrets: [String: Redacted<[UInt8]>],
        agents: ForwardedAgents,
        background: BackgroundLayers,
        explainer: StepExplainer,
        failures: FailureGate, resources: StepResources, deviceDirectories: [String],
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.definition = definition
        self.store = store
        self.contexts = contexts
        self.images = images
        self.downloads = downloads
        self.repositories = repositories
        self.runtime = runtime
        self.secrets = secrets
        self.agents = agents
        self.background = background
        self.explainer = explainer
        self.failures = failures
        self.resources = resources
        self.deviceDirectories = deviceDirectories
        self.report = report
        mounts = MountedSnapshots(store)
        mountPoints = MountPoints(store.scratch)
    }

    package func recordedContent(_ request: ContentRequest) async throws -> Digest? {
        guard let identity = request.identity else { return nil }
        return try store.database.contentDigest(identity: identity, selection: request.selection.digest)
    }

    package func lookUp(_ vertex: Vertex, key: CacheKey) async throws -> Outcome<StepResult>? {
        if case .source(.image(let image)) = vertex.op {
            let outcome = try images.existing(image, key: key)
            if outcome != nil { explainer.explainImage(vertex, isThere: true) }
            return outcome
        }
        guard let (outcome, created) = try usableRecord(key) else { return nil }
        explainer.explainHit(vertex, created: created)
        return outcome
    }

    package func execute(
        _ vertex: Vertex, key: CacheKey?, identity: Digest, inputs: [Outcome<StepResult>]
    ) async throws -> Execution<StepResult> {
        do {
            return try await perform(vertex, key: key, identity: identity, inputs: inputs)
        } catch let error as BuildError {
            try await failures.wait()
            throw error
        }
    }

    private func perform(
        _ vertex: Vertex, key: CacheKey?, identity: Digest, inputs: [Outcome<StepResult>]
    ) async throws -> Execution<StepResult> {
        switch vertex.op {
        case .source(.local(let local)):
            return Execution(Outcome(identity: identity, value: .local(local)))
        case .source(.http(let source)):
            let file = try await download(source, for: vertex)
            return Execution(Outcome(identity: file.identity, value: .download(file)))
        case .source(.git(let source)):
            let files = try await repository(source, for: vertex)
            return Execution(Outcome(identity: files.identity, value: .repository(files)))
        case .source(.image(let image)):
            explainer.explainImage(vertex, isThere: false)
            return Execution(Outcome(identity: identity, value: try await images.pull(image, for: vertex, report)))
        case .exec, .file, .merge:
            guard let key else { preconditionFailure("a step without a cache key") }
            return try await executeOnce(vertex, key: key, identity: identity, inputs: inputs)
        }
    }

    private func download(_ source: HTTPSource, for vertex: Vertex) async throws -> DownloadedFile {
        do {
            return DownloadedFile(try await downloads.file(source, for: Step(vertex)), of: source, store: store)
        } catch let error as BuildError {
            throw error.located(at: vertex.metadata.location)
        }
    }

    private func repository(_ source: GitSource, for vertex: Vertex) async throws -> GitFiles {
        do {
            let revision = try await repositories.resolve(source)
            report(.progress(Step(vertex), .commit(revision)))
            return GitFiles(source, revision, in: repositories, store: store)
        } catch let error as BuildError {
            throw error.located(at: vertex.metadata.location)
        }
    }

    /// What runs commands. Blocks when it is first asked for.
    func runner() throws -> StepRunner {
        try running.withLock { running in
            if let running { return running.runner }
            let scratch = try ScratchSpace(mountedOver: store.scratch.makeDirectory("steps"))
            let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
            let program = try RuntimeProgram(runtime, searchPath: search)
            let runner = StepRunner(
                runtime: CommandRuntime(program, stateDirectory: scratch.statePath), scratch: scratch)
            running = Running(runner: runner, scratch: scratch)
            return runner
        }
    }

    /// Ends the use of everything that was mounted for reading.
    func close() async throws {
        try await mounts.unmountAll()
        if let ended = running.withLock({ $0.take() }) { try Mount.unmount(ended.scratch.path) }
    }
}

// MARK: - Records

extension LocalWorker {
    /// Does the work unless another process is doing it, or just did.
    private func executeOnce(
        _ vertex: Vertex, key: CacheKey, identity: Digest, inputs: [Outcome<StepResult>]
    ) async throws -> Execution<StepResult> {
        let lock = try await store.layout.lock("step-" + key.digest.hex)
        defer { lock.release() }
        if !vertex.metadata.ignoresCache, let (outcome, created) = try usableRecord(key) {
            explainer.explainHit(vertex, created: created)
            return Execution(outcome, wasShared: true)
        }
        try explainer.explainRun(vertex, key)
        let start = ContinuousClock.now
        let results = inputs.map(\.value)
        let snapshot = try await perform(vertex, results)
        let latest = latestInput(of: vertex, results)
        if let snapshot { try await background.begin(vertex, snapshot) }
        try explainer.save(
            CacheRecord(
                key: key.digest, identity: identity, snapshot: snapshot?.rawValue, op: key.op,
                inputs: key.inputs.map(\.digest), name: vertex.metadata.name,
                created: Timestamp(seconds: Int64(time(nil))), latestInput: latest,
                duration: Int64((ContinuousClock.now - start) / .nanoseconds(1))), of: vertex, key)
        return Execution(Outcome(identity: identity, value: .snapshot(snapshot, latestInput: latest)))
    }

    private func perform(_ vertex: Vertex, _ inputs: [StepResult]) async throws -> SnapshotID? {
        switch vertex.op {
        case .exec(let op): return try await run(op, vertex, inputs)
        case .file(let op): return try await change(op, vertex, inputs)
        case .merge: return try await merge(inputs)
        case .source: preconditionFailure("a source among the steps")
        }
    }

    private func usableRecord(_ key: CacheKey) throws -> (outcome: Outcome<StepResult>, created: Timestamp)? {
        guard let record = try store.database.record(for: key.digest) else { return nil }
        var snapshot: SnapshotID?
        if let name = record.snapshot {
            guard let id = SnapshotID(rawValue: name), try store.snapshots.exists(id) else { return nil }
            snapshot = id
        }
        let outcome = Outcome<StepResult>(
            identity: record.identity, value: .snapshot(snapshot, latestInput: record.latestInput))
        return (outcome, record.created)
    }

    /// The newest of what goes into a vertex.
    func latestInput(of vertex: Vertex, _ inputs: [StepResult]) -> Timestamp {
        inputs.enumerated().map { index, input in
            switch input {
            case .snapshot(_, let latest): latest
            case .local: contexts.latestInput(of: vertex.digest, input: index)
            case .download(let file): file.modified
            case .repository(let files): files.time
            }
        }.max() ?? Timestamp(seconds: 0)
    }
}

// MARK: - Merge

extension LocalWorker {
    /// Lays the changes of the second input over the first.
    private func merge(_ inputs: [StepResult]) async throws -> SnapshotID? {
        var result = inputs.first?.snapshot
        for input in inputs.dropFirst() {
            var chain: [SnapshotID] = []
            var next = input.snapshot
            while let id = next {
                chain.append(id)
                next = try store.snapshots.parent(of: id)
            }
            for source in chain.reversed() {
                let id = SnapshotID.unique()
                try store.snapshots.commit(changesOf: source, over: result, as: id)
                result = id
            }
        }
        return result
    }
}
