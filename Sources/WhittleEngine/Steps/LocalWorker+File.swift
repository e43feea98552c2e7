internal import SystemPackage
internal import WhittleArchive
internal import WhittleCache
package import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
package import WhittleGraph
internal import WhittleRuntime
internal import WhittleSnapshot
package import WhittleSolver
internal import WhittleStore

// MARK: - Content

extension LocalWorker {
    package func computeContent(
        _ request: ContentRequest, of result: StepResult, for vertex: Vertex
    ) async throws -> Digest {
        do {
            // Of a download its bytes are known, and so may be what is read from it.
            let identity = request.identity ?? result.fetchedIdentity
            if let fetched = result.fetchedIdentity,
                let known = try store.database.contentDigest(
                    identity: fetched, selection: request.selection.digest)
            {
                return known
            }
            let tree = try await sourceTree(of: result, input: request.input, of: vertex)
            let copies: [CopyRequest]
            switch request.selection {
            case .path(let path):
                var copy = CopyRequest(sources: [path], destination: "/")
                copy.allowsWildcards = false
                copies = [copy]
            case .copies(let actions): copies = try actions.map { try Self.request($0) }
            }
            let (digest, latest, plans) = try await pool.runCancellable { cancellation in
                var hasher = SHA256Hasher()
                var latest = FileTime(seconds: 0)
                var plans: [CopyPlan] = []
                for copy in copies {
                    let plan = try CopyPlan(copy, from: tree, cancellation: cancellation)
                    plans.append(plan)
                    hasher.update(field: try ContentDigester.digest(of: plan, cancellation: cancellation).hex)
                    latest = max(latest, plan.latestModification)
                }
                return (hasher.finalize(), latest, plans)
            }
            explainer.note(plans, of: vertex.digest, content: digest)
            if case .local = result {
                contexts.note(Timestamp(seconds: latest.seconds), vertex: vertex.digest, input: request.input)
            } else if let identity {
                try store.database.saveContentDigest(digest, identity: identity, selection: request.selection.digest)
            }
            return digest
        } catch let error as BuildError {
            throw explained(error, result, vertex)
        }
    }

    /// The files of an input. Messages call them by what the user calls them: the context, a stage or an image.
    private func sourceTree(of result: StepResult, input: Int, of vertex: Vertex) async throws -> SourceTree {
        switch result {
        case .local(let local): return try contexts.tree(of: local)
        case .download(let file): return try await pool.run { try file.tree() }
        case .repository(let files): return try await files.sourceTree()
        case .snapshot(let id, _):
            let source = definition.vertex(vertex.inputs[input].vertex)
            let name =
                switch source?.op {
                case .source(.image(let image)): "the image '\(image.reference)'"
                default: source?.metadata.stage.map { "the stage '\($0)'" } ?? "the stage it is copied from"
                }
            return SourceTree(try RootDirectory(await mounts.path(of: id), name: name), kind: .image)
        }
    }

    static func request(_ copy: CopyAction) throws -> CopyRequest {
        var request = CopyRequest(sources: copy.sources, destination: copy.destination)
        request.allowsEmptyWildcard = copy.allowsEmptyWildcard
        request.keepsParents = copy.keepsParents
        request.filter = try TreeFilter(ignoring: copy.excludePatterns)
        if let mode = copy.mode { request.mode = try ModeChange(parsing: mode) }
        return request
    }

    /// Adds what only the build knows about a missing file: that an ignore file hides it, or that what looks like a comment
    /// was taken for paths.
    private func explained(_ error: BuildError, _ result: StepResult, _ vertex: Vertex) -> BuildError {
        var error = error
        if let missing = error.cause as? MissingSource, case .local(let local) = result,
            let pattern = Self.hidingPattern(missing.path, local.ignorePatterns)
        {
            error = BuildError(
                error.code,
                "\(error.message): the pattern '\(pattern)' of '\(local.ignoreFile ?? ".dockerignore")' excludes it",
                hint: "remove the pattern, or add '!\(missing.path)' below it", cause: missing)
        }
        return error.located(at: vertex.metadata.location)
    }

    /// The pattern that decides that `path` is excluded: the last one that changes the answer; `nil` where it is not.
    private static func hidingPattern(_ path: String, _ patterns: [String]) -> String? {
        var deciding: String?
        for pattern in patterns {
            // Behind one that hides everything, only an exception changes the answer. Patterns that are malformed were an
            // error before.
            guard let rules = try? IgnorePatterns(deciding == nil ? [pattern] : ["**", pattern]) else { return nil }
            if rules.excludes(path) != (deciding != nil) { deciding = deciding == nil ? pattern : nil }
        }
        return deciding
    }
}

// MARK: - File ops

extension LocalWorker {
    /// Applies the actions of `op` to its base and commits what they changed.
    func change(_ op: FileOp, _ vertex: Vertex, _ inputs: [StepResult]) async throws -> SnapshotID? {
        do {
            let latest = op.time ?? latestInput(of: vertex, inputs)
            let time = FileTime(seconds: latest.seconds)
            var trees: [Int: SourceTree] = [:]
            for input in op.actions.compactMap(\.input) where trees[input] == nil {
                trees[input] = try await sourceTree(of: inputs[input], input: input, of: vertex)
            }
            let base = op.base.flatMap { inputs[$0].snapshot }
            let (id, _) = try await WritableRoot(store: store, mountPoints: mountPoints, pool: pool).change(base) {
                [pool, trees, report, location = vertex.metadata.location, limit = images.layerLimit] root, _ in
                try await pool.runCancellable { cancellation in
                    let root = try RootDirectory(root, name: "the step's file system")
                    let changer = FileChanger(
                        root: root, hasBase: base != nil, time: time, isDated: op.time != nil, archiveLimit: limit,
                        cancellation: cancellation
                    ) { report(.warning(BuildWarning($0, at: location))) }
                    for action in op.actions { try changer.apply(action, from: trees) }
                }
            }
            return id
        } catch let error as BuildError {
            throw error.located(at: vertex.metadata.location)
        }
    }

    /// Copies what is at `source` on this machine into a directory, as it is.
    func copyTree(from source: String, into directory: String) async throws {
        try await pool.runCancellable { cancellation in
            let tree = SourceTree(try RootDirectory(source), kind: .image)
            let plan = try CopyPlan(
                CopyRequest(sources: ["/"], destination: "/"), from: tree, cancellation: cancellation)
            try TreeCopier.execute(plan, into: RootDirectory(directory), cancellation: cancellation)
        }
    }

    static func copyRequest(_ copy: CopyAction, owner: FileOwner?, latestTime: FileTime) throws -> CopyRequest {
        var request = try request(copy)
        request.owner = owner
        request.latestTime = latestTime
        return request
    }
}
