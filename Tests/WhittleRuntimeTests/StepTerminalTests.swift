import Testing
import WhittleCore
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleRuntime

@Suite(
    "StepRunner: terminals",
    .enabled(if: StepFixture.obstacle == nil, Comment(rawValue: StepFixture.obstacle ?? "")), .timeLimit(.minutes(2)))
struct StepTerminalTests {
    @Test("connects a terminal: its size, keys, signals of the keyboard", arguments: StepFixture.runtimes)
    func terminal(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        try fixture.root.makeLink("/bin/stty", to: "busybox")
        try fixture.root.makeLink("/bin/tty", to: "busybox")
        let path = try fixture.directory.write("keys", "typed\n")
        let file = try Syscall.open(path, .readOnly)
        let attachment = file.withDescriptor {
            ProcessAttachment(input: $0, terminal: TerminalSize(rows: 33, columns: 99))
        }
        let process = StepProcess(
            arguments: ["/bin/sh", "-c", "tty; stty size; read word; echo got $word; kill -INT 0; exit 9"])
        let code = try await fixture.run(process, attachment: attachment)
        #expect(code != 0)
        // The terminal echoes what is typed, as soon as it is: before the script begins, or after.
        let lines = fixture.output.split(separator: "\r\n").filter { $0 != "typed" }
        #expect(lines == ["/dev/pts/0", "33 99", "got typed"])
        #expect(try fixture.remains() == [])
        _ = consume file
    }

    @Test("tells the container's terminal of another size", arguments: StepFixture.runtimes)
    func resizedTerminal(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        try fixture.root.makeLink("/bin/stty", to: "busybox")
        let attachment = ProcessAttachment(terminal: TerminalSize(rows: 12, columns: 34))
        // crun 1.8 gives a terminal its first size when the program may already run, and tells it so, too.
        let script = """
            awaits() { until [ "$(stty size)" = "$1" ]; do sleep 0.02; done; }
            awaits '12 34'; trap 'told=1' WINCH; echo ready; awaits '56 78'; [ "$told" ] && exit 5
            """
        let process = StepProcess(arguments: ["/bin/sh", "-c", script])
        let code = try await fixture.run(process, attachment: attachment) { output in
            if output.bytes.starts(with: Array("ready".utf8)) {
                attachment.resize(to: TerminalSize(rows: 56, columns: 78))
            }
        }
        #expect(code == 5)
        #expect(fixture.output == "ready\r\n")
    }

    @Test("says why a program does not start in a terminal", arguments: StepFixture.runtimes)
    func terminalFailure(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        try fixture.root.writeFile("/bin/broken", Array("no program".utf8), mode: 0o755)
        for (program, code) in [("/bin/none", BuildError.Code.executableNotFound), ("/bin/broken", .executableRefused)]
        {
            let error = await #expect(throws: BuildError.self) {
                try await fixture.run(
                    StepProcess(arguments: [program]), attachment: ProcessAttachment(terminal: .standard))
            }
            #expect(error?.code == code, "\(error?.message ?? "")")
        }
        #expect(fixture.output == "")
    }
}
