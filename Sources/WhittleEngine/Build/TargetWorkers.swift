internal import Synchronization
internal import WhittleCore
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleSSH
internal import WhittleSnapshot
internal import WhittleSolver

/// Does the steps of several targets: each by the worker of one target that needs it, with that one's secrets and agents.
struct TargetWorkers: Worker {
    typealias Result = StepResult

    private let builds: [PlannedBuild]
    private let workers: [LocalWorker]
    /// What the steps came to, as far as they were looked at.
    let looked = LookedAtSnapshots()
    /// Positions among `builds`.
    private let owners: [Digest: Int]
    private let uploads: EarlyUploads?

    /// - Parameters:
    ///   - workers: one for each of `builds`.
    ///   - uploads: is told of results.
    init(
        _ definition: Definition, _ builds: [PlannedBuild], _ workers: [LocalWorker], uploads: EarlyUploads? = nil
    ) {
        self.uploads = uploads
        self.builds = builds
        self.workers = workers
        var owners: [Digest: Int] = [:]
        if builds.count > 1 {
            for vertex in definition.vertices { owners[vertex.digest] = Self.owner(of: vertex, among: builds) }
        }
        self.owners = owners
    }

    /// The first target that gives the step everything that it asks for, else the first that has it.
    private static func owner(of vertex: Vertex, among builds: [PlannedBuild]) -> Int? {
        let owners = builds.indices.filter { builds[$0].plan.definition.vertex(vertex.digest) != nil }
        guard case .exec(let op) = vertex.op else { return owners.first }
        let agents = op.mounts.compactMap { mount in
            if case .ssh(let ssh) = mount { ssh.id.isEmpty ? SSHForward.defaultID : ssh.id } else { nil }
        }
        return owners.first { position in
            let request = builds[position].request
            return op.secretIDs.allSatisfy { request.secrets[$0] != nil }
                && agents.allSatisfy { request.agents[$0] != nil }
        } ?? owners.first
    }

    private func doing<Value>(
        _ vertex: Digest, _ body: (LocalWorker) async throws -> Value
    ) async throws -> Value {
        let owner = owners[vertex] ?? 0
        do { return try await body(workers[owner]) } catch { throw builds[owner].describing(error) }
    }

    func recordedContent(_ request: ContentRequest) async throws -> Digest? {
        try await doing(request.vertex) { try await $0.recordedContent(request) }
    }

    func computeContent(_ request: ContentRequest, of result: StepResult, for vertex: Vertex) async throws -> Digest {
        try await doing(vertex.digest) { try await $0.computeContent(request, of: result, for: vertex) }
    }

    func lookUp(_ vertex: Vertex, key: CacheKey) async throws -> Outcome<StepResult>? {
        let outcome = try await doing(vertex.digest) { try await $0.lookUp(vertex, key: key) }
        looked.note(vertex, outcome?.value)
        if let outcome { try await uploads?.notice(vertex, outcome.value) }
        return outcome
    }

    func execute(
        _ vertex: Vertex, key: CacheKey?, identity: Digest, inputs: [Outcome<StepResult>]
    ) async throws -> Execution<StepResult> {
        let execution = try await doing(vertex.digest) {
            try await $0.execute(vertex, key: key, identity: identity, inputs: inputs)
        }
        looked.note(vertex, execution.outcome.value)
        try await uploads?.notice(vertex, execution.outcome.value)
        return execution
    }

    /// Ends all of them; the first error is thrown at the end.
    func close() async throws {
        var failure: (any Error)?
        for worker in workers {
            do { try await worker.close() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}

/// The snapshots of the steps that a build looked at.
final class LookedAtSnapshots: Sendable {
    private let noted = Mutex<[Digest: SnapshotID]>([:])

    /// By vertex.
    var snapshots: [Digest: SnapshotID] { noted.withLock { $0 } }

    func note(_ vertex: Vertex, _ result: StepResult?) {
        guard let snapshot = result?.snapshot else { return }
        noted.withLock { $0[vertex.digest] = snapshot }
    }
}

/// Starts the layers of the exported stages as soon as their steps are done.
struct BackgroundLayers: Sendable {
    private let forms: [Digest: Set<LayerForm>]
    private let layers: LayerBlobs

    init(_ builds: [PlannedBuild], _ layers: LayerBlobs) {
        var forms: [Digest: Set<LayerForm>] = [:]
        for build in builds where !build.layerForms.isEmpty {
            let definition = build.plan.definition
            for vertex in definition.layerChain(of: definition.outputs.first ?? nil) where !vertex.isImage {
                forms[vertex.digest, default: []].formUnion(build.layerForms)
            }
        }
        self.forms = forms
        self.layers = layers
    }

    /// To be called when a step of the build has a new result.
    func begin(_ vertex: Vertex, _ snapshot: SnapshotID) async throws {
        for form in forms[vertex.digest] ?? [] { try await layers.begin(snapshot, form) }
    }
}

extension Vertex {
    fileprivate var isImage: Bool {
        if case .source = op { true } else { false }
    }
}
