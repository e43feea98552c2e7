import Synchronization
import Testing
import WhittleCore
import WhittleEngine
import WhittleGraph
import WhittleSolver

@Suite("BuildRun")
struct BuildRunTests {
    /// A worker whose results are texts; steps behave as their names say.
    final class FakeWorker: Worker {
        struct Failure: Error {}
        let log = Mutex<[String]>([])

        func recordedContent(_ request: ContentRequest) async throws -> Digest? { nil }

        func computeContent(_ request: ContentRequest, of result: String, for vertex: Vertex) async throws -> Digest {
            if vertex.metadata.name == "unreadable" { throw Failure() }
            return Digest(hashing: result)
        }

        func lookUp(_ vertex: Vertex, key: CacheKey) async throws -> Outcome<String>? {
            vertex.metadata.name == "cached" ? Outcome(identity: key.digest, value: "cached") : nil
        }

        func execute(
            _ vertex: Vertex, key: CacheKey?, identity: Digest, inputs: [Outcome<String>]
        ) async throws -> Execution<String> {
            let name = vertex.metadata.name
            switch name {
            case "fails": throw Failure()
            case "waits":
                do { try await Task.sleep(for: .seconds(60)) } catch {
                    log.withLock { $0.append("cancelled") }
                    throw error
                }
            default: break
            }
            return Execution(
                Outcome(identity: identity, value: "\(name)(\(inputs.map(\.value).joined(separator: ",")))"),
                wasShared: name == "shared")
        }
    }

    private static func definition(_ build: (inout GraphBuilder) -> [Edge]) -> Definition {
        var builder = GraphBuilder()
        let outputs = build(&builder)
        return builder.definition(of: outputs)
    }

    private static func run(_ name: String, on base: Edge?, in builder: inout GraphBuilder) -> Edge {
        builder.add(
            .exec(ExecOp(arguments: [name], rootInput: base == nil ? nil : 0)), inputs: [base].compactMap { $0 },
            metadata: VertexMetadata(name: name))
    }

    private static func outputs(_ definition: Definition, _ worker: FakeWorker) async throws -> ([String?], [String]) {
        let events = Mutex<[String]>([])
        let run = BuildRun(definition, worker: worker) { event in
            let text =
                switch event {
                case .started(let step): "started \(step.name)"
                case .finished(let step): "finished \(step.name)"
                case .cached(let step): "cached \(step.name)"
                case .failed(let step, _): "failed \(step.name)"
                case .cancelled(let step): "cancelled \(step.name)"
                default: "other"
                }
            events.withLock { $0.append(text) }
        }
        do {
            let results = try await run.outputs(stepLimit: 4, generation: Digest(hashing: "g"))
            return (results, events.withLock { $0 })
        } catch {
            worker.log.withLock { $0 += events.withLock { $0 } }
            throw error
        }
    }

    @Test("gives the outputs and says what happened to each step")
    func success() async throws {
        let definition = Self.definition { builder in
            let first = Self.run("cached", on: nil, in: &builder)
            return [Self.run("shared", on: Self.run("second", on: first, in: &builder), in: &builder)]
        }
        let (results, events) = try await Self.outputs(definition, FakeWorker())
        #expect(results == ["shared(second(cached))"])
        #expect(events == ["cached cached", "started second", "finished second", "started shared", "cached shared"])
    }

    @Test("a failing step cancels its siblings, and its error is the build's", .timeLimit(.minutes(1)))
    func failure() async throws {
        let definition = Self.definition { builder in
            let waits = Self.run("waits", on: nil, in: &builder)
            let fails = Self.run("fails", on: nil, in: &builder)
            return [waits, fails]
        }
        let worker = FakeWorker()
        await #expect(throws: FakeWorker.Failure.self) { try await Self.outputs(definition, worker) }
        let log = worker.log.withLock { $0 }
        #expect(log.contains("cancelled"))
        #expect(log.contains("failed fails"))
        #expect(log.contains("cancelled waits"))
    }

    @Test("cancelling the build cancels its steps", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let definition = Self.definition { builder in [Self.run("waits", on: nil, in: &builder)] }
        let worker = FakeWorker()
        let task = Task { try await Self.outputs(definition, worker) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("content that cannot be read fails the step that reads it")
    func unreadable() async throws {
        let definition = Self.definition { builder in
            let source = builder.add(
                .source(.local(LocalSource(name: "context"))), metadata: VertexMetadata(name: "context"))
            let copy = CopyAction(input: 0, sources: ["/a"], destination: "/b")
            return [
                builder.add(
                    .file(FileOp(base: nil, actions: [.copy(copy)])), inputs: [source],
                    metadata: VertexMetadata(name: "unreadable"))
            ]
        }
        let worker = FakeWorker()
        await #expect(throws: FakeWorker.Failure.self) { try await Self.outputs(definition, worker) }
        #expect(worker.log.withLock { $0 }.contains("failed unreadable"))
    }
}
