internal import WhittleGraph

/// What one stage cost, as far as the build looked at it.
package struct StageSummary: Hashable, Sendable {
    package let name: String
    /// Steps that the build looked at; those below a cached one are not among them.
    package var count = 0
    package var cached = 0
    /// Of all steps, one after the other.
    package var time: Duration = .zero
    /// After the last step that was measured.
    package var size: BuildTimeline.Size?

    fileprivate init(_ name: String) { self.name = name }
}

extension BuildTimeline {
    /// The stages in the order in which the build met them.
    package var stages: [StageSummary] {
        var stages: [StageSummary] = []
        var positions: [String: Int] = [:]
        var measured: [String: Int] = [:]
        for step in steps {
            let label = step.label
            guard let name = label.stage else { continue }
            let position = positions[name] ?? stages.count
            if position == stages.count {
                positions[name] = position
                stages.append(StageSummary(name))
            }
            stages[position].count += 1
            if step.outcome == .cached { stages[position].cached += 1 }
            stages[position].time += step.duration
            if let size = sizes[step.step.id], label.number >= measured[name] ?? 0 {
                measured[name] = label.number
                stages[position].size = size
            }
        }
        return stages
    }
}
