import Testing
import WhittleCore
import WhittleGraph
import WhittleSolver

@Suite("Solver")
struct SolverTests {
    /// Two stages: one compiles, the final one takes its output.
    private static func twoStages(command: String = "compile", ignoresCache: Bool = false) -> Definition {
        var graph = GraphSketch()
        let builder = graph.image("golang")
        let sources = graph.copy("sources", from: graph.context(), onto: builder)
        let compiled = graph.run(command, on: sources, ignoresCache: ignoresCache)
        let prepared = graph.run("prepare", on: graph.image("alpine"))
        let final = graph.copy("binary", from: compiled, onto: prepared)
        let last = graph.run("check", on: final)
        return graph.definition(last)
    }

    @Test("a download is looked at in every build, and counts by its content and not by its address")
    func download() {
        func definition(_ url: String) -> Definition {
            var sketch = GraphSketch()
            let added = sketch.copy("add", from: sketch.download(url), onto: sketch.image("base"))
            let used = sketch.run("use", on: added)
            return sketch.definition(used)
        }
        var simulation = SolverSimulation()
        simulation.outputs = ["one": "bytes", "two": "bytes"]
        _ = simulation.build(definition("one"))
        _ = simulation.build(definition("one"))
        #expect(simulation.executed == ["one"])
        _ = simulation.build(definition("two"))
        #expect(simulation.executed == ["two"])
        simulation.outputs["two"] = "other"
        _ = simulation.build(definition("two"))
        #expect(simulation.executed.contains("add") && simulation.executed.contains("use"))
    }

    @Test("a first build runs every step once, inputs before users")
    func cold() {
        var simulation = SolverSimulation()
        let results = simulation.build(Self.twoStages())
        #expect(results == ["check(binary(prepare(alpine()),compile(sources(golang(),context()))))"])
        #expect(
            simulation.executed.sorted() == [
                "alpine", "binary", "check", "compile", "context", "golang", "prepare", "sources",
            ])
    }

    @Test("a second build runs nothing but reading the context, and pulls nothing")
    func warm() {
        var simulation = SolverSimulation()
        let first = simulation.build(Self.twoStages())
        #expect(simulation.build(Self.twoStages()) == first)
        #expect(simulation.executed == ["context"])
    }

    @Test("a stage that ran again and gave the same files does not touch what copies from it")
    func earlyCutOff() {
        var simulation = SolverSimulation()
        simulation.outputs["compile"] = "binary"
        simulation.outputs["compile with a comment"] = "binary"
        _ = simulation.build(Self.twoStages())
        _ = simulation.build(Self.twoStages(command: "compile with a comment"))
        #expect(simulation.executed.contains("compile with a comment"))
        #expect(!simulation.executed.contains("binary"))
        #expect(!simulation.executed.contains("check"))
    }

    @Test("a changed context reruns what depends on it, and nothing else")
    func changedContext() {
        var simulation = SolverSimulation()
        _ = simulation.build(Self.twoStages())
        simulation.outputs["context"] = "edited"
        let results = simulation.build(Self.twoStages())
        #expect(results[0]?.contains("edited") == true)
        #expect(simulation.executed.sorted() == ["binary", "check", "compile", "context", "sources"])
    }

    @Test("a step that ignores the cache runs again, and so does everything built on it")
    func ignoresCache() {
        func definition(_ ignoresCache: Bool) -> Definition {
            var graph = GraphSketch()
            let first = graph.run("first", on: graph.image("alpine"), ignoresCache: ignoresCache)
            let last = graph.run("second", on: first)
            return graph.definition(last)
        }
        var simulation = SolverSimulation()
        _ = simulation.build(definition(false))
        _ = simulation.build(definition(true))
        #expect(simulation.executed == ["first", "second"])
        // And the results of the forced run are the current ones from now on.
        _ = simulation.build(definition(false))
        #expect(simulation.executed.isEmpty)
    }

    @Test("a reader is not run again when the forced stage gave the same files")
    func ignoresCacheCutOff() {
        var simulation = SolverSimulation()
        simulation.outputs["compile"] = "binary"
        _ = simulation.build(Self.twoStages())
        _ = simulation.build(Self.twoStages(ignoresCache: true))
        #expect(simulation.executed.sorted() == ["compile", "context"])
    }

    @Test("work of equal key runs once even where the graph has it twice")
    func equalKeys() {
        var graph = GraphSketch()
        let base = graph.image("alpine")
        let first = graph.copy("a", from: graph.run("one", on: base), onto: nil)
        let second = graph.copy("a", from: graph.run("two", on: base), onto: nil)
        var simulation = SolverSimulation()
        simulation.outputs["one"] = "same"
        simulation.outputs["two"] = "same"
        let results = simulation.build(graph.definition(first, second))
        #expect(simulation.executed.count { $0 == "a" } == 1)
        #expect(results[0] == results[1])
    }

    @Test("independent steps run at the same time, up to the limit", arguments: [(8, 7), (4, 4), (1, 1)])
    func parallel(limit: Int, expected: Int) {
        var graph = GraphSketch()
        let base = graph.image("alpine")
        var last = graph.run("final", on: base)
        for index in 0..<6 { last = graph.copy("copy\(index)", from: graph.run("stage\(index)", on: base), onto: last) }
        var simulation = SolverSimulation()
        simulation.stepLimit = limit
        simulation.leavesStepsOpen = true
        _ = simulation.build(graph.definition(last))
        #expect(simulation.mostAtOnce == expected)
    }

    @Test("the base chain of a stage does not wait for the stage it copies from")
    func speculation() {
        var graph = GraphSketch()
        let builder = graph.run("slow build", on: graph.image("golang"))
        let prepared = graph.run("prepare", on: graph.image("alpine"))
        let final = graph.copy("binary", from: builder, onto: prepared)
        let definition = graph.definition(final)
        var solver = Solver<String>(definition: definition, stepLimit: 4, generation: Digest(hashing: "g"))
        var open = solver.start()
        var started: Set<String> = []
        // Everything is answered but the two steps: both must be open at the same time.
        while let index = open.firstIndex(where: { action in
            if case .execute(let digest, _, _, _) = action, case .exec? = definition.vertex(digest)?.op { return false }
            return true
        }) {
            switch open.remove(at: index) {
            case .findContent(let request):
                open += solver.handle(.contentFound(request.vertex, input: request.input, nil))
            case .computeContent(let request, _):
                open += solver.handle(.contentComputed(request.vertex, input: request.input, Digest(hashing: "c")))
            case .lookUp(let vertex, _): open += solver.handle(.lookedUp(vertex, nil))
            case .execute(let vertex, _, let identity, _):
                open += solver.handle(.finished(vertex, Outcome(identity: identity, value: "")))
            }
        }
        for case .execute(let digest, _, _, _) in open {
            started.insert(definition.vertex(digest)?.metadata.name ?? "")
        }
        #expect(started == ["slow build", "prepare"])
    }

    @Test("after a failure nothing new starts")
    func failure() {
        var simulation = SolverSimulation()
        simulation.failing = ["compile"]
        #expect(simulation.build(Self.twoStages()) == [nil])
        #expect(!simulation.executed.contains("binary"))
        // The store still has what succeeded.
        simulation.failing = []
        #expect(simulation.build(Self.twoStages())[0] != nil)
        #expect(!simulation.executed.contains("sources"))
    }

    @Test("a merge knows its inputs by identity: the copied part is not made again on a new base")
    func linkedCopy() {
        func definition(base: String) -> Definition {
            var graph = GraphSketch()
            let linked = graph.copy("linked", from: graph.context(), onto: nil)
            let last = graph.merge("merge", graph.image(base), linked)
            return graph.definition(last)
        }
        var simulation = SolverSimulation()
        _ = simulation.build(definition(base: "debian:11"))
        _ = simulation.build(definition(base: "debian:12"))
        #expect(simulation.executed.sorted() == ["context", "debian:12", "merge"])
    }

    @Test("an empty output is its own result")
    func scratch() {
        var solver = Solver<String>(
            definition: GraphSketch().definition(nil), stepLimit: 1, generation: Digest(hashing: "g"))
        #expect(solver.start().isEmpty)
        #expect(solver.isFinished)
    }

    @Test("results do not depend on the order in which answers come", arguments: 0..<200)
    func orders(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let definition = Self.randomGraph(&random)
        var reference = SolverSimulation()
        let expected = reference.build(definition)
        var simulation = SolverSimulation()
        simulation.stepLimit = 1 + seed % 5
        #expect(simulation.build(definition) { Int(random.next() % UInt64($0)) } == expected)
        #expect(Set(simulation.executed).count == simulation.executed.count, "a step ran twice")
        _ = simulation.build(definition) { Int(random.next() % UInt64($0)) }
        #expect(simulation.executed.allSatisfy { $0 == "context" })
    }

    @Test("ten thousand vertices settle", .timeLimit(.minutes(1)))
    func large() {
        var graph = GraphSketch()
        let base = graph.image("alpine")
        var last = base
        for index in 0..<5000 {
            last = graph.copy("c\(index)", from: graph.run("r\(index)", on: base), onto: last)
        }
        var simulation = SolverSimulation()
        #expect(simulation.build(graph.definition(last))[0] != nil)
        #expect(simulation.executed.count == 10_001)
    }

    private static func randomGraph(_ random: inout SplitMix) -> Definition {
        var graph = GraphSketch()
        var edges = [graph.image("a"), graph.image("b")]
        let context = graph.context()
        for index in 0..<24 {
            let base = edges[Int(random.next() % UInt64(edges.count))]
            let other = edges[Int(random.next() % UInt64(edges.count))]
            switch random.next() % 5 {
            case 0, 1: edges.append(graph.run("run\(index)", on: base))
            case 2: edges.append(graph.copy("copy\(index)", from: context, onto: base))
            case 3 where base != other: edges.append(graph.copy("from\(index)", from: other, onto: base))
            default: edges.append(graph.copy("linked\(index)", from: other, onto: nil))
            }
        }
        return graph.definition(edges[edges.count - 1], edges[edges.count - 2])
    }
}

/// A small repeatable random number generator (splitmix64, Steele et al. 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
