public import WhittleCore

/// A result and the name that cache keys of later steps know it by.
public struct Outcome<Value: Sendable>: Sendable {
    /// Equal identities mean interchangeable file systems. Normally the digest of the cache key; another one where the
    /// step was made to run again, so that nothing built on its earlier result is taken for current.
    public let identity: Digest
    public let value: Value

    public init(identity: Digest, value: Value) {
        self.identity = identity
        self.value = value
    }
}

/// Asks for the content digest of what `vertex` reads from one input.
public struct ContentRequest: Hashable, Sendable {
    /// The reader.
    public let vertex: Digest
    /// Which of its inputs.
    public let input: Int
    public let selection: ContentSelection
    /// Identity of the input's result, or `nil` for a local directory.
    public let identity: Digest?
}

/// What the solver wants done. Each action is answered by the event that its case names, or by ``SolverEvent/failed``.
public enum SolverAction<Value: Sendable>: Sendable {
    /// Look whether the digest is on record. Answer: ``SolverEvent/contentFound``.
    case findContent(ContentRequest)
    /// Read the files. Answer: ``SolverEvent/contentComputed``.
    case computeContent(ContentRequest, of: Outcome<Value>)
    /// Look for a usable result. Answer: ``SolverEvent/lookedUp``.
    case lookUp(Digest, key: CacheKey)
    /// Do the work; `inputs` are in the order of the vertex's inputs. Answer: ``SolverEvent/finished``.
    ///
    /// `identity` is what the result will be known as unless the executor finds one that another process just made.
    case execute(Digest, key: CacheKey?, identity: Digest, inputs: [Outcome<Value>])
}

/// What happened, told to the solver. Vertices are named by digest.
public enum SolverEvent<Value: Sendable>: Sendable {
    case contentFound(Digest, input: Int, Digest?)
    case contentComputed(Digest, input: Int, Digest)
    case lookedUp(Digest, Outcome<Value>?)
    case finished(Digest, Outcome<Value>)
    case failed(Digest)
}
