/// The name of a step, taken apart: `[build 2/5] RUN make` is the second step of the stage `build`.
package struct StepLabel: Hashable, Sendable {
    /// The stage, after the target or platform where there are several; `nil` for work that belongs to none.
    package let stage: String?
    /// Counted from 1; 0 without a stage.
    package let number: Int
    /// What follows the brackets.
    package let text: String

    package init(_ name: String) {
        guard name.hasPrefix("["), let close = name.firstIndex(of: "]") else {
            self.init(stage: nil, number: 0, text: name)
            return
        }
        let words = name[name.index(after: name.startIndex)..<close].split(separator: " ")
        let text = String(name[name.index(after: close)...].drop { $0 == " " })
        let counts = words.last?.split(separator: "/").compactMap { Int($0) } ?? []
        guard words.count > 1, counts.count == 2 else {
            self.init(stage: nil, number: 0, text: text)
            return
        }
        self.init(stage: words.dropLast().joined(separator: " "), number: counts[0], text: text)
    }

    private init(stage: String?, number: Int, text: String) {
        self.stage = stage
        self.number = number
        self.text = text
    }
}
