internal import WhittleCore
internal import WhittleGraph

/// The words for why a step ran, or did not.
enum ExplanationText {
    /// One line for each reason; at least one.
    static func lines(of explanation: StepExplanation) -> [String] {
        switch explanation {
        case .ran(let reasons): return reasons
        case .cached(let since, let note):
            let unchanged = since.map { "nothing changed since it was built at \($0.rfc3339)" }
            return [[note, unchanged].compactMap { $0 }.joined(separator: "; ")].map { $0.isEmpty ? "cached" : $0 }
        }
    }
}
