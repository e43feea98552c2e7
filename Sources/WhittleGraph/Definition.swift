public import WhittleCore

/// One output of a vertex.
public struct Edge: Hashable, Sendable {
    public let vertex: Digest
    /// Counted from 0. An op whose result is one file system has the single output 0.
    public let output: Int

    public init(vertex: Digest, output: Int = 0) {
        self.vertex = vertex
        self.output = output
    }
}

/// An op with its inputs: the unit that is scheduled, cached and shown as a step.
public struct Vertex: Sendable {
    /// SHA-256 over the op and the inputs, without ``metadata``: equal work has an equal digest.
    public let digest: Digest
    public let op: Op
    /// In the order that the op's input indices refer to.
    public let inputs: [Edge]
    public let metadata: VertexMetadata
}

/// What a person sees of a vertex, and how it is to be treated; no part of its digest.
public struct VertexMetadata: Sendable {
    /// `[builder 3/5] RUN npm ci`, `[internal] load build context`.
    public var name: String
    /// The stage the step belongs to, as it is named or numbered.
    public var stage: String?
    /// The instruction that asked for the step.
    public var location: SourceLocation?
    /// The step runs even if a cache record exists, and everything built on it takes its new result.
    public var ignoresCache: Bool
    /// What the history of the image says of the step (`created_by`), where it makes a layer.
    public var history: String?
    /// Its place in the Dockerfile; `nil` for work that no instruction stands for by itself.
    public var origin: StepOrigin?

    public init(
        name: String, stage: String? = nil, location: SourceLocation? = nil, ignoresCache: Bool = false,
        history: String? = nil, origin: StepOrigin? = nil
    ) {
        self.name = name
        self.stage = stage
        self.location = location
        self.ignoresCache = ignoresCache
        self.history = history
        self.origin = origin
    }
}

/// A serialised graph: everything that must exist for its outputs to exist, and nothing else.
///
/// Acyclic by construction: a vertex names its inputs by digest, so they are made before it.
public struct Definition: Sendable {
    /// Inputs before the vertices that use them.
    public let vertices: [Vertex]
    /// The edges that were asked for, in the order they were asked for; `nil` stands for an empty file system.
    public let outputs: [Edge?]

    private let index: [Digest: Int]

    init(vertices: [Vertex], outputs: [Edge?]) {
        self.vertices = vertices
        self.outputs = outputs
        index = Dictionary(uniqueKeysWithValues: vertices.enumerated().map { ($0.element.digest, $0.offset) })
    }

    /// One definition for several: equal vertices are one, and the outputs follow each other in order.
    ///
    /// Vertices of a part with a name in `names` are shown with it; one that several parts have, with the first one's.
    ///
    /// - Parameter names: one for each of `parts`.
    public static func merging(_ parts: [Definition], named names: [String?]) -> Definition {
        if parts.count == 1, names[0] == nil { return parts[0] }
        var builder = GraphBuilder()
        var outputs: [Edge?] = []
        for (part, name) in zip(parts, names) { outputs += builder.include(part.showing(name)) }
        return builder.definition(of: outputs)
    }

    private func showing(_ name: String?) -> Definition {
        guard let name else { return self }
        let vertices = vertices.map { vertex in
            var metadata = vertex.metadata
            metadata.name = Step.name(metadata.name, of: name)
            return Vertex(digest: vertex.digest, op: vertex.op, inputs: vertex.inputs, metadata: metadata)
        }
        return Definition(vertices: vertices, outputs: outputs)
    }

    /// The vertex with this digest, or `nil` where the definition has none.
    public func vertex(_ digest: Digest) -> Vertex? {
        index[digest].map { vertices[$0] }
    }

    /// The vertices whose results stack up to `edge`'s file system, base first: each is the root file system that the
    /// next one started from. They are the ones that make layers when `edge` is exported.
    public func layerChain(of edge: Edge?) -> [Vertex] {
        var chain: [Vertex] = []
        var next = edge
        while let edge = next, let vertex = vertex(edge.vertex) {
            chain.append(vertex)
            next = vertex.op.baseInput.flatMap { vertex.inputs.indices.contains($0) ? vertex.inputs[$0] : nil }
        }
        return chain.reversed()
    }
}
