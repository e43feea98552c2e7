import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleAnalysis

@Suite("Timeline of a build")
struct BuildTimelineTests {
    private func step(_ name: String, _ inputs: [Step] = []) -> Step {
        Step(id: Digest(hashing: name), name: name, inputs: inputs.map(\.id))
    }

    /// Two stages side by side, of which `slow` decides when the last one can begin.
    private func sample() -> BuildTimeline {
        let base = step("[slow 1/2] FROM base")
        let slow = step("[slow 2/2] RUN make", [base])
        let fast = step("[fast 2/2] RUN true", [base])
        let last = step("[stage-2 1/1] COPY --from=slow /a /", [slow, fast])
        let export = step("exporting to image")
        var timeline = BuildTimeline()
        for (event, time) in [
            (StepEvent.cached(base), 1), (.started(slow), 1), (.started(fast), 1), (.finished(fast), 2),
            (.finished(slow), 9), (.started(last), 9), (.finished(last), 10), (.started(export), 10),
            (.measured(last, added: 5, base: 7), 10), (.exported(name: "image app", size: 12), 11),
            (.finished(export), 11),
        ] {
            timeline.handle(event, at: .seconds(time))
        }
        return timeline
    }

    @Test("the critical path is what the end waited for, without what took no time")
    func criticalPath() {
        let path = sample().criticalPath
        #expect(
            path.map(\.step.name) == [
                "[slow 2/2] RUN make", "[stage-2 1/1] COPY --from=slow /a /", "exporting to image",
            ])
        #expect(path.map(\.duration) == [.seconds(8), .seconds(1), .seconds(1)])
    }

    @Test("stages count their steps, hits, time and size")
    func stages() {
        let stages = sample().stages
        #expect(stages.map(\.name) == ["slow", "fast", "stage-2"])
        #expect(stages.map(\.count) == [2, 1, 1])
        #expect(stages.map(\.cached) == [1, 0, 0])
        #expect(stages.map(\.time) == [.seconds(8), .seconds(1), .seconds(1)])
        #expect(stages.map(\.size) == [nil, nil, BuildTimeline.Size(added: 5, base: 7)])
    }

    @Test("a step that another process did counts as cached, and its wait as no time")
    func shared() {
        let run = step("[a 1/1] RUN x")
        var timeline = BuildTimeline()
        timeline.handle(.started(run), at: .seconds(1))
        timeline.handle(.cached(run), at: .seconds(5))
        #expect(timeline.steps[0].outcome == .cached)
        #expect(timeline.steps[0].duration == .zero)
    }

    @Test("a failure keeps its message; an empty build has no path")
    func ends() {
        #expect(BuildTimeline().criticalPath.isEmpty)
        let run = step("[a 1/1] RUN x")
        var timeline = BuildTimeline()
        timeline.handle(.started(run), at: .zero)
        timeline.handle(.failed(run, message: "exit code 3"), at: .seconds(2))
        #expect(timeline.steps[0].outcome == .failed(message: "exit code 3"))
    }

    @Test(
        "names of steps are taken apart",
        arguments: [
            ("[build 2/5] RUN make", "build", 2, "RUN make"),
            ("[linux/arm64 build 3/7] COPY . .", "linux/arm64 build", 3, "COPY . ."),
            ("[app stage-0 1/1] FROM scratch", "app stage-0", 1, "FROM scratch"),
            ("[internal] load build context", nil, 0, "load build context"),
            ("[internal 2/x] y", nil, 0, "y"), ("exporting to image", nil, 0, "exporting to image"), ("[", nil, 0, "["),
        ] as [(String, String?, Int, String)])
    func labels(name: String, stage: String?, number: Int, text: String) {
        let label = StepLabel(name)
        #expect(label.stage == stage)
        #expect(label.number == number)
        #expect(label.text == text)
    }
}
