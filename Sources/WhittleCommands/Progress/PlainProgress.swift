internal import WhittleCore
internal import WhittleGraph

/// Turns step events into the lines of `--progress=plain`, as BuildKit's clients print them, so that what reads those
/// logs reads these.
///
/// `#7 [builder 3/5] RUN npm ci` announces a step, `#7 0.412 text` is its output with the seconds since it started,
/// `#7 CACHED`, `#7 DONE 1.2s`, `#7 ERROR: …` and `#7 CANCELED` end it. One step is shown at a time: what others write
/// meanwhile waits until it ends or falls silent, then `#7 ...` marks the switch. Pure: the clock is a parameter.
struct PlainProgress {
    /// A moment, as the duration since the build began.
    typealias Moment = Duration

    /// A running step gives way to one that waits once it has been silent for this long.
    private static let silence = Duration.milliseconds(300)
    /// … or once the other has waited for this long.
    private static let patience = Duration.seconds(3)
    /// Output of a step that ends without a line end is shown as a line; a longer line is cut into several.
    private static let lineLimit = 16 << 10

    fileprivate var shown: [Digest: ShownStep] = [:]
    private var order: [Digest] = []
    private var current: Digest?
    private var text = ""
    private var hasPrinted = false
    /// What checks found.
    private var findings: [BuildWarning] = []

    /// What is known of a step that was announced.
    fileprivate struct ShownStep {
        let number: Int
        let name: String
        let started: Moment
        /// Finished lines that wait to be printed.
        var waiting: [String] = []
        var waitingSince: Moment?
        var lastActivity: Moment
        /// The begun lines of both streams.
        var partial: [StepEvent.OutputStream: [UInt8]] = [:]
        /// The last output lines, for the summary of a failure.
        var tail: [String] = []
        var hasEnded = false
        var isAnnounced = false
    }

    /// The lines that follow from `event`; may be empty.
    mutating func handle(_ event: StepEvent, at now: Moment) -> String {
        switch event {
        case .started(let step):
            announce(step, at: now)
        case .cached(let step):
            announce(step, at: now)
            end(step, with: "CACHED", at: now)
        case .output(let step, let stream, let bytes):
            output(bytes, stream, of: step, at: now)
        case .progress(let step, let progress):
            if progress.isDone { add(Self.describe(progress), to: step, at: now) }
        case .finished(let step):
            end(step, with: "DONE \(seconds(since: start(of: step, now), now, digits: 1))s", at: now)
        case .failed(let step, let message):
            end(step, with: "ERROR: \(message)", at: now)
        case .cancelled(let step):
            end(step, with: "CANCELED", at: now)
        case .explained(let step, let explanation):
            for line in ExplanationText.lines(of: explanation) { add("why: \(line)", to: step, at: now) }
        case .exported, .measured: break
        case .warning(let warning):
            if warning.rule != nil { findings.append(warning) }
            text += (hasPrinted ? "\n" : "") + "WARN: \(Self.describe(warning))\n"
            hasPrinted = true
            current = nil
        }
        return flush(at: now)
    }

    /// The lines that are due because time has passed.
    mutating func tick(at now: Moment) -> String { flush(at: now) }

    /// Everything that still waits.
    mutating func finish(at now: Moment) -> String {
        for id in order where shown[id]?.waiting.isEmpty == false { show(id, at: now) }
        if !findings.isEmpty {
            let count = findings.count == 1 ? "1 warning" : "\(findings.count) warnings"
            text += "\n \(count) found (--check shows the lines):\n"
            for finding in findings { text += " - \(Self.describe(finding))\n" }
        }
        defer { text = "" }
        return text
    }

    /// The last lines that a step wrote, oldest first.
    func tail(of step: Digest) -> [String] { shown[step]?.tail ?? [] }
}

// MARK: - Collecting

extension PlainProgress {
    fileprivate static let tailLimit = 20

    private mutating func announce(_ step: Step, at now: Moment) {
        guard shown[step.id] == nil else { return }
        shown[step.id] = ShownStep(
            number: order.count + 1, name: step.name, started: now, waitingSince: now, lastActivity: now)
        order.append(step.id)
    }

    private mutating func output(_ bytes: [UInt8], _ stream: StepEvent.OutputStream, of step: Step, at now: Moment) {
        announce(step, at: now)
        guard var entry = shown[step.id] else { return }
        let stamp = seconds(since: entry.started, now, digits: 3)
        var partial = entry.partial[stream] ?? []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || partial.count >= Self.lineLimit {
                entry.add(line: Self.text(partial), stamp: stamp)
                partial.removeAll(keepingCapacity: true)
            }
            if byte != UInt8(ascii: "\n") { partial.append(byte) }
        }
        entry.partial[stream] = partial
        entry.noteActivity(at: now)
        shown[step.id] = entry
    }

    private mutating func add(_ line: String, to step: Step, at now: Moment) {
        announce(step, at: now)
        shown[step.id]?.waiting.append(line)
        shown[step.id]?.noteActivity(at: now)
    }

    private mutating func end(_ step: Step, with line: String, at now: Moment) {
        announce(step, at: now)
        guard var entry = shown[step.id], !entry.hasEnded else { return }
        let stamp = seconds(since: entry.started, now, digits: 3)
        for stream in [StepEvent.OutputStream.standardOutput, .standardError] {
            if let partial = entry.partial[stream], !partial.isEmpty {
                entry.add(line: Self.text(partial), stamp: stamp)
            }
        }
        entry.partial = [:]
        entry.waiting.append(line)
        entry.hasEnded = true
        entry.noteActivity(at: now)
        shown[step.id] = entry
    }

    private func start(of step: Step, _ now: Moment) -> Moment { shown[step.id]?.started ?? now }

    /// The line as a terminal may show it: carriage returns keep only what is written last, other control characters
    /// except tab and escape (colours) are dropped, invalid UTF-8 is replaced.
    private static func text(_ bytes: [UInt8]) -> String {
        var line = bytes[...]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        if let last = line.lastIndex(of: UInt8(ascii: "\r")) { line = line[(last + 1)...] }
        return String(decoding: line.filter { $0 >= 32 || $0 == 9 || $0 == 27 }, as: UTF8.self)
    }

    private static func describe(_ progress: StepProgress) -> String {
        let total = progress.total ?? progress.current
        return total == .zero ? "\(progress.name) done" : "\(progress.name) \(progress.current) / \(total) done"
    }

    private static func describe(_ warning: BuildWarning) -> String {
        guard let location = warning.location else { return warning.message }
        return "\(warning.message) (\(location.file):\(location.range.start.line))"
    }

    private func seconds(since start: Moment, _ now: Moment, digits: Int) -> String {
        let parts = max(now - start, .zero).components
        let thousandths = parts.seconds * 1000 + (parts.attoseconds + 500_000_000_000_000) / 1_000_000_000_000_000
        let scaled = digits == 3 ? thousandths : (thousandths + 50) / 100
        let unit: Int64 = digits == 3 ? 1000 : 10
        let fraction = String(scaled % unit)
        return "\(scaled / unit)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

extension PlainProgress.ShownStep {
    fileprivate mutating func add(line: String, stamp: String) {
        waiting.append("\(stamp) \(line)")
        tail.append(line)
        if tail.count > PlainProgress.tailLimit { tail.removeFirst() }
    }

    fileprivate mutating func noteActivity(at now: Duration) {
        lastActivity = now
        if waitingSince == nil { waitingSince = now }
    }
}

// MARK: - Printing

extension PlainProgress {
    private mutating func flush(at now: Moment) -> String {
        while let next = nextToShow(at: now) { show(next, at: now) }
        defer { text = "" }
        return text
    }

    /// The step to print now, or `nil` where nothing is due.
    private func nextToShow(at now: Moment) -> Digest? {
        if let current, let entry = shown[current] {
            if entry.hasSomething { return current }
            if !entry.hasEnded {
                let isSilent = now - entry.lastActivity >= Self.silence
                return order.first { id in
                    guard id != current, let other = shown[id], other.hasSomething else { return false }
                    return isSilent || now - (other.waitingSince ?? now) >= Self.patience
                }
            }
        }
        return order.first { shown[$0]?.hasSomething == true }
    }

    private mutating func show(_ id: Digest, at now: Moment) {
        guard var entry = shown[id] else { return }
        if current != id {
            if let current, let previous = shown[current], !previous.hasEnded {
                text += "#\(previous.number) ...\n"
            }
            text += (hasPrinted ? "\n" : "") + "#\(entry.number) \(entry.name)\n"
            current = id
        }
        for line in entry.waiting { text += "#\(entry.number) \(line)\n" }
        hasPrinted = true
        entry.waiting = []
        entry.waitingSince = nil
        entry.isAnnounced = true
        shown[id] = entry
        if entry.hasEnded { current = nil }
    }
}

extension PlainProgress.ShownStep {
    fileprivate var hasSomething: Bool { !isAnnounced || !waiting.isEmpty }
}
