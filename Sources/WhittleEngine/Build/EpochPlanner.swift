internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGit
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleSolver

/// Plans a build, a reproducible one with its epoch: `SOURCE_DATE_EPOCH`, else the commit of the context's git repository,
/// else the newest of the base images and the files of contexts that the build reads.
struct EpochPlanner: Sendable {
    let store: BuildStore
    let images: any ImageResolver
    let report: @Sendable (StepEvent) -> Void

    func plan(_ dockerfile: Dockerfile, _ request: BuildRequest) async throws -> BuildPlan {
        let frontend = Frontend(resolver: images)
        let plan = try await frontend.plan(dockerfile, options: request.options)
        guard request.options.isReproducible else { return plan }
        if let epoch = plan.sourceDateEpoch {
            announce(epoch, "SOURCE_DATE_EPOCH")
            return plan
        }
        var options = request.options
        if let epoch = try await commitTime(request) {
            announce(epoch, "the git commit of the context")
            options.fallbackEpoch = epoch
        } else {
            let epoch = try await newestInput(of: plan, request)
            announce(epoch, "the newest base image or file of a context")
            options.fallbackEpoch = epoch
        }
        // Again, because commands are to see it. The images are known by now.
        return try await frontend.plan(dockerfile, options: options)
    }

    private func announce(_ epoch: Timestamp, _ origin: String) {
        let step = Step(internal: "[internal] find the epoch of the build")
        report(.started(step))
        let text = "SOURCE_DATE_EPOCH=\(epoch.seconds) (\(epoch.rfc3339)) from \(origin)"
        report(.progress(step, StepProgress(name: text, current: .zero, total: nil, isDone: true)))
        report(.finished(step))
    }

    private func commitTime(_ request: BuildRequest) async throws -> Timestamp? {
        if case .git = request.remoteContext?.source { return request.options.contextTime }
        // What is above an unpacked archive is not its repository.
        guard let directory = request.contextDirectory, request.remoteContext == nil else { return nil }
        return try await BlockingPool.shared.run { try GitCommitTime.ofHead(above: directory) }
    }

    // MARK: Newest input

    private func newestInput(of plan: BuildPlan, _ request: BuildRequest) async throws -> Timestamp {
        let contexts = ContextDirectories([request], store)
        let files = try await BlockingPool.shared.runCancellable { cancellation in
            try plan.definition.vertices.flatMap { try Self.copies(of: $0, plan.definition) }.map { local, copy in
                // What is missing is an error of its step, which tells more of it.
                guard let tree = try? contexts.tree(of: local),
                    let selected = try? CopyPlan(copy, from: tree, cancellation: cancellation)
                else { return Timestamp(seconds: 0) }
                return Timestamp(seconds: selected.latestModification.seconds)
            }
        }
        let images = plan.baseImages.compactMap { $0.configuration.created.map { Timestamp(seconds: $0.seconds) } }
        return (files + images).max() ?? Timestamp(seconds: 0)
    }

    /// What a step reads of directories of this machine.
    private static func copies(
        of vertex: Vertex, _ definition: Definition
    ) throws -> [(LocalSource, CopyRequest)] {
        func local(_ input: Int?) -> LocalSource? {
            guard let input, case .source(.local(let local)) = definition.vertex(vertex.inputs[input].vertex)?.op else {
                return nil
            }
            return local
        }
        switch vertex.op {
        case .file(let file):
            return try file.actions.compactMap { action in
                guard case .copy(let copy) = action, let local = local(copy.input) else { return nil }
                return (local, try LocalWorker.request(copy))
            }
        case .exec(let exec):
            return exec.mounts.compactMap { mount in
                guard case .bind(let input, let source, _, _) = mount, let local = local(input) else { return nil }
                var request = CopyRequest(sources: [source], destination: "/")
                request.allowsWildcards = false
                return (local, request)
            }
        case .source, .merge: return []
        }
    }
}
