package import WhittleCore
package import WhittleGraph
package import WhittleSolver

/// Does what the solver decides, for one build.
///
/// Everything that crosses this boundary is named by digest: no path of this machine does, so a worker may live
/// elsewhere. Calls come from many tasks at once, never twice at once for the same vertex and purpose. A call that throws
/// has left nothing behind.
package protocol Worker: Sendable {
    /// What a worker knows a result by.
    associatedtype Result: Sendable

    /// The content digest that was computed earlier for this selection of this result, or `nil`.
    func recordedContent(_ request: ContentRequest) async throws -> Digest?

    /// Reads what `vertex` selects from `result`, and keeps the digest on record where the result has an identity.
    func computeContent(_ request: ContentRequest, of result: Result, for vertex: Vertex) async throws -> Digest

    /// A usable result of `key`, or `nil`. One whose files are gone is not usable.
    func lookUp(_ vertex: Vertex, key: CacheKey) async throws -> Outcome<Result>?

    /// Does the vertex's work. Where another process is doing or has just done work of the same key, its result is taken.
    ///
    /// - Parameter key: `nil` for a local directory.
    func execute(
        _ vertex: Vertex, key: CacheKey?, identity: Digest, inputs: [Outcome<Result>]
    ) async throws -> Execution<Result>
}

/// How a vertex got its result.
package struct Execution<Result: Sendable>: Sendable {
    package var outcome: Outcome<Result>
    /// Whether another process's result was taken.
    package var wasShared: Bool

    package init(_ outcome: Outcome<Result>, wasShared: Bool = false) {
        self.outcome = outcome
        self.wasShared = wasShared
    }
}
