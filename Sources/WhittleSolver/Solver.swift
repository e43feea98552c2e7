public import WhittleCore
public import WhittleGraph

/// Decides what a build does next: which keys to compute, which records to look up, which steps to run.
///
/// A pure state machine: events in, actions out, no clock and no I/O. It works from the outputs down. For a vertex whose
/// result is wanted it first wants the cache key, and for that the identities of the inputs it builds on and the
/// contents of the files it reads; only a key without a record makes it want the inputs' results, and run. So a fully
/// cached build touches no result but the last, and a base image that no step needs is never pulled.
///
/// One thing is done ahead of need: where an input that a vertex builds on has no record, neither can the vertex have
/// one, so all its inputs are started at once and not one after the other.
public struct Solver<Value: Sendable>: Sendable {
    public typealias Action = SolverAction<Value>
    public typealias Event = SolverEvent<Value>

    public let definition: Definition
    /// How many steps may run at once, at least 1; sources are not counted.
    public let stepLimit: Int

    private var states: [VertexState<Value>]
    private let positions: [Digest: Int]
    /// Makes the identities of steps that ignore the cache differ from every earlier build's.
    private let generation: Digest
    /// Positions of sources that are wanted and not started.
    private var sources: [Int] = []
    /// Positions of steps whose inputs are there, farthest from the outputs last; the last one starts first.
    private var ready: [Int] = []
    private var running = 0
    private var hasFailed = false
    /// The first vertex of each key, which does the work for the others of that key.
    private var leaders: [Digest: Int] = [:]
    private var followers: [Int: [Int]] = [:]
    private var actions: [Action] = []
    private var pending: [Int] = []
    /// Membership of ``pending``, so that a vertex is queued once.
    private var isPending: [Bool]

    /// - Parameter generation: must differ between builds; used only for steps that ignore the cache.
    public init(definition: Definition, stepLimit: Int, generation: Digest) {
        self.definition = definition
        self.stepLimit = max(1, stepLimit)
        self.generation = generation
        var positions: [Digest: Int] = [:]
        var states: [VertexState<Value>] = []
        for vertex in definition.vertices {
            positions[vertex.digest] = states.count
            states.append(VertexState(vertex: vertex, inputs: vertex.inputs.compactMap { positions[$0.vertex] }))
        }
        for position in states.indices.reversed() {
            for input in states[position].inputs {
                if states[input].dependents.last != position { states[input].dependents.append(position) }
                states[input].distance = max(states[input].distance, states[position].distance + 1)
            }
        }
        self.positions = positions
        self.states = states
        isPending = Array(repeating: false, count: states.count)
    }

    /// The first actions. To be called once.
    public mutating func start() -> [Action] {
        for output in definition.outputs {
            if let position = output.flatMap({ positions[$0.vertex] }) { wantResult(of: position) }
        }
        return settle()
    }

    /// What follows from `event`.
    public mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .contentFound(let vertex, let input, let digest):
            update(vertex) { $0.contents[input] = digest.map { .known($0) } ?? .needsResult }
        case .contentComputed(let vertex, let input, let digest):
            update(vertex) { $0.contents[input] = .known(digest) }
        case .lookedUp(let vertex, let outcome):
            if let position = positions[vertex] {
                if let outcome { complete(position, outcome, lookup: .hit) } else { miss(position) }
            }
        case .finished(let vertex, let outcome):
            if let position = positions[vertex] {
                if !states[position].vertex.isSource { running -= 1 }
                complete(position, outcome, lookup: states[position].lookup)
            }
        case .failed(let vertex):
            if let position = positions[vertex], states[position].work == .running {
                if !states[position].vertex.isSource { running -= 1 }
                states[position].work = .idle
            }
            hasFailed = true
        }
        return settle()
    }

    /// Whether every output has its result.
    public var isFinished: Bool {
        definition.outputs.allSatisfy { $0 == nil || outcome(of: $0) != nil }
    }

    /// The result of `edge`, once it is there.
    public func outcome(of edge: Edge?) -> Outcome<Value>? {
        edge.flatMap { positions[$0.vertex] }.flatMap { states[$0].outcome }
    }
}

// MARK: - Moving one vertex

extension Solver {
    /// Moves every vertex that something changed for, until nothing moves.
    private mutating func settle() -> [Action] {
        while let position = pending.popLast() {
            isPending[position] = false
            advance(position)
        }
        dispatch()
        defer { actions = [] }
        return actions
    }

    private mutating func advance(_ position: Int) {
        guard states[position].outcome == nil, states[position].isKeyWanted else { return }
        if states[position].vertex.isKnownByContent {
            if states[position].isResultWanted { enqueue(position) }
            return
        }
        if states[position].key == nil { advanceKey(position) }
        guard let key = states[position].key else { return }
        if states[position].lookup == .idle { startLookup(position, key: key) }
        guard states[position].lookup == .miss, states[position].isResultWanted else { return }
        if let leader = states[position].leader {
            wantResult(of: leader)
            return
        }
        for input in states[position].inputs { wantResult(of: input) }
        if states[position].inputs.allSatisfy({ states[$0].outcome != nil }) { enqueue(position) }
    }

    /// Collects what the key is made of, and makes it once nothing is missing.
    private mutating func advanceKey(_ position: Int) {
        let vertex = states[position].vertex
        var parts: [CacheKey.Input] = []
        var buildsOnMiss = false
        for (index, input) in states[position].inputs.enumerated() {
            wantKey(of: input)
            if let selection = selection(of: vertex, input: index, at: input) {
                if let digest = content(position, index, from: input, selection) { parts.append(.content(digest)) }
            } else if let identity = states[input].identity {
                parts.append(.identity(identity))
                if states[input].lookup == .miss { buildsOnMiss = true }
            } else if states[input].isBoundToMiss {
                buildsOnMiss = true
            }
        }
        if parts.count == vertex.inputs.count {
            states[position].key = CacheKey(op: vertex.op.keyDigest, inputs: parts)
        } else if buildsOnMiss {
            if !states[position].isBoundToMiss {
                states[position].isBoundToMiss = true
                wakeDependents(of: position)
            }
            if states[position].isResultWanted {
                for input in states[position].inputs { wantResult(of: input) }
            }
        }
    }

    /// A local directory or URL has no identity beforehand, so it counts by content even where an op builds on it.
    private func selection(of vertex: Vertex, input: Int, at position: Int) -> ContentSelection? {
        vertex.selection(ofInput: input) ?? (states[position].vertex.isKnownByContent ? .path("/") : nil)
    }

    /// The content digest of an input, or `nil` while it is not known; asks for whatever is missing.
    private mutating func content(
        _ position: Int, _ index: Int, from input: Int, _ selection: ContentSelection
    ) -> Digest? {
        let identity = states[input].identity
        let request = ContentRequest(
            vertex: states[position].vertex.digest, input: index, selection: selection, identity: identity)
        switch states[position].contents[index] {
        case .known(let digest): return digest
        case .finding, .computing: return nil
        case nil where states[input].vertex.isKnownByContent, .needsResult:
            wantResult(of: input)
            if let outcome = states[input].outcome {
                states[position].contents[index] = .computing
                actions.append(.computeContent(request, of: outcome))
            }
            return nil
        case nil:
            if identity != nil {
                states[position].contents[index] = .finding
                actions.append(.findContent(request))
            }
            return nil
        }
    }

    private mutating func startLookup(_ position: Int, key: CacheKey) {
        let ignoresCache = states[position].vertex.metadata.ignoresCache
        if let leader = leaders[key.digest], !ignoresCache || states[leader].vertex.metadata.ignoresCache {
            states[position].leader = leader
            followers[leader, default: []].append(position)
            follow(leader, from: position)
            return
        }
        leaders[key.digest] = position
        if ignoresCache {
            miss(position)
        } else {
            states[position].lookup = .inFlight
            actions.append(.lookUp(states[position].vertex.digest, key: key))
        }
    }

    /// Takes over what is known of the vertex of equal key.
    private mutating func follow(_ leader: Int, from position: Int) {
        if let outcome = states[leader].outcome {
            complete(position, outcome, lookup: states[leader].lookup)
        } else if states[leader].lookup == .miss, states[position].lookup != .miss {
            states[position].lookup = .miss
            states[position].identity = states[leader].identity
            wakeDependents(of: position)
            wake(position)
        }
    }

    private mutating func miss(_ position: Int) {
        guard let key = states[position].key else { return }
        states[position].lookup = .miss
        states[position].identity =
            states[position].vertex.metadata.ignoresCache
            ? CacheKey(op: generation, inputs: [.identity(key.digest)]).digest : key.digest
        wake(position)
        wakeDependents(of: position)
        wakeFollowers(of: position)
    }

    private mutating func complete(_ position: Int, _ outcome: Outcome<Value>, lookup: VertexState<Value>.Lookup) {
        states[position].outcome = outcome
        states[position].identity = outcome.identity
        states[position].lookup = lookup
        states[position].work = .done
        wakeDependents(of: position)
        wakeFollowers(of: position)
    }
}

// MARK: - Wants, wake-ups, dispatch

extension Solver {
    private mutating func wantKey(of position: Int) {
        guard !states[position].isKeyWanted else { return }
        states[position].isKeyWanted = true
        wake(position)
    }

    private mutating func wantResult(of position: Int) {
        guard !states[position].isResultWanted else { return }
        states[position].isResultWanted = true
        states[position].isKeyWanted = true
        wake(position)
    }

    private mutating func wake(_ position: Int) {
        guard !isPending[position] else { return }
        isPending[position] = true
        pending.append(position)
    }

    private mutating func wakeDependents(of position: Int) {
        for dependent in states[position].dependents { wake(dependent) }
    }

    private mutating func wakeFollowers(of leader: Int) {
        guard let key = states[leader].key, leaders[key.digest] == leader else { return }
        for position in followers[leader] ?? [] { follow(leader, from: position) }
    }

    /// Starts a source at once and lines a step up, before those that are nearer to the outputs.
    private mutating func enqueue(_ position: Int) {
        guard states[position].work == .idle else { return }
        states[position].work = .queued
        if states[position].vertex.isSource {
            sources.append(position)
            return
        }
        let distance = states[position].distance
        var range = 0..<ready.count
        while let middle = range.isEmpty ? nil : (range.lowerBound + range.upperBound) / 2 {
            let comesFirst = states[ready[middle]].distance >= distance
            range = comesFirst ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        ready.insert(position, at: range.lowerBound)
    }

    private mutating func dispatch() {
        guard !hasFailed else { return }
        for position in sources { execute(position) }
        sources = []
        while running < stepLimit, let position = ready.popLast() {
            running += 1
            execute(position)
        }
    }

    private mutating func execute(_ position: Int) {
        states[position].work = .running
        let vertex = states[position].vertex
        let key = states[position].key
        actions.append(
            .execute(
                vertex.digest, key: key, identity: states[position].identity ?? key?.digest ?? vertex.digest,
                inputs: states[position].inputs.compactMap { states[$0].outcome }))
    }

    private mutating func update(_ vertex: Digest, _ change: (inout VertexState<Value>) -> Void) {
        guard let position = positions[vertex] else { return }
        change(&states[position])
        wake(position)
    }
}
