internal import WhittleCore

/// Collects vertices while a frontend lowers a build, then cuts the definition down to what the outputs need.
///
/// Equal vertices are kept once: the first one's metadata is shown, and the step ignores the cache if any of them asked
/// for that.
public struct GraphBuilder: Sendable {
    private var vertices: [Vertex] = []
    private var positions: [Digest: Int] = [:]

    public init() {}

    /// Adds `op` over `inputs`, which must come from this builder.
    ///
    /// - Returns: the op's first output.
    public mutating func add(_ op: Op, inputs: [Edge] = [], metadata: VertexMetadata) -> Edge {
        precondition(inputs.allSatisfy { positions[$0.vertex] != nil }, "an input of another graph")
        precondition(op.highestInput < inputs.count, "an op that refers to an input it does not have")
        let digest = op.digest(inputs: inputs)
        if let position = positions[digest] {
            if metadata.ignoresCache, !vertices[position].metadata.ignoresCache {
                var merged = vertices[position].metadata
                merged.ignoresCache = true
                vertices[position] = Vertex(digest: digest, op: op, inputs: inputs, metadata: merged)
            }
        } else {
            positions[digest] = vertices.count
            vertices.append(Vertex(digest: digest, op: op, inputs: inputs, metadata: metadata))
        }
        return Edge(vertex: digest)
    }

    /// Adds everything of `definition`.
    ///
    /// - Returns: its outputs.
    public mutating func include(_ definition: Definition) -> [Edge?] {
        for vertex in definition.vertices { _ = add(vertex.op, inputs: vertex.inputs, metadata: vertex.metadata) }
        return definition.outputs
    }

    /// The definition of `outputs`; vertices that none of them needs are left out.
    public func definition(of outputs: [Edge?]) -> Definition {
        precondition(
            outputs.allSatisfy { $0.map { positions[$0.vertex] != nil } ?? true }, "an output of another graph")
        var needed: Set<Digest> = []
        var pending = outputs.compactMap { $0?.vertex }
        while let digest = pending.popLast() {
            guard needed.insert(digest).inserted, let position = positions[digest] else { continue }
            pending += vertices[position].inputs.map(\.vertex)
        }
        return Definition(vertices: vertices.filter { needed.contains($0.digest) }, outputs: outputs)
    }
}
