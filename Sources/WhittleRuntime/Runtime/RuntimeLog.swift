internal import WhittleOCI

/// What a runtime tells of itself: a JSON object a line, with `level` and `msg` (runc's log format, which crun shares).
enum RuntimeLog {
    /// The message of the last error; `nil` where there is none.
    static func lastError(in bytes: some Collection<UInt8>) -> String? {
        var message: String?
        for line in bytes.split(separator: 0x0a) {
            if let error = error(in: line) { message = error }
        }
        return message
    }

    /// The message of `line` where it is one of an error.
    static func error(in line: some Collection<UInt8>) -> String? {
        guard case .success(let entry) = Result(catching: { () throws(JSONError) in try JSONValue(parsing: line) }),
            let level = entry["level"]?.string, level == "error" || level == "fatal"
        else { return nil }
        return entry["msg"]?.string
    }
}

/// Tells the last word of a runtime whose exec(2) failed from the output of a step.
///
/// By then the runtime has handed its standard error to the step, so its message comes that way: as the one and only
/// thing. Output that could be it is held back until there is more, or the end. On a terminal,
/// which has one stream for all and ends lines with CR LF, crun writes in red.
struct StartFailureWatch {
    private enum State {
        case undecided
        case holding([UInt8])
        case passing
    }

    private let marks: [[UInt8]]
    /// Where the message comes.
    private let stream: StepOutput.Stream
    private var state = State.undecided
    /// No message is longer than a path and a sentence.
    private static let limit = 8192

    init(_ kind: RuntimeProgram.Kind, isTerminal: Bool = false) {
        stream = isTerminal ? .standardOutput : .standardError
        marks =
            switch kind {
            case .crun:
                ([#"{"msg":"exec container process"#] + (isTerminal ? [] : Self.plainMarks)).map {
                    Array(((isTerminal ? Self.red : "") + $0).utf8)
                }
            case .runc, .other: [Array("exec /".utf8)]
            }
    }

    /// What of `output`, and of what was held back before, is the step's.
    mutating func pass(_ output: StepOutput) -> [StepOutput] {
        let before: [UInt8]
        switch state {
        case .passing: return [output]
        case .undecided: before = []
        case .holding(let bytes): before = bytes
        }
        let bytes = output.stream == stream ? before + output.bytes : before
        if output.stream == stream, couldBeMessage(bytes) {
            state = .holding(bytes)
            return []
        }
        state = .passing
        if output.stream == stream { return [StepOutput(stream, bytes)] }
        return (before.isEmpty ? [] : [StepOutput(stream, before)]) + [output]
    }

    /// The runtime's message, or what was held back for nothing.
    mutating func finish(exitCode: Int32) -> (failure: String?, output: [StepOutput]) {
        guard case .holding(let bytes) = state else { return (nil, []) }
        state = .passing
        let held = [StepOutput(stream, bytes)]
        guard exitCode != 0, bytes.last == 0x0a else { return (nil, held) }
        let line = Self.plain(bytes.dropLast())
        if line.first == UInt8(ascii: "{") {
            guard let message = RuntimeLog.error(in: line) else { return (nil, held) }
            return (message, [])
        }
        let text = String(decoding: line, as: UTF8.self)
        if Self.plainMarks.contains(where: { text.hasPrefix($0) }), ExecFailure(text) != nil { return (text, []) }
        // runc: "exec PATH: REASON", with the reason in the words of Go.
        let reasons = [": exec format error", ": no such file or directory", ": permission denied"]
        return reasons.contains { text.hasSuffix($0) } ? (text, []) : (nil, held)
    }

    /// What crun says where it does not even come to exec(2); the log has it as well.
    private static let plainMarks = ["executable file `", "open executable: "]

    private static let red = "\u{1b}[1;31m"

    /// A line without what makes it red on a terminal, and without CR.
    private static func plain(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line.last == 0x0d ? line.dropLast() : line
        let end = "\u{1b}[0m"
        if line.starts(with: red.utf8) { line = line.dropFirst(red.utf8.count) }
        if line.suffix(end.utf8.count).elementsEqual(end.utf8) { line = line.dropLast(end.utf8.count) }
        return line
    }

    private func couldBeMessage(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= Self.limit else { return false }
        if let end = bytes.firstIndex(of: 0x0a), end < bytes.count - 1 { return false }
        return marks.contains { bytes.starts(with: $0) || $0.starts(with: bytes) }
    }
}
