import WhittleCore
import WhittleGraph
import WhittleSolver

/// Plays a whole build without a disk: results are texts, records and content digests are dictionaries that can be kept
/// from one build to the next.
struct SolverSimulation {
    /// Cache key → (identity, text of the result).
    var records: [Digest: Outcome<String>] = [:]
    /// (identity, selection) → digest.
    var contents: [[Digest]: Digest] = [:]
    /// What the build context and the outputs of steps contain, by step name; a step not named here gives a text made
    /// of its name and its inputs.
    var outputs: [String: String] = [:]
    var stepLimit = 4
    /// Answers a step only when nothing else is left to answer.
    var leavesStepsOpen = false
    /// Names of the steps that fail.
    var failing: Set<String> = []

    private(set) var executed: [String] = []
    /// The greatest number of steps (not sources) that ran at the same time.
    private(set) var mostAtOnce = 0
    private var generation = 0

    /// Builds and returns the results of the outputs (`nil` where there is none).
    ///
    /// `order` picks which of the open actions is answered next, so that tests can try orders.
    mutating func build(_ definition: Definition, order: (Int) -> Int = { _ in 0 }) -> [String?] {
        generation += 1
        executed = []
        mostAtOnce = 0
        var solver = Solver<String>(
            definition: definition, stepLimit: stepLimit, generation: Digest(hashing: "build \(generation)"))
        var open = solver.start()
        var running = 0
        while !open.isEmpty {
            let index = leavesStepsOpen ? open.firstIndex { !isStep($0, in: definition) } ?? 0 : order(open.count)
            let action = open.remove(at: index)
            if isStep(action, in: definition) { running -= 1 }
            let next = solver.handle(answer(to: action, in: definition))
            running += next.count { isStep($0, in: definition) }
            mostAtOnce = max(mostAtOnce, running)
            open += next
        }
        return definition.outputs.map { solver.outcome(of: $0)?.value }
    }

    private func isStep(_ action: SolverAction<String>, in definition: Definition) -> Bool {
        guard case .execute(let digest, _, _, _) = action, let vertex = definition.vertex(digest) else { return false }
        if case .source = vertex.op { return false } else { return true }
    }

    private mutating func answer(to action: SolverAction<String>, in definition: Definition) -> SolverEvent<String> {
        switch action {
        case .findContent(let request):
            let known = request.identity.flatMap { contents[[$0, request.selection.digest]] }
            return .contentFound(request.vertex, input: request.input, known)
        case .computeContent(let request, let outcome):
            let digest = Digest(hashing: outcome.value)
            if let identity = request.identity { contents[[identity, request.selection.digest]] = digest }
            return .contentComputed(request.vertex, input: request.input, digest)
        case .lookUp(let vertex, let key):
            return .lookedUp(vertex, records[key.digest])
        case .execute(let digest, let key, let identity, let inputs):
            let name = definition.vertex(digest)?.metadata.name ?? ""
            executed.append(name)
            if failing.contains(name) { return .failed(digest) }
            let text = outputs[name] ?? "\(name)(\(inputs.map(\.value).joined(separator: ",")))"
            let outcome = Outcome(identity: identity, value: text)
            if let key { records[key.digest] = outcome }
            return .finished(digest, outcome)
        }
    }
}

/// Short ways to write graphs.
struct GraphSketch {
    private var builder = GraphBuilder()

    mutating func image(_ name: String) -> Edge {
        builder.add(
            .source(
                .image(
                    ImageSource(
                        reference: name, platform: .host, manifestDigest: Digest(hashing: name),
                        chainID: Digest(hashing: name)))),
            metadata: VertexMetadata(name: name))
    }

    mutating func context() -> Edge {
        builder.add(.source(.local(LocalSource(name: "context"))), metadata: VertexMetadata(name: "context"))
    }

    mutating func download(_ url: String) -> Edge {
        builder.add(
            .source(.http(HTTPSource(url: Redacted(url), fileName: "out"))), metadata: VertexMetadata(name: url))
    }

    mutating func run(_ name: String, on base: Edge, ignoresCache: Bool = false) -> Edge {
        builder.add(
            .exec(ExecOp(arguments: [name], rootInput: 0)), inputs: [base],
            metadata: VertexMetadata(name: name, ignoresCache: ignoresCache))
    }

    mutating func copy(_ name: String, from source: Edge, onto base: Edge?) -> Edge {
        let copy = CopyAction(input: base == nil ? 0 : 1, sources: ["/out"], destination: "/" + name)
        return builder.add(
            .file(FileOp(base: base == nil ? nil : 0, actions: [.copy(copy)])),
            inputs: [base, source].compactMap { $0 },
            metadata: VertexMetadata(name: name))
    }

    mutating func merge(_ name: String, _ lower: Edge, _ upper: Edge) -> Edge {
        builder.add(.merge, inputs: [lower, upper], metadata: VertexMetadata(name: name))
    }

    func definition(_ outputs: Edge?...) -> Definition { builder.definition(of: outputs) }
}
