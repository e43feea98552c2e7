/// How a running container is brought to its end: steps, each tried for a while before the next.
///
/// A decision and nothing else; the one who watches the container carries it out.
package struct Teardown: Sendable {
    package enum Action: Hashable, Sendable {
        /// SIGTERM to every process of the container. To all and not just to the first: that one ignores it unless it
        /// has a handler, and a shell has none; but it ends when the command it waits for does.
        case terminate
        /// SIGKILL to every process of the container.
        case kill
        /// SIGKILL to the runtime, without which the container's state is left for ``OCIRuntime`` to remove.
        case abandon
    }

    package struct Step: Hashable, Sendable {
        package var action: Action
        /// How long to wait before the next step.
        package var patience: Duration

        package init(_ action: Action, patience: Duration) {
            self.action = action
            self.patience = patience
        }
    }

    /// Not empty.
    package var steps: [Step]

    package init(_ steps: [Step]) { self.steps = steps }

    /// Two seconds to end in an orderly way; a killed process that takes five waits for a disk that does not answer.
    package static let standard = Teardown([
        Step(.terminate, patience: .seconds(2)), Step(.kill, patience: .seconds(5)), Step(.abandon, patience: .zero),
    ])
}

/// A teardown under way.
struct TeardownProgress {
    private var remaining: ArraySlice<Teardown.Step>
    /// When ``next(at:)`` is to be asked again; `nil` after the last step.
    private(set) var deadline: ContinuousClock.Instant?

    /// A teardown that has not begun.
    init(_ teardown: Teardown) { remaining = teardown.steps[...] }

    /// What to do at `now`: the next step if there was none yet or its predecessor's time is over.
    mutating func next(at now: ContinuousClock.Instant) -> Teardown.Action? {
        if let deadline, now < deadline { return nil }
        guard let step = remaining.popFirst() else { return nil }
        deadline = remaining.isEmpty ? nil : now + step.patience
        return step.action
    }
}
