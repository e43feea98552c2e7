package import WhittleCore
package import WhittleGraph

/// When each step of a build began and ended, out of the events of the build.
///
/// A value that grows with the number of steps and of warnings, never with the output of steps. Events of one step come in
/// order; those of different steps may come mixed.
package struct BuildTimeline: Sendable {
    /// One step.
    package struct TimedStep: Sendable {
        package let step: Step
        package internal(set) var outcome: Outcome
        /// Since the start of the build.
        package internal(set) var start: Duration
        /// As ``start``; equal to it for what was in the cache, and the latest event for what has not ended.
        package internal(set) var end: Duration

        package var duration: Duration { end - start }
        package var label: StepLabel { StepLabel(step.name) }
    }

    package enum Outcome: Hashable, Sendable {
        case running, ran, cached, cancelled
        case failed(message: String)
    }

    /// The files of a stage, after the last of its steps that the build looked at.
    package struct Size: Hashable, Sendable {
        /// What its own steps wrote, and those of stages that it is built on.
        package var added: ByteCount
        /// What came with the base image.
        package var base: ByteCount
    }

    /// In the order in which they were first heard of.
    package private(set) var steps: [TimedStep] = []
    /// By step; for those that were measured.
    package private(set) var sizes: [Digest: Size] = [:]
    package private(set) var warnings: [BuildWarning] = []
    /// What was written: what a person calls it, and its size where that is known.
    package private(set) var outputs: [(name: String, size: ByteCount?)] = []
    /// The time of the latest event.
    package private(set) var end: Duration = .zero
    private var positions: [Digest: Int] = [:]

    package init() {}

    /// - Parameter time: since the start of the build; never less than before.
    package mutating func handle(_ event: StepEvent, at time: Duration) {
        end = max(end, time)
        switch event {
        case .started(let step): note(step, .running, time)
        case .cached(let step): note(step, .cached, time)
        case .finished(let step): note(step, .ran, time)
        case .failed(let step, let message): note(step, .failed(message: message), time)
        case .cancelled(let step): note(step, .cancelled, time)
        case .measured(let step, let added, let base): sizes[step.id] = Size(added: added, base: base)
        case .warning(let warning): warnings.append(warning)
        case .exported(let name, let size): outputs.append((name, size))
        case .output, .progress, .explained: break
        }
    }

    private mutating func note(_ step: Step, _ outcome: Outcome, _ time: Duration) {
        guard let position = positions[step.id] else {
            positions[step.id] = steps.count
            steps.append(TimedStep(step: step, outcome: outcome, start: time, end: time))
            return
        }
        // Work that is done again under the same name, such as a question to a registry, goes on where it was.
        if steps[position].outcome != .running, outcome == .running { steps[position].start = time }
        steps[position].outcome = outcome
        steps[position].end = time
        // Another process did the work: the wait for it is not the work of this build.
        if outcome == .cached { steps[position].start = time }
    }

    /// The step of this ID, if the build has looked at it.
    package func step(_ id: Digest) -> TimedStep? { positions[id].map { steps[$0] } }
}

extension BuildTimeline {
    /// The steps that the end of the build waited for, first to last: each began when the one before it had ended.
    ///
    /// Goes back from the step that ended last: to the input that ended last, and for a step that names no inputs to the
    /// last one that had ended when it began. What took no time is left out.
    package var criticalPath: [TimedStep] {
        var path: [TimedStep] = []
        var seen: Set<Digest> = []
        var next = steps.max { $0.end < $1.end }
        while let step = next, seen.insert(step.step.id).inserted {
            path.append(step)
            let inputs = step.step.inputs.compactMap { self.step($0) }
            next =
                inputs.max { $0.end < $1.end }
                ?? steps.filter { $0.end <= step.start && !seen.contains($0.step.id) }.max { $0.end < $1.end }
        }
        return path.reversed().filter { $0.duration > .zero }
    }
}
