internal import Synchronization
internal import WhittleCore
package import WhittleExport
package import WhittleGraph
internal import WhittleOCI
internal import WhittleRegistry

/// Shows pushes as steps, one for each repository: a bar for each blob that is sent, a line for each manifest.
package final class PushProgress: Sendable {
    private struct State {
        /// Of those into the same repository.
        var round = 1
        var hasStarted = false
        var hasEnded = false
        var sent = 0
        var mounted = 0
        var existing = 0
        var hasToldBlobs = false
    }

    private let states = Mutex<[String: State]>([:])
    private let report: @Sendable (StepEvent) -> Void

    /// - Parameter report: receives the events of the steps, from any thread.
    package init(report: @escaping @Sendable (StepEvent) -> Void) { self.report = report }

    /// To be called with each event of an ``WhittleExport/ImagePusher``.
    package func handle(_ place: ImagePusher.Place, _ event: ImagePusher.Event) {
        // Under the lock, so that the events of a step stay in order.
        states.withLock { states in
            var state = states[place.name] ?? State()
            if state.hasEnded { state = State(round: state.round + 1) }
            for event in Self.events(event, of: Self.step(place.name, state), place, &state) { report(event) }
            states[place.name] = state
        }
    }

    /// Ends the steps of pushes that did not come to an end.
    package func end() {
        states.withLock { states in
            for (name, state) in states where state.hasStarted && !state.hasEnded {
                report(.cancelled(Self.step(name, state)))
            }
            states = [:]
        }
    }

    private static func step(_ name: String, _ state: State) -> Step {
        Step(internal: "pushing \(name)" + (state.round > 1 ? " (\(state.round))" : ""))
    }

    private static func events(
        _ event: ImagePusher.Event, of step: Step, _ place: ImagePusher.Place, _ state: inout State
    ) -> [StepEvent] {
        var events: [StepEvent] = []
        if !state.hasStarted {
            state.hasStarted = true
            events.append(.started(step))
        }
        switch event {
        case .push(let push): events += Self.events(push, of: step, place, &state)
        case .finished:
            state.hasEnded = true
            events.append(.finished(step))
        case .failed(let error):
            state.hasEnded = true
            events.append(
                error is CancellationError ? .cancelled(step) : .failed(step, message: BuildError.message(of: error)))
        }
        return events
    }

    private static func events(
        _ event: PushEvent, of step: Step, _ place: ImagePusher.Place, _ state: inout State
    ) -> [StepEvent] {
        func progress(_ name: String, _ current: ByteCount = .zero, of total: ByteCount? = nil, isDone: Bool)
            -> StepEvent
        {
            .progress(step, StepProgress(name: name, current: current, total: total, isDone: isDone))
        }
        switch event {
        case .started: return []
        case .sent(let blob, let count):
            return [progress("\(blob.digest)", count, of: ByteCount(blob.size), isDone: false)]
        case .finished(let blob, .uploaded):
            state.sent += 1
            return [progress("\(blob.digest)", ByteCount(blob.size), of: ByteCount(blob.size), isDone: true)]
        case .finished(let blob, .mounted(let repository)):
            state.mounted += 1
            return [progress("\(blob.digest) mounted from \(repository)", isDone: true)]
        case .finished(_, .existing):
            state.existing += 1
            return []
        case .document(let document, let tag):
            var events: [StepEvent] = []
            if !state.hasToldBlobs {
                state.hasToldBlobs = true
                let counts = [(state.sent, "sent"), (state.mounted, "mounted"), (state.existing, "there already")]
                let text = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
                events.append(progress("pushing layers (\(text.isEmpty ? "none" : text))", isDone: true))
            }
            let name = place.name + (tag.map { ":\($0)" } ?? "")
            events.append(progress("pushing manifest for \(name)@\(document.digest)", isDone: true))
            return events
        }
    }
}
