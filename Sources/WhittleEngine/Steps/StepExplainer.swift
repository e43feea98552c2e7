internal import Synchronization
internal import WhittleCache
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleSolver

/// Knows why the steps of one build run: compares what goes into them with the last time, and keeps it for the next.
///
/// Nothing is compared unless explanations are asked for; what is kept, is kept when a step has run anyway. So a
/// cached build pays for neither.
final class StepExplainer: Sendable {
    private let definition: Definition
    private let database: CacheDatabase
    private let settings: ExplanationSettings
    private let report: @Sendable (StepEvent) -> Void
    private let state = Mutex(State())

    private struct State {
        /// What was read to get the content digests of a vertex, until it has run or turned out to be cached.
        var plans: [Digest: [(content: Digest, plans: [CopyPlan])]] = [:]
        /// The steps that ran.
        var ran: Set<Digest> = []
        /// Whether earlier builds had the stage, as it was when its first step asked.
        var knownStages: [String: Bool] = [:]
    }

    init(
        _ definition: Definition, database: CacheDatabase, settings: ExplanationSettings,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        self.definition = definition
        self.database = database
        self.settings = settings
        self.report = report
    }

    /// Notes what a content digest was computed from.
    func note(_ plans: [CopyPlan], of vertex: Digest, content: Digest) {
        state.withLock { $0.plans[vertex, default: []].append((content, plans)) }
    }

    // MARK: Explaining

    /// Says that a vertex's result was there. `created` is when it was made.
    func explainHit(_ vertex: Vertex, created: Timestamp?) {
        let ran = state.withLock { state in
            state.plans[vertex.digest] = nil
            return settings.areWanted ? state.ran : []
        }
        guard settings.areWanted else { return }
        // Early cut-off is the surprising case: a stage ran, and what copies from it did not.
        let same = vertex.inputs.enumerated().first { index, edge in
            index != vertex.op.baseInput && ran.contains(edge.vertex)
        }
        let note = same.map { "\(name(ofFilesFrom: $0.element)) ran again and gave the same files" }
        report(.explained(Step(vertex), .cached(since: created, note: note)))
    }

    /// Says why a base image is fetched, or that it is there.
    func explainImage(_ vertex: Vertex, isThere: Bool) {
        guard settings.areWanted else { return }
        report(
            .explained(
                Step(vertex),
                isThere
                    ? .cached(since: nil, note: "the store has its layers")
                    : .ran(["the store does not have all of its layers"])))
    }

    /// Says why a vertex runs; to be called before it does.
    func explainRun(_ vertex: Vertex, _ key: CacheKey) throws {
        state.withLock { _ = $0.ran.insert(vertex.digest) }
        guard settings.areWanted, let record = record(of: vertex, key) else { return }
        report(.explained(Step(vertex), .ran(try reasons(for: vertex, record))))
    }

    private func reasons(for vertex: Vertex, _ record: StepRecord) throws -> [String] {
        if vertex.metadata.ignoresCache {
            return [settings.ignoresCacheEverywhere ? "--no-cache" : "--no-cache-filter names its stage"]
        }
        let others = Set(
            definition.vertices.filter { $0.metadata.stage == record.stage }.compactMap(\.metadata.origin?.instruction))
        let (run, isOnRecord) = try database.lastRun(of: record, others: others)
        let isStageKnown = state.withLock { state in
            let isKnown = state.knownStages[record.stage] ?? isOnRecord
            state.knownStages[record.stage] = isKnown
            return isKnown
        }
        guard let run else {
            return [isStageKnown ? "never built before: the instruction is new" : "never built before"]
        }
        if run.key == record.key { return ["nothing changed, but its result is no longer in the store"] }
        let comparison = StepComparison(
            from: run, to: record, changes: { self.changes(from: $0, to: $1, of: vertex) },
            hasRun: { index in self.state.withLock { $0.ran.contains(vertex.inputs[index].vertex) } })
        let reasons = comparison.reasons
        return reasons.isEmpty ? ["what is known of the last time does not tell what changed"] : reasons
    }

    /// `nil` where one of the two is not remembered, or cannot be read: then there is no more to say.
    private func changes(from old: Digest, to new: Digest, of vertex: Vertex) -> [FileChange]? {
        guard let old = try? database.manifest(of: old),
            let new = manifests(of: vertex)[new] ?? (try? database.manifest(of: new))
        else { return nil }
        return old.changes(to: new)
    }

    // MARK: Keeping

    /// Keeps the record of a step that ran, and what will explain its next run.
    func save(_ record: CacheRecord, of vertex: Vertex, _ key: CacheKey) throws {
        guard let step = self.record(of: vertex, key) else { return try database.save(record) }
        let manifests = manifests(of: vertex)
        state.withLock { $0.plans[vertex.digest] = nil }
        try database.save(record, explainedBy: step, manifests: manifests)
    }

    private func manifests(of vertex: Vertex) -> [Digest: FileManifest] {
        let noted = state.withLock { $0.plans[vertex.digest] } ?? []
        var manifests: [Digest: FileManifest] = [:]
        for (content, plans) in noted where manifests[content] == nil {
            var entries: [FileManifest.Entry] = []
            for plan in plans {
                ContentDigester.forEachEntry(of: plan) { entry in
                    entries.append(
                        FileManifest.Entry(path: entry.path, mode: entry.mode, fingerprint: entry.fingerprint))
                }
            }
            manifests[content] = FileManifest(entries)
        }
        return manifests
    }

    /// What goes into a step; `nil` for one that no instruction stands for.
    private func record(of vertex: Vertex, _ key: CacheKey) -> StepRecord? {
        guard let origin = vertex.metadata.origin else { return nil }
        return StepRecord(
            key: key.digest, scope: settings.scope.digest, stage: vertex.metadata.stage ?? "",
            position: origin.position, instruction: origin.instruction,
            fields: vertex.op.fields(arguments: origin.arguments),
            inputs: zip(vertex.inputs, key.inputs).map { input(behind: $0, $1) })
    }

    private func input(behind edge: Edge, _ part: CacheKey.Input) -> StepRecord.Input {
        let source = definition.vertex(edge.vertex)
        switch (part, source?.op) {
        case (.identity(let digest), .source(.image(let image))):
            return StepRecord.Input(
                .image, name: image.reference, digest: digest,
                detail: String(image.manifestDigest.description.prefix("sha256:".count + 12)))
        case (.identity(let digest), _):
            return StepRecord.Input(.step, name: source?.metadata.name ?? "", digest: digest)
        case (.content(let digest), .source(.local)), (.content(let digest), .source(.http)),
            (.content(let digest), .source(.git)):
            return StepRecord.Input(.context, name: name(ofFilesFrom: edge), digest: digest)
        case (.content(let digest), _):
            return StepRecord.Input(.files, name: name(ofFilesFrom: edge), digest: digest)
        }
    }

    private func name(ofFilesFrom edge: Edge) -> String {
        guard let source = definition.vertex(edge.vertex) else { return "an earlier step" }
        switch source.op {
        case .source(.local(let local)):
            return local.shownName
        case .source(.http(let source)): return "'\(source.shownURL)'"
        case .source(.git(let source)): return "'\(source.shownAddress)'"
        case .source(.image(let image)): return "the image '\(image.reference)'"
        case .exec, .file, .merge:
            guard source.metadata.origin != nil else { return "the inline document" }
            return source.metadata.stage.map { "the stage '\($0)'" } ?? "an earlier step"
        }
    }
}
