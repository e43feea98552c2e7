import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleCommands

@Suite("PlainProgress")
struct PlainProgressTests {
    private let install = Step(internal: "[builder 2/3] RUN npm ci")
    private let copy = Step(internal: "[stage-1 2/2] COPY . .")

    private func print(_ events: [(Double, StepEvent)]) -> String {
        var progress = PlainProgress()
        var text = ""
        var last = 0.0
        for (time, event) in events {
            text += progress.tick(at: .seconds(time))
            text += progress.handle(event, at: .seconds(time))
            last = time
        }
        return text + progress.finish(at: .seconds(last))
    }

    private func output(_ step: Step, _ text: String) -> StepEvent {
        .output(step, stream: .standardOutput, bytes: Array(text.utf8))
    }

    @Test("shows a step with its output and times as BuildKit's clients do")
    func oneStep() {
        let text = print([
            (1, .started(install)), (1.412, output(install, "added 10 packages\nand")), (1.5, output(install, " more")),
            (2.2, .finished(install)),
        ])
        #expect(
            text == """
                #1 [builder 2/3] RUN npm ci
                #1 0.412 added 10 packages
                #1 1.200 and more
                #1 DONE 1.2s

                """)
    }

    @Test("shows cached steps, failures and cancelled steps")
    func ends() {
        let other = Step(internal: "other")
        let text = print([
            (0, .cached(copy)), (0, .started(install)), (0, .started(other)),
            (0.1, .failed(install, message: "exit code: 1")),
            (0.2, .cancelled(other)),
        ])
        #expect(
            text == """
                #1 [stage-1 2/2] COPY . .
                #1 CACHED

                #2 [builder 2/3] RUN npm ci
                #2 ERROR: exit code: 1

                #3 other
                #3 CANCELED

                """)
    }

    @Test("a talking step is not interrupted; a silent one gives way and comes back")
    func interleaving() {
        let text = print([
            (0, .started(install)), (0.1, output(install, "one\n")), (0.2, .started(copy)),
            (0.3, output(install, "two\n")),
            (1, output(copy, "hello\n")), (1.1, .finished(copy)), (1.5, output(install, "three\n")),
            (2, .finished(install)),
        ])
        #expect(
            text == """
                #1 [builder 2/3] RUN npm ci
                #1 0.100 one
                #1 0.300 two
                #1 ...

                #2 [stage-1 2/2] COPY . .
                #2 0.800 hello
                #2 DONE 0.9s

                #1 [builder 2/3] RUN npm ci
                #1 1.500 three
                #1 DONE 2.0s

                """)
    }

    @Test("a progress bar that redraws its line leaves one line, and control characters are dropped")
    func redraw() {
        let text = print([
            (0, .started(install)), (0, output(install, " 10%\r 50%\r100%\r\nbell\u{7}\n")), (1, .finished(install)),
        ])
        #expect(text.contains("#1 0.000 100%\n#1 0.000 bell\n"))
    }

    @Test("a line without an end is cut, so that memory stays bounded")
    func longLine() {
        let text = print([
            (0, .started(install)), (0, output(install, String(repeating: "x", count: 100_000))),
            (1, .finished(install)),
        ])
        #expect(text.split(separator: "\n").count == 1 + 7 + 1)
    }

    @Test("keeps the last lines of a step")
    func tail() {
        var progress = PlainProgress()
        _ = progress.handle(.started(install), at: .zero)
        for index in 0..<100 { _ = progress.handle(output(install, "line \(index)\n"), at: .zero) }
        #expect(progress.tail(of: install.id).count == 20)
        #expect(progress.tail(of: install.id).last == "line 99")
    }
}
