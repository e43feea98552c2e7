import Testing
import WhittleAnalysis
import WhittleCore
import WhittleGraph

@testable import WhittleCommands

@Suite("Reports of workflows")
struct WorkflowTests {
    private let place = SourceLocation(
        file: "/w/a:b,c/Dockerfile",
        range: SourceRange(SourcePosition(line: 3, column: 5), SourcePosition(line: 3, column: 9)), lines: ["RUN x"])

    private let commands = WorkflowCommand(workspace: "/w")

    @Test("annotations stand at their line, and nothing in them ends the line or a property early")
    func annotations() {
        let rule = BuildWarning.Rule(name: "UndefinedVar", description: "d", url: nil)
        #expect(
            commands.annotation(BuildWarning("100% of\nall::x", at: place, rule: rule))
                == "::warning file=a%3Ab%2Cc/Dockerfile,line=3,col=5,title=UndefinedVar::100%25 of%0Aall::x")
        #expect(commands.annotation(BuildWarning("plain")) == "::warning::plain")
        let error = BuildError(BuildError.Code(rawValue: "step-failed"), "no", hint: "try", at: place)
        #expect(
            commands.annotation(error)
                == "::error file=a%3Ab%2Cc/Dockerfile,line=3,col=5,title=whittle%3A step-failed::no%0Ahint: try")
    }

    @Test("what a step is called cannot leave its cell")
    func cells() {
        var timeline = BuildTimeline()
        let step = Step(id: Digest(hashing: "x"), name: "[a 1/1] RUN echo '`|<b>*_[x](y)' \\\n&& true")
        timeline.handle(.started(step), at: .zero)
        timeline.handle(.finished(step), at: .seconds(200))
        let text = SummaryMarkdown(timeline: timeline, failure: nil).text
        let row = text.split(separator: "\n").first { $0.contains("RUN echo") }.map(String.init) ?? ""
        #expect(
            row
                == "| 3 min 20 s | <code>[a 1/1] RUN echo '&#96;&#124;&lt;b&gt;&#42;&#95;&#91;x](y)' &#92; &amp;&amp; true</code> |"
                .replacing("<code>[a", with: "<code>&#91;a"))
    }

    @Test("an error with a fence of its own stays in its block, and many rows are counted")
    func bounds() {
        var timeline = BuildTimeline()
        for number in 0..<80 { timeline.handle(.cached(Step(internal: "[s\(number) 1/1] RUN x")), at: .seconds(1)) }
        let text = SummaryMarkdown(timeline: timeline, failure: "a\n````\nb").text
        #expect(text.contains("`````text\na\n````\nb\n`````"))
        #expect(text.contains("… 30 more"))
        #expect(text.contains("80 steps, 80 of them from the cache (100 %)"))
    }

    private func report(in environment: [String: String]) -> WorkflowReport? {
        WorkflowReport { environment[$0] }
    }

    @Test("only a workflow has reports, and it can turn them off")
    func environment() {
        #expect(report(in: [:]) == nil)
        #expect(report(in: ["GITHUB_ACTIONS": "true"]) != nil)
        #expect(
            report(in: ["GITHUB_ACTIONS": "true", "DOCKER_BUILD_CHECKS_ANNOTATIONS": "false"]) == nil)
        let summary = ["GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/tmp/x"]
        #expect(report(in: summary)?.wantsSizes == true)
        let off = summary.merging(["DOCKER_BUILD_SUMMARY": "false"]) { $1 }
        #expect(report(in: off)?.wantsSizes == false)
    }
}
