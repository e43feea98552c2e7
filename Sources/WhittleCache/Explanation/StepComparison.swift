package import WhittleCore

/// Says how a step differs from the one of an earlier build.
package struct StepComparison {
    private let old: StepRecord
    private let new: StepRecord
    /// The changes of the files behind a content digest, `nil` where they are not known.
    private let changes: (_ old: Digest, _ new: Digest) -> [FileChange]?
    /// Whether the step behind an input has run in this build.
    private let hasRun: (_ input: Int) -> Bool

    /// The most files that are named for one input.
    private static let fileLimit = 8

    package init(
        from old: StepRecord, to new: StepRecord, changes: @escaping (Digest, Digest) -> [FileChange]?,
        hasRun: @escaping (Int) -> Bool
    ) {
        self.old = old
        self.new = new
        self.changes = changes
        self.hasRun = hasRun
    }

    /// The differences, those that the user made first; empty where none is found.
    package var reasons: [String] {
        var reasons: [String] = []
        let isSameInstruction = old.instruction == new.instruction
        if !isSameInstruction {
            reasons.append("the instruction changed: '\(Self.cut(old.instruction))' → '\(Self.cut(new.instruction))'")
        }
        reasons += fieldReasons(isSameInstruction: isSameInstruction)
        reasons += inputReasons()
        return reasons
    }

    private static func cut(_ text: String) -> String { text.count > 100 ? text.prefix(99) + "…" : text }

    // MARK: Fields

    private func fieldReasons(isSameInstruction: Bool) -> [String] {
        let before = Dictionary(old.fields.map { ($0.label, $0) }) { first, _ in first }
        let after = Set(new.fields.map(\.label))
        var reasons: [String] = []
        for field in new.fields where isSameInstruction || Self.isVariable(field) {
            guard let earlier = before[field.label] else {
                reasons.append(field.shown.map { "\(field.label): unset → '\($0)'" } ?? "\(field.label) added")
                continue
            }
            guard earlier.fingerprint != field.fingerprint else { continue }
            if let was = earlier.shown, let shown = field.shown {
                reasons.append("\(field.label): '\(was)' → '\(shown)'")
            } else {
                reasons.append("\(field.label) changed")
            }
        }
        for field in old.fields where !after.contains(field.label) && (isSameInstruction || Self.isVariable(field)) {
            reasons.append(field.shown.map { "\(field.label): '\($0)' → unset" } ?? "\(field.label) removed")
        }
        if reasons.isEmpty, isSameInstruction, old.fields.map(\.label) != new.fields.map(\.label) {
            reasons.append("the order of its variables or mounts changed")
        }
        return reasons
    }

    /// What does not stand in the instruction itself.
    private static func isVariable(_ field: StepRecord.Field) -> Bool {
        field.label.hasPrefix("ARG ") || field.label.hasPrefix("ENV ")
    }

    // MARK: Inputs

    private func inputReasons() -> [String] {
        var reasons: [String] = []
        for (index, input) in new.inputs.enumerated() {
            guard old.inputs.indices.contains(index) else {
                if old.instruction == new.instruction { reasons.append("it now builds on \(input.name)") }
                continue
            }
            let earlier = old.inputs[index]
            guard earlier.digest != input.digest || earlier.kind != input.kind else { continue }
            reasons += self.reasons(index, from: earlier, to: input)
        }
        if new.inputs.count < old.inputs.count, old.instruction == new.instruction {
            reasons.append("it no longer builds on \(old.inputs[new.inputs.count].name)")
        }
        return reasons
    }

    private func reasons(_ index: Int, from old: StepRecord.Input, to new: StepRecord.Input) -> [String] {
        switch new.kind {
        case .image:
            guard old.kind == .image else { return ["it now builds on the image \(new.name)"] }
            guard old.name == new.name else { return ["the base image changed: \(old.name) → \(new.name)"] }
            return ["the base image changed: \(new.name) is now \(new.detail), was \(old.detail)"]
        case .step:
            guard old.kind == .step else { return ["it now builds on \(new.name)"] }
            return [
                hasRun(index)
                    ? "an earlier step ran again: \(new.name)"
                    : "an earlier step has another result than the last time: \(new.name)"
            ]
        case .context, .files:
            guard let changes = changes(old.digest, new.digest), !changes.isEmpty else {
                return ["files of \(new.name) changed"]
            }
            // Paths of the build context need no place: they are the user's own files.
            let place = new.kind == .context && new.name == "the build context" ? "" : " (in \(new.name))"
            let root = new.kind == .files ? "/" : ""
            var reasons = changes.prefix(Self.fileLimit).map { root + $0.text + place }
            if changes.count > Self.fileLimit {
                reasons.append("and \(changes.count - Self.fileLimit) more changes in \(new.name)")
            }
            return reasons
        }
    }
}
