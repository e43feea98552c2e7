import Testing
import WhittleFileSystem
import WhittlePrograms

@Suite("HelperProgram")
struct HelperProgramTests {
    private static let path = "/usr/bin:/bin"

    private func shell() throws -> HelperProgram {
        try #require(HelperProgram(named: "sh", searchPath: Self.path))
    }

    @Test("is found in absolute directories of the path, and nowhere else", arguments: ["", "usr/bin", ".:bin", "/"])
    func notFound(path: String) {
        #expect(HelperProgram(named: "sh", searchPath: path) == nil)
    }

    @Test("gives exit code, output and errors")
    func result() throws {
        let result = try shell().run(["-c", "echo $A; echo no >&2; exit 3"], environment: ["A=b"])
        #expect(result.exitCode == 3)
        #expect(result.output == Array("b\n".utf8))
        #expect(result.error == Array("no\n".utf8))
    }

    @Test("input larger than a pipe arrives while output is read")
    func input() throws {
        let input = [UInt8](repeating: 7, count: 1 << 20)
        let result = try shell().run(["-c", "cat"], environment: ["PATH=\(Self.path)"], input: input)
        #expect(result.output == input)
    }

    @Test("a program that does not read its input is no error")
    func unread() throws {
        let result = try shell().run(
            ["-c", "exec <&-; echo done"], environment: [], input: [UInt8](repeating: 7, count: 1 << 20))
        #expect(result.exitCode == 0)
    }

    @Test("output beyond its limit ends the program")
    func bounded() throws {
        #expect(throws: HelperProgram.Failure.outputTooLong(limit: 1000)) {
            try shell().run(
                ["-c", "while :; do echo y; done"], environment: [], outputLimit: 1000)
        }
    }

    @Test("of standard error the end is kept")
    func errors() throws {
        let result = try shell().run(
            ["-c", "i=0; while [ $i -lt 3000 ]; do echo 0123456789 >&2; i=$((i+1)); done; echo last >&2"],
            environment: [])
        #expect(result.error.count == HelperProgram.errorLimit)
        #expect(result.error.suffix(5) == Array("last\n".utf8))
    }

    @Test("what takes too long is killed, with what it started", .timeLimit(.minutes(1)))
    func timeout() throws {
        let start = ContinuousClock.now
        #expect(throws: HelperProgram.Failure.timedOut) {
            try shell().run(
                ["-c", "sleep 600 & wait"], environment: ["PATH=\(Self.path)"], timeout: .milliseconds(200))
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("cancellation ends it", .timeLimit(.minutes(1)))
    func cancelled() throws {
        let cancellation = Cancellation()
        #expect(throws: CancellationError.self) {
            try shell().run(
                ["-c", "echo started >&2; sleep 600"], environment: ["PATH=\(Self.path)"], cancellation: cancellation
            ) { _ in cancellation.cancel() }
        }
    }

    @Test("what it leaves behind is not waited for", .timeLimit(.minutes(1)))
    func leftBehind() throws {
        let result = try shell().run(["-c", "sleep 3 & echo done"], environment: ["PATH=\(Self.path)"])
        #expect(result.output == Array("done\n".utf8))
    }

    @Test("a program that serves is ready with its first line, and one that ends first is a failure")
    func living() throws {
        let program = try LivingProgram(
            try shell(), ["-c", "echo ready; sleep 600"], environment: ["PATH=\(Self.path)"], timeout: .seconds(20))
        program.end()
        program.end()
        #expect(throws: HelperProgram.Failure.self) {
            try LivingProgram(try shell(), ["-c", "exit 1"], environment: [], timeout: .seconds(20))
        }
    }
}
