internal import WhittleCore
internal import WhittleGraph
internal import WhittleOCI

/// Turns step events into the lines of `--progress=rawjson`: BuildKit's `client.SolveStatus`, one JSON object a line, as
/// `docker buildx build --progress=rawjson` prints them.
///
/// Each line has `vertexes`, `statuses`, `logs` or `warnings`; members that are empty or false are left out, and bytes are
/// in Base64. A reason of `--explain` is a finished status of its step, whose id begins with `why: `.
struct RawJSONProgress {
    /// The steps that were announced, with what every line about them repeats.
    private var started: [Digest: Timestamp] = [:]
    private var transfers: [String: Timestamp] = [:]

    /// The line that follows from `event`.
    mutating func handle(_ event: StepEvent, at now: Timestamp) -> String {
        switch event {
        case .started(let step): return vertex(step, at: now)
        case .cached(let step): return vertex(step, at: now, completed: now, isCached: true)
        case .finished(let step): return vertex(step, at: now, completed: now)
        case .failed(let step, let message): return vertex(step, at: now, completed: now, error: message)
        case .cancelled(let step): return vertex(step, at: now, completed: now, error: "context canceled")
        case .output(let step, let stream, let bytes):
            return Self.line(
                "logs",
                [
                    "vertex": .string(step.id.description), "stream": .integer(Int64(stream.rawValue)),
                    "data": .string(Base64.encode(bytes)), "timestamp": .string(now.rfc3339),
                ])
        case .progress(let step, let progress): return status(progress, of: step, at: now)
        case .explained(let step, let explanation):
            return ExplanationText.lines(of: explanation).map { line in
                status(
                    StepProgress(name: "why: \(line)", current: .zero, total: nil, isDone: true), of: step, at: now)
            }.joined()
        case .exported, .measured: return ""
        case .warning(let warning): return Self.line("warnings", Self.warning(warning))
        }
    }

    private mutating func vertex(
        _ step: Step, at now: Timestamp, completed: Timestamp? = nil, isCached: Bool = false, error: String? = nil
    ) -> String {
        let began = started[step.id] ?? now
        started[step.id] = began
        var vertex: JSONValue = ["digest": .string(step.id.description)]
        if !step.inputs.isEmpty { vertex["inputs"] = .array(step.inputs.map { .string($0.description) }) }
        vertex["name"] = .string(step.name)
        vertex["started"] = .string(began.rfc3339)
        if let completed { vertex["completed"] = .string(completed.rfc3339) }
        if isCached { vertex["cached"] = true }
        if let error { vertex["error"] = .string(error) }
        return Self.line("vertexes", vertex)
    }

    private mutating func status(_ progress: StepProgress, of step: Step, at now: Timestamp) -> String {
        let key = step.id.hex + progress.name
        let began = transfers[key] ?? now
        transfers[key] = progress.isDone ? nil : began
        var status: JSONValue = ["id": .string(progress.name), "vertex": .string(step.id.description)]
        if let total = progress.total, total > .zero { status["total"] = .integer(total.bytes) }
        status["current"] = .integer(progress.current.bytes)
        status["timestamp"] = .string(now.rfc3339)
        status["started"] = .string(began.rfc3339)
        if progress.isDone { status["completed"] = .string(now.rfc3339) }
        return Self.line("statuses", status)
    }

    private static func warning(_ warning: BuildWarning) -> JSONValue {
        var value: JSONValue = ["level": 1, "short": .string(Base64.encode(Array(warning.message.utf8)))]
        if let rule = warning.rule {
            value["detail"] = [.string(Base64.encode(Array(rule.description.utf8)))]
            if let url = rule.url { value["url"] = .string(url) }
        }
        if let location = warning.location {
            func position(_ line: Int, _ column: Int) -> JSONValue {
                ["line": .integer(Int64(line)), "character": .integer(Int64(column))]
            }
            let range = location.range
            value["sourceInfo"] = ["filename": .string(location.file)]
            value["range"] = [
                [
                    "start": position(range.start.line, range.start.column),
                    "end": position(range.end.line, range.end.column),
                ]
            ]
        }
        return value
    }

    private static func line(_ member: String, _ value: JSONValue) -> String {
        var status: JSONValue = [:]
        status[member] = [value]
        return status.text(as: .compact) + "\n"
    }
}
