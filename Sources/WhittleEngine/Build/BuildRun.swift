package import WhittleCore
package import WhittleGraph
internal import WhittleSolver

/// Carries a definition out: performs the solver's actions side by side and tells it what came of them.
package struct BuildRun<W: Worker>: Sendable {
    package typealias Result = W.Result

    private let definition: Definition
    private let worker: W
    private let report: @Sendable (StepEvent) -> Void

    /// - Parameter report: receives the events of the steps, those of one step in order, from any thread.
    package init(_ definition: Definition, worker: W, report: @escaping @Sendable (StepEvent) -> Void) {
        self.definition = definition
        self.worker = worker
        self.report = report
    }

    /// Makes the definition's outputs.
    ///
    /// - Parameters:
    ///   - stepLimit: how many steps run at once.
    ///   - generation: see ``WhittleSolver/Solver``.
    /// - Returns: one result for each output, `nil` for an empty file system.
    /// - Throws: the error of the step that failed first; the others are cancelled and have ended by then.
    package func outputs(stepLimit: Int, generation: Digest) async throws -> [Result?] {
        var solver = Solver<Result>(definition: definition, stepLimit: stepLimit, generation: generation)
        var failure: (any Error)?
        await withTaskGroup(of: Answer.self) { group in
            for action in solver.start() { begin(action, in: &group) }
            while let answer = await group.next() {
                if let event = answer.stepEvent { report(event) }
                if case .failure(let error) = answer.outcome, failure == nil {
                    failure = error
                    group.cancelAll()
                }
                let next = solver.handle(answer.solverEvent)
                guard failure == nil else { continue }
                for action in next { begin(action, in: &group) }
            }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
        guard solver.isFinished else { preconditionFailure("the solver stopped short of the outputs") }
        return definition.outputs.map { solver.outcome(of: $0)?.value }
    }

    /// What one action came to.
    private struct Answer: Sendable {
        let vertex: Digest
        let outcome: Swift.Result<SolverEvent<Result>, any Error>
        let stepEvent: StepEvent?

        var solverEvent: SolverEvent<Result> {
            if case .success(let event) = outcome { event } else { .failed(vertex) }
        }
    }

    private func begin(_ action: SolverAction<Result>, in group: inout TaskGroup<Answer>) {
        switch action {
        case .findContent(let request):
            answer(to: request.vertex, in: &group) {
                (.contentFound(request.vertex, input: request.input, try await worker.recordedContent(request)), nil)
            }
        case .computeContent(let request, let outcome):
            answer(to: request.vertex, in: &group) {
                guard let vertex = definition.vertex(request.vertex) else { preconditionFailure("an unknown vertex") }
                let digest = try await worker.computeContent(request, of: outcome.value, for: vertex)
                return (.contentComputed(request.vertex, input: request.input, digest), nil)
            }
        case .lookUp(let digest, let key):
            answer(to: digest, in: &group) {
                guard let vertex = definition.vertex(digest) else { preconditionFailure("an unknown vertex") }
                let outcome = try await worker.lookUp(vertex, key: key)
                return (.lookedUp(digest, outcome), outcome == nil ? nil : .cached(Step(vertex)))
            }
        case .execute(let digest, let key, let identity, let inputs):
            guard let vertex = definition.vertex(digest) else { preconditionFailure("an unknown vertex") }
            report(.started(Step(vertex)))
            answer(to: digest, in: &group) {
                let execution = try await worker.execute(vertex, key: key, identity: identity, inputs: inputs)
                let event: StepEvent = execution.wasShared ? .cached(Step(vertex)) : .finished(Step(vertex))
                return (.finished(digest, execution.outcome), event)
            }
        }
    }

    private func answer(
        to digest: Digest, in group: inout TaskGroup<Answer>,
        _ body: @escaping @Sendable () async throws -> (SolverEvent<Result>, StepEvent?)
    ) {
        let step = definition.vertex(digest).map { Step($0) }
        group.addTask {
            do {
                let (event, stepEvent) = try await body()
                return Answer(vertex: digest, outcome: .success(event), stepEvent: stepEvent)
            } catch is CancellationError {
                return Answer(
                    vertex: digest, outcome: .failure(CancellationError()), stepEvent: step.map { .cancelled($0) })
            } catch {
                let message = (error as? BuildError)?.message ?? "\(error)"
                return Answer(
                    vertex: digest, outcome: .failure(error), stepEvent: step.map { .failed($0, message: message) })
            }
        }
    }
}
