internal import WhittleCore
internal import WhittleGraph

/// What the live view knows of a step.
struct LiveStep {
    enum State: Equatable {
        case running
        case cached
        case done
        case failed
        case cancelled
    }

    /// A part of the step that has a size: a layer that is fetched.
    struct Transfer {
        let name: String
        let started: Duration
        var current: ByteCount
        var total: ByteCount?
        var isDone: Bool
    }

    let name: String
    let started: Duration
    /// Work of the tool itself, which nobody counts as a step.
    let isInternal: Bool
    var ended: Duration?
    var state = State.running
    var transfers: [Transfer] = []
    /// The last lines that it wrote.
    var tail = LineTail()
    var explanation: StepExplanation?

    init(_ step: Step, at now: Duration) {
        name = DisplayText.plain(step.name.utf8)
        started = now
        isInternal = step.name.hasPrefix("[internal]") || step.name.hasPrefix("exporting to ")
    }

    mutating func end(_ state: State, at now: Duration) {
        guard ended == nil else { return }
        ended = now
        self.state = state
        transfers = []
    }

    mutating func note(_ progress: StepProgress, at now: Duration) {
        let name = Self.shortened(DisplayText.plain(progress.name.utf8))
        if let index = transfers.firstIndex(where: { $0.name == name }) {
            transfers[index].current = progress.current
            transfers[index].total = progress.total
            transfers[index].isDone = progress.isDone
        } else {
            transfers.append(
                Transfer(
                    name: name, started: now, current: progress.current, total: progress.total, isDone: progress.isDone)
            )
        }
    }

    /// A digest with its first 12 digits.
    private static func shortened(_ name: String) -> String {
        let length = "sha256:".count + 64
        return name.hasPrefix("sha256:") && name.count == length ? String(name.prefix("sha256:".count + 12)) : name
    }
}

/// The last lines of what a step wrote.
struct LineTail {
    /// More lines are never shown.
    static let limit = 50
    /// More of one line is never shown.
    private static let lineLimit = 4096

    private var finished: [String] = []
    private var begun: [UInt8] = []

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                finish()
            } else if begun.count < Self.lineLimit {
                begun.append(byte)
            } else if byte == UInt8(ascii: "\r") {
                begun = [byte]
            }
        }
    }

    private mutating func finish() {
        finished.append(DisplayText.plain(begun))
        begun.removeAll(keepingCapacity: true)
        if finished.count > Self.limit { finished.removeFirst(finished.count - Self.limit) }
    }

    /// The last lines, at most `count`, oldest first, with the one that is not finished.
    func last(_ count: Int) -> [String] {
        let current = DisplayText.plain(begun)
        return Array((finished + (current.isEmpty ? [] : [current])).filter { !$0.isEmpty }.suffix(count))
    }
}
