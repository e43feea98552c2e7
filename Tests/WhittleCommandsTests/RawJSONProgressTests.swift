import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleCommands

@Suite("RawJSONProgress")
struct RawJSONProgressTests {
    private let base = Step(internal: "base")

    @Test("prints BuildKit's SolveStatus, one object a line")
    func lines() {
        var progress = RawJSONProgress()
        let step = Step(id: Digest(hashing: "run"), name: "[2/2] RUN make", inputs: [base.id])
        func handle(_ event: StepEvent, _ second: Int64) -> String {
            progress.handle(event, at: Timestamp(seconds: second, nanoseconds: 500_000_000))
        }
        #expect(
            handle(.started(step), 0) == #"{"vertexes":[{"digest":"\#(step.id)","inputs":["\#(base.id)"],"#
                + #""name":"[2/2] RUN make","started":"1970-01-01T00:00:00.5Z"}]}"# + "\n")
        #expect(
            handle(.output(step, stream: .standardError, bytes: [104, 105, 10]), 1)
                == #"{"logs":[{"vertex":"\#(step.id)","stream":2,"data":"aGkK","timestamp":"1970-01-01T00:00:01.5Z"}]}"#
                + "\n")
        #expect(
            handle(.progress(step, StepProgress(name: "sha256:x", current: 1, total: 4)), 2)
                == #"{"statuses":[{"id":"sha256:x","vertex":"\#(step.id)","total":4,"current":1,"#
                + #""timestamp":"1970-01-01T00:00:02.5Z","started":"1970-01-01T00:00:02.5Z"}]}"# + "\n")
        #expect(
            handle(.progress(step, StepProgress(name: "sha256:x", current: 4, total: 4, isDone: true)), 3)
                == #"{"statuses":[{"id":"sha256:x","vertex":"\#(step.id)","total":4,"current":4,"#
                + #""timestamp":"1970-01-01T00:00:03.5Z","started":"1970-01-01T00:00:02.5Z","#
                + #""completed":"1970-01-01T00:00:03.5Z"}]}"# + "\n")
        #expect(
            handle(.failed(step, message: "exit code 1"), 4)
                == #"{"vertexes":[{"digest":"\#(step.id)","inputs":["\#(base.id)"],"name":"[2/2] RUN make","#
                + #""started":"1970-01-01T00:00:00.5Z","completed":"1970-01-01T00:00:04.5Z","error":"exit code 1"}]}"#
                + "\n")
    }

    @Test("cached steps, explanations and warnings")
    func others() {
        var progress = RawJSONProgress()
        let now = Timestamp(seconds: 0)
        #expect(
            progress.handle(.cached(base), at: now)
                == #"{"vertexes":[{"digest":"\#(base.id)","name":"base","started":"1970-01-01T00:00:00Z","#
                + #""completed":"1970-01-01T00:00:00Z","cached":true}]}"# + "\n")
        #expect(
            progress.handle(.explained(base, .ran(["a changed", "b added"])), at: now).split(separator: "\n").map {
                $0.contains(#""id":"why: a changed""#) || $0.contains(#""id":"why: b added""#)
            } == [true, true])
        let place = SourceLocation(
            file: "Dockerfile",
            range: SourceRange(SourcePosition(line: 2, column: 1), SourcePosition(line: 2, column: 5)),
            lines: [])
        #expect(
            progress.handle(.warning(BuildWarning("odd", at: place)), at: now)
                == #"{"warnings":[{"level":1,"short":"b2Rk","sourceInfo":{"filename":"Dockerfile"},"#
                + #""range":[{"start":{"line":2,"character":1},"end":{"line":2,"character":5}}]}]}"# + "\n")
    }
}
