internal import WhittleCore
internal import WhittleGraph

/// What the solver knows of one vertex.
struct VertexState<Value: Sendable> {
    let vertex: Vertex
    /// Positions of the vertices behind the inputs, in input order.
    let inputs: [Int]
    /// Positions of the vertices that use this one.
    var dependents: [Int] = []
    /// The longest way from here to an output, in steps: what is far from the end starts first.
    var distance = 0

    var isKeyWanted = false
    var isResultWanted = false
    var contents: [Int: ContentProgress] = [:]
    var key: CacheKey?
    var lookup = Lookup.idle
    /// Whether something it builds on has no record: then it has none either, before its own key is known.
    var isBoundToMiss = false
    var work = Work.idle
    /// The vertex of equal key whose result this one shares.
    var leader: Int?
    var outcome: Outcome<Value>?
    /// The identity its result has or will have; known before the result is.
    var identity: Digest?

    /// How far the content digest of one input is.
    enum ContentProgress: Equatable {
        case finding
        case needsResult
        case computing
        case known(Digest)
    }

    enum Lookup: Equatable {
        case idle
        case inFlight
        case hit
        case miss
    }

    enum Work: Equatable {
        case idle
        case queued
        case running
        case done
    }
}
