import Testing
import WhittleCore
import WhittleGraph

@Suite("GraphBuilder")
struct GraphBuilderTests {
    private static func image(_ name: String) -> Op {
        .source(
            .image(
                ImageSource(
                    reference: name, platform: .host, manifestDigest: Digest(hashing: name),
                    chainID: Digest(hashing: "layers of " + name))))
    }
    private static func run(_ command: String, environment: [String] = []) -> Op {
        .exec(ExecOp(arguments: ["/bin/sh", "-c", command], environment: environment, rootInput: 0))
    }
    private static func metadata(_ name: String, ignoresCache: Bool = false) -> VertexMetadata {
        VertexMetadata(name: name, ignoresCache: ignoresCache)
    }

    @Test("equal work is one vertex, and ignores the cache if any copy of it does")
    func equalVertices() throws {
        var graph = GraphBuilder()
        let base = graph.add(Self.image("alpine"), metadata: Self.metadata("base"))
        let first = graph.add(Self.run("true"), inputs: [base], metadata: Self.metadata("first"))
        let second = graph.add(Self.run("true"), inputs: [base], metadata: Self.metadata("second", ignoresCache: true))
        #expect(first == second)
        let definition = graph.definition(of: [first])
        #expect(definition.vertices.count == 2)
        let vertex = try #require(definition.vertex(first.vertex))
        #expect(vertex.metadata.name == "first")
        #expect(vertex.metadata.ignoresCache)
    }

    @Test("several definitions become one: equal vertices are one with the first name, outputs stay in order")
    func merging() {
        func part(_ command: String) -> Definition {
            var graph = GraphBuilder()
            let base = graph.add(Self.image("alpine"), metadata: Self.metadata("[1/2] FROM alpine"))
            let last = graph.add(Self.run(command), inputs: [base], metadata: Self.metadata("exporting \(command)"))
            return graph.definition(of: [last, nil])
        }
        let (one, two) = (part("one"), part("two"))
        let merged = Definition.merging([one, two], named: ["a", "b"])
        #expect(
            merged.vertices.map(\.metadata.name) == ["[a 1/2] FROM alpine", "[a] exporting one", "[b] exporting two"])
        #expect(merged.outputs == one.outputs + two.outputs)
    }

    @Test("what no output needs is left out")
    func unusedVertices() {
        var graph = GraphBuilder()
        let base = graph.add(Self.image("alpine"), metadata: Self.metadata("base"))
        let used = graph.add(Self.run("used"), inputs: [base], metadata: Self.metadata("used"))
        _ = graph.add(Self.run("unused"), inputs: [base], metadata: Self.metadata("unused"))
        #expect(graph.definition(of: [used, nil]).vertices.map(\.metadata.name) == ["base", "used"])
    }

    @Test("images with equal layers are one source, whatever their names")
    func equalLayers() {
        var graph = GraphBuilder()
        let layers = Digest(hashing: "layers")
        let sources = ["a", "b"].map { name in
            graph.add(
                .source(
                    .image(
                        ImageSource(
                            reference: name, platform: .host, manifestDigest: Digest(hashing: name), chainID: layers))),
                metadata: Self.metadata(name))
        }
        #expect(sources[0] == sources[1])
    }

    @Test("proxy settings are no part of a step's digest, and the environment is")
    func uncachedEnvironment() {
        let plain = ExecOp(arguments: ["a"], rootInput: nil)
        var proxied = plain
        proxied.uncachedEnvironment = ["http_proxy=http://p"]
        var changed = plain
        changed.environment = ["A=1"]
        #expect(Op.exec(plain).keyDigest == Op.exec(proxied).keyDigest)
        #expect(Op.exec(plain).keyDigest != Op.exec(changed).keyDigest)
    }

    @Test("fields cannot run together")
    func fieldBoundaries() {
        #expect(
            Self.run("a", environment: ["AB", "C"]).keyDigest != Self.run("a", environment: ["A", "BC"]).keyDigest)
    }

    @Test("the layer chain follows base inputs, lowest first")
    func layerChain() {
        var graph = GraphBuilder()
        let base = graph.add(Self.image("alpine"), metadata: Self.metadata("base"))
        let other = graph.add(Self.image("node"), metadata: Self.metadata("other"))
        let copied = graph.add(
            .file(FileOp(base: 0, actions: [.copy(CopyAction(input: 1, sources: ["/a"], destination: "/b"))])),
            inputs: [base, other], metadata: Self.metadata("copy"))
        let definition = graph.definition(of: [copied])
        #expect(definition.layerChain(of: copied).map(\.metadata.name) == ["base", "copy"])
        #expect(definition.layerChain(of: nil).isEmpty)
    }

    @Test("a time of files and an allowed leak are part of the digest, and change nothing where they are not set")
    func optionalFields() {
        let plain = Op.file(FileOp(base: nil, actions: []))
        let dated = Op.file(FileOp(base: nil, actions: [], time: Timestamp(seconds: 1)))
        let later = Op.file(FileOp(base: nil, actions: [], time: Timestamp(seconds: 2)))
        #expect(Set([plain, dated, later].map(\.keyDigest)).count == 3)
        var exec = ExecOp(arguments: ["true"], rootInput: nil, secretEnvironment: [SecretVariable(id: "b", name: "B")])
        exec.mounts = [.secret(SecretMount(id: "a", target: "/a")), .secret(SecretMount(id: "b", target: "/b"))]
        #expect(exec.secretIDs == ["a", "b"])
        let strict = Op.exec(exec).keyDigest
        exec.allowsSecretLeak = true
        #expect(Op.exec(exec).keyDigest != strict)
    }
}
