/// A compiled pattern of a shell substitution or an ignore file: a sequence of steps without alternation.
///
/// Matching never takes longer than steps × bytes: each pair is tried once, whatever the pattern.
struct PatternProgram: Sendable {
    var steps: [Step] = []

    enum Step: Hashable, Sendable {
        case one(ScalarClass)
        case star(ScalarClass, isGreedy: Bool)
        /// The next `count` steps may be left out.
        case optional(count: Int)
        case textStart
        case textEnd
        case wordBoundary(Bool)
    }

    /// When a match is found.
    enum Goal {
        /// All steps are done, anywhere in the text.
        case anywhere
        /// The text is used up, and steps may be left: a longer text could match.
        case asPrefix
    }

    /// Memory of one matcher, reused from search to search.
    struct Scratch {
        fileprivate var visited: [UInt64] = []
        fileprivate var touched: [Int] = []
        fileprivate var jobs: [(step: Int, index: Int)] = []
    }

    /// The end of the first match, in the order in which a backtracking regular expression would find it, that begins
    /// exactly at `start`; `nil` where there is none.
    func match(
        _ bytes: [UInt8], from start: Int, to end: Int, goal: Goal, textStart: Int = 0, scratch: inout Scratch
    ) -> Int? {
        let width = end - start + 1
        let words = ((steps.count + 1) * width + 63) / 64
        if scratch.visited.count < words { scratch.visited = [UInt64](repeating: 0, count: words) }
        defer { clear(&scratch) }
        scratch.jobs.append((0, start))
        while let job = scratch.jobs.popLast() {
            var (step, index) = job
            while true {
                let bit = step * width + index - start
                if scratch.visited[bit / 64] & 1 << UInt64(bit % 64) != 0 { break }
                if scratch.visited[bit / 64] == 0 { scratch.touched.append(bit / 64) }
                scratch.visited[bit / 64] |= 1 << UInt64(bit % 64)
                if isDone(step, index, end, goal) { return index }
                guard step < steps.count,
                    let next = advance(step, index, bytes, textStart..<end, &scratch.jobs)
                else { break }
                (step, index) = next
            }
        }
        return nil
    }

    private func isDone(_ step: Int, _ index: Int, _ end: Int, _ goal: Goal) -> Bool {
        switch goal {
        case .anywhere: step == steps.count
        case .asPrefix: index == end
        }
    }

    /// Where the step leads from `index`; the less wanted way goes to `jobs`.
    private func advance(
        _ step: Int, _ index: Int, _ bytes: [UInt8], _ text: Range<Int>, _ jobs: inout [(step: Int, index: Int)]
    ) -> (Int, Int)? {
        switch steps[step] {
        case .one(let wanted):
            guard index < text.upperBound else { return nil }
            let (scalar, length) = UTF8Text.scalar(in: bytes, at: index, before: text.upperBound)
            return wanted.contains(scalar) ? (step + 1, index + length) : nil
        case .star(let wanted, let isGreedy):
            guard index < text.upperBound else { return (step + 1, index) }
            let (scalar, length) = UTF8Text.scalar(in: bytes, at: index, before: text.upperBound)
            guard wanted.contains(scalar) else { return (step + 1, index) }
            jobs.append(isGreedy ? (step + 1, index) : (step, index + length))
            return isGreedy ? (step, index + length) : (step + 1, index)
        case .optional(let count):
            jobs.append((step + 1 + count, index))
            return (step + 1, index)
        case .textStart: return index == text.lowerBound ? (step + 1, index) : nil
        case .textEnd: return index == text.upperBound ? (step + 1, index) : nil
        case .wordBoundary(let wanted):
            let before = index > text.lowerBound && Self.isWord(bytes[index - 1])
            let after = index < text.upperBound && Self.isWord(bytes[index])
            return (before != after) == wanted ? (step + 1, index) : nil
        }
    }

    private func clear(_ scratch: inout Scratch) {
        for word in scratch.touched { scratch.visited[word] = 0 }
        scratch.touched.removeAll(keepingCapacity: true)
        scratch.jobs.removeAll(keepingCapacity: true)
    }

    /// `\w`: ASCII letters, digits and the underscore.
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
