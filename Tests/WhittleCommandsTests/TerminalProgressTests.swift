import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleCommands

@Suite("TerminalProgress")
struct TerminalProgressTests {
    private static let settings = TerminalProgress.Settings(colors: .none)

    private func output(_ step: Step, _ text: String) -> StepEvent {
        .output(step, stream: .standardOutput, bytes: Array(text.utf8))
    }

    private func progress(_ events: [(Double, StepEvent)]) -> TerminalProgress {
        var progress = TerminalProgress(Self.settings)
        for (time, event) in events { progress.handle(event, at: .seconds(time)) }
        return progress
    }

    private func lines(_ progress: TerminalProgress, _ columns: Int, _ rows: Int, at time: Double) -> String {
        progress.lines(columns: columns, rows: rows, at: .seconds(time)).map { $0.text + "\n" }.joined()
    }

    private let load = Step(internal: "[internal] load build definition from Dockerfile")
    private let from = Step(internal: "[build 1/3] FROM docker.io/library/alpine:latest")
    private let install = Step(internal: "[build 2/3] RUN npm ci")
    private let test = Step(internal: "[test 2/2] RUN make check")

    @Test("shows what ended, what runs side by side, its transfers and the tail of its output")
    func sideBySide() {
        let layer = "sha256:" + String(repeating: "ab", count: 32)
        let progress = progress([
            (0, .started(load)), (0.1, .finished(load)), (0.1, .started(from)),
            (0.2, .progress(from, StepProgress(name: layer, current: 12_300_000, total: 24_600_000))),
            (0.3, .started(install)), (0.4, .cached(test)), (0.5, output(install, "one\ntwo\nthree\nhalf")),
        ])
        #expect(
            lines(progress, 72, 24, at: 2.34) == """
                [+] Building 2.3s (2/4)
                 => [internal] load build definition from Dockerfile                0.1s
                 => CACHED [test 2/2] RUN make check                                0.0s
                 => [build 1/3] FROM docker.io/library/alpine:latest                2.2s
                 => => sha256:abababababab [==========>         ] 12.3MB / 24.6MB   2.1s
                 => [build 2/3] RUN npm ci                                          2.0s
                 => => # one
                 => => # two
                 => => # three
                 => => # half

                """)
    }

    @Test("failed and cancelled steps are marked")
    func failures() {
        let progress = progress([
            (0, .started(install)), (0, .started(test)), (1, .failed(test, message: "exit code 2")),
            (1.5, .cancelled(install)),
        ])
        #expect(
            lines(progress, 50, 24, at: 2) == """
                [+] Building 2.0s (2/2)
                 => CANCELED [build 2/3] RUN npm ci           1.5s
                 => ERROR [test 2/2] RUN make check           1.0s

                """)
    }

    @Test("always fits the window, and says what there is no room for")
    func fits() {
        var events: [(Double, StepEvent)] = []
        for number in 0..<30 {
            let step = Step(internal: "[s\(number) 1/1] RUN \(String(repeating: "long ", count: 40))")
            events.append((0, .started(step)))
            events.append((0, output(step, String(repeating: "界", count: 90) + "\na\nb\nc\n")))
            if number % 3 == 0 { events.append((1, .finished(step))) }
        }
        let progress = progress(events)
        for columns in [1, 5, 14, 20, 40, 80, 200] {
            for rows in [1, 2, 3, 5, 10, 24, 60, 200] {
                let lines = progress.lines(columns: columns, rows: rows, at: .seconds(3))
                #expect(lines.count <= max(1, rows - 1), "\(columns) × \(rows)")
                #expect(lines.allSatisfy { $0.width <= columns }, "\(columns) × \(rows)")
                #expect(lines.allSatisfy { DisplayText.width(of: $0.text) == $0.width })
            }
        }
        #expect(lines(progress, 40, 10, at: 3).hasSuffix(" => and 13 more running\n"))
        // With room for all of them, output is shared out evenly.
        #expect(lines(progress, 40, 200, at: 3).split(separator: "\n").count { $0.contains("# c") } == 20)
    }

    @Test("output is shown as plain text whatever it does to the terminal")
    func hostileOutput() {
        let progress = progress([
            (0, .started(install)),
            (0, output(install, "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\n10%\r50%\r99%\ntab\tstop\u{1b}[2J\u{8}\n")),
            (0, output(install, "\u{1b}")), (0, output(install, "[1;1Hhome\n")),
        ])
        #expect(
            lines(progress, 40, 24, at: 1).split(separator: "\n").dropFirst(2)
                == [" => => # red", " => => # 99%", " => => # tab     stop", " => => # home"])
    }

    @Test("each frame replaces the one before in one piece, also after the window became narrower")
    func frames() {
        var progress = progress([(0, .started(install))])
        let first = progress.frame(columns: 40, rows: 10, at: .zero)
        #expect(
            first == "\u{1b}[?2026h\u{1b}[?25l\r[+] Building 0.0s (0/1)\u{1b}[K\n"
                + " => [build 2/3] RUN npm ci          0.0s\u{1b}[K\n\u{1b}[J\u{1b}[?25h\u{1b}[?2026l")
        #expect(progress.frame(columns: 40, rows: 10, at: .zero).contains("\r\u{1b}[2A[+]"))
        // The 40 columns of the second line are three rows now, the 23 of the first two.
        #expect(progress.frame(columns: 18, rows: 10, at: .zero).contains("\r\u{1b}[5A[+]"))
        #expect(progress.frame(columns: 40, rows: 3, at: .zero).contains("\r\u{1b}[2A[+]"))
        #expect(
            progress.clear(columns: 40, rows: 10)
                == "\u{1b}[?2026h\u{1b}[?25l\r\u{1b}[2A\u{1b}[J\u{1b}[?25h\u{1b}[?2026l")
        #expect(progress.clear(columns: 40, rows: 10).isEmpty)
    }

    @Test("collapses to steps, time, outputs with their sizes, and warnings")
    func summary() {
        let progress = progress([
            (0, .started(load)), (0, .finished(load)), (0, .started(install)), (1, .finished(install)),
            (1, .cached(test)), (2, .exported(name: "image docker.io/library/app:latest", size: 45_200_000)),
            (2, .exported(name: "cacheonly", size: nil)), (2, .warning(BuildWarning("something odd"))),
        ])
        #expect(
            progress.summary(.built, columns: 80, at: .seconds(12.34)) == """
                [+] Built in 12.3s: 2 steps, 1 cached
                 => image docker.io/library/app:latest  45.2MB
                 => cacheonly
                warning: something odd

                """)
        #expect(progress.summary(.failed, columns: 80, at: .seconds(1)).hasPrefix("[+] Failed after 1.0s: 2 steps"))
    }

    @Test("explanations stay on the screen")
    func explanations() {
        let progress = progress([
            (0, .started(install)), (0, .explained(install, .ran(["package.json changed", "ARG A: '1' → '2'"]))),
            (1, .finished(install)),
            (1, .explained(test, .cached(since: Timestamp(seconds: 0), note: nil))), (1, .cached(test)),
        ])
        #expect(
            progress.summary(.built, columns: 80, at: .seconds(1)) == """
                [build 2/3] RUN npm ci
                    package.json changed
                    ARG A: '1' → '2'
                CACHED [test 2/2] RUN make check
                    nothing changed since it was built at 1970-01-01T00:00:00Z
                [+] Built in 1.0s: 2 steps, 1 cached

                """)
    }
}

@Suite("Progress settings")
struct ProgressSettingsTests {
    @Test(
        "BUILDKIT_COLORS takes names and numbers",
        arguments: [
            ("run=green:error=light-red:cancel=0,128,255:warning=default", ["32", "91", "38;2;0;128;255", "39"]),
            ("run=nocolour:bogus=red:error", ["34", "31", "33", "93"]), ("1", ["34", "31", "33", "93"]),
            ("warn=white:run=1,2:error=256,0,0", ["34", "31", "33", "37"]),
        ])
    func colors(_ text: String, _ expected: [String]) {
        let colors = ProgressColors(parsing: text)
        #expect([colors.run, colors.error, colors.cancel, colors.warning] == expected)
    }

    @Test("NO_COLOR and --no-color win over BUILDKIT_COLORS")
    func noColor() {
        let variables = ["NO_COLOR": "1", "BUILDKIT_COLORS": "run=red", "BUILDKIT_TTY_LOG_LINES": "3"]
        #expect(TerminalProgress.Settings(noColor: false) { variables[$0] }.colors == .none)
        #expect(TerminalProgress.Settings(noColor: true) { _ in nil }.colors == .none)
        #expect(TerminalProgress.Settings(noColor: false) { $0 == "NO_COLOR" ? nil : variables[$0] }.colors.run == "31")
        #expect(TerminalProgress.Settings(noColor: false) { variables[$0] }.outputLines == 3)
    }

    @Test("auto is the live view on a terminal that can show it")
    func modes() throws {
        #expect(try ProgressMode.auto.resolved(isTerminal: true, term: "xterm") == .tty)
        #expect(try ProgressMode.auto.resolved(isTerminal: true, term: "dumb") == .plain)
        #expect(try ProgressMode.auto.resolved(isTerminal: false, term: "xterm") == .plain)
        #expect(try ProgressMode.rawjson.resolved(isTerminal: true, term: nil) == .rawjson)
        let error = #expect(throws: BuildError.self) { try ProgressMode.tty.resolved(isTerminal: false, term: nil) }
        #expect(error?.message == "--progress=tty needs a terminal: standard error is none")
        #expect(error?.code == .notATerminal)
    }

    @Test(
        "widths are those of a terminal",
        arguments: [
            ("abc", 3), ("界", 2), ("é", 1), ("e\u{301}", 1), ("한글", 4), ("👍", 2), ("ｗ", 2), ("…", 1), ("", 0),
        ])
    func widths(_ text: String, _ width: Int) { #expect(DisplayText.width(of: text) == width) }

    @Test(
        "text is cut to a width between characters",
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("界界界", 5, "界界…"), ("界界界", 4, "界…"), ("ab", 0, ""),
        ])
    func cuts(_ text: String, _ columns: Int, _ expected: String) {
        #expect(DisplayText.fitted(text, to: columns) == expected)
    }
}
