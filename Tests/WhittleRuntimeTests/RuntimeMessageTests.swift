import Testing
import WhittleCore

@testable import WhittleRuntime

@Suite("What runtimes say")
struct RuntimeMessageTests {
    struct Example: CustomTestStringConvertible, Sendable {
        let message: String
        var arguments = ["sh"]
        let code: BuildError.Code
        let text: String
        let hint: String?
        var testDescription: String { message }
    }

    // As crun 1.8 and 1.20, and runc 1.1 and 1.2, put it.
    private static let examples: [Example] = [
        Example(
            message: "executable file `foo` not found in $PATH: No such file or directory", code: .executableNotFound,
            text: "executable 'foo' not found in $PATH",
            hint: "install it in an earlier step of this stage, or add its directory to PATH with ENV"),
        Example(
            message: "executable file `/bin/sh` not found: No such file or directory", code: .executableNotFound,
            text: "executable '/bin/sh' not found in the image",
            hint:
                "this stage has no shell; use the JSON form, RUN [\"PROGRAM\", \"ARGUMENT\"], or a base image that has one"
        ),
        Example(
            message: "executable file `echo hello` not found in $PATH: No such file or directory",
            code: .executableNotFound, text: "executable 'echo hello' not found in $PATH",
            hint: "the JSON form takes each argument as a string of its own: RUN [\"PROGRAM\", \"ARGUMENT\"]"),
        Example(
            message:
                #"runc run failed: unable to start container process: exec: "foo": executable file not found in $PATH"#,
            code: .executableNotFound, text: "executable 'foo' not found in $PATH",
            hint: "install it in an earlier step of this stage, or add its directory to PATH with ENV"),
        Example(
            message:
                #"runc run failed: unable to start container process: exec: "/a/b": stat /a/b: no such file or directory"#,
            code: .executableNotFound, text: "executable '/a/b' not found in the image",
            hint: "install it in an earlier step of this stage, or add its directory to PATH with ENV"),
        Example(
            message: "exec container process (missing dynamic library?) `/x`: No such file or directory",
            code: .executableNotFound,
            text: "cannot run '/x': its interpreter or dynamic loader is not in the image",
            hint: "see its first line (#!), or `file` and `ldd` on it; a program built for glibc does not run on musl"),
        Example(
            message: "exec /x: no such file or directory", code: .executableNotFound,
            text: "cannot run '/x': its interpreter or dynamic loader is not in the image",
            hint: "see its first line (#!), or `file` and `ldd` on it; a program built for glibc does not run on musl"),
        Example(
            message: "exec container process `/x`: Exec format error", code: .executableRefused,
            text: "cannot run '/x': exec format error",
            hint: "it is built for another platform, or is a script without a first line (#!/bin/sh)"),
        Example(
            message: "exec /x: exec format error", code: .executableRefused,
            text: "cannot run '/x': exec format error",
            hint: "it is built for another platform, or is a script without a first line (#!/bin/sh)"),
        Example(
            message: "open executable: Permission denied", arguments: ["/run.sh"], code: .executableRefused,
            text: "cannot run '/run.sh': permission denied",
            hint: "make it executable for the step's user: COPY --chmod=755, or chmod +x"),
        Example(
            message: #"runc run failed: unable to start container process: exec: "/x": permission denied"#,
            code: .executableRefused, text: "cannot run '/x': permission denied",
            hint: "make it executable for the step's user: COPY --chmod=755, or chmod +x"),
        Example(
            message: "error stat'ing file `/etc/nope`: No such file or directory", code: .runtimeFailed,
            text: "crun could not start the step: error stat'ing file `/etc/nope`: No such file or directory",
            hint: nil),
        Example(
            message: "evil \u{1b}[2J", code: .runtimeFailed,
            text: "crun could not start the step: evil \\u{1b}[2J", hint: nil),
    ]

    @Test("becomes an error that says what to change", arguments: examples)
    func errors(example: Example) {
        let error = BuildError.stepNotStarted(example.message, runtime: "crun", arguments: example.arguments)
        #expect(error.code == example.code)
        #expect(error.message == example.text)
        #expect(error.hint == example.hint)
    }

    @Test("is the last error of the log; warnings are passed over")
    func log() {
        let log = """
            {"level":"warning","msg":"old cgroups","time":"x"}
            {"level":"error","msg":"first","time":"x"}
            no JSON
            {"msg":"second","level":"error"}
            {"level":"debug","msg":"last"}
            """
        #expect(RuntimeLog.lastError(in: Array(log.utf8)) == "second")
        #expect(RuntimeLog.lastError(in: Array("{\"level\":\"warning\",\"msg\":\"w\"}\n".utf8)) == nil)
        #expect(RuntimeLog.lastError(in: []) == nil)
    }

    @Test("is told from the step's output where it is the only thing written")
    func startFailure() {
        let line = #"{"msg":"exec container process `/x`: Exec format error","level":"error","time":"t"}"# + "\n"
        var watch = StartFailureWatch(.crun)
        #expect(watch.pass(StepOutput(.standardError, Array(line.utf8.prefix(10)))) == [])
        #expect(watch.pass(StepOutput(.standardError, Array(line.utf8.dropFirst(10)))) == [])
        let end = watch.finish(exitCode: 1)
        #expect(end.failure == "exec container process `/x`: Exec format error")
        #expect(end.output == [])
    }

    @Test("passes on a look-alike once it is known to be none")
    func lookAlikes() {
        let line = Array("exec /x: no such file or directory\n".utf8)
        let more = StepOutput(.standardError, Array("more\n".utf8))
        let other = StepOutput(.standardOutput, Array("out\n".utf8))

        var followed = StartFailureWatch(.runc)
        #expect(followed.pass(StepOutput(.standardError, line)) == [])
        #expect(followed.pass(more) == [StepOutput(.standardError, line + more.bytes)])
        #expect(followed.finish(exitCode: 1).failure == nil)

        var interleaved = StartFailureWatch(.runc)
        #expect(interleaved.pass(StepOutput(.standardError, line)) == [])
        #expect(interleaved.pass(other) == [StepOutput(.standardError, line), other])

        var successful = StartFailureWatch(.runc)
        #expect(successful.pass(StepOutput(.standardError, line)) == [])
        let end = successful.finish(exitCode: 0)
        #expect(end.failure == nil)
        #expect(end.output == [StepOutput(.standardError, line)])

        var ordinary = StartFailureWatch(.crun)
        #expect(ordinary.pass(other) == [other])
        #expect(ordinary.pass(StepOutput(.standardError, line)) == [StepOutput(.standardError, line)])
        #expect(ordinary.finish(exitCode: 1).failure == nil)
    }

    @Test("tells kind, version and features of a runtime")
    func versions() {
        let crun = RuntimeProgram.Version(
            parsing: "crun version 1.8.1\ncommit: f8a\nspec: 1.0.0\n+SYSTEMD +CAP +SECCOMP +EBPF\n")
        #expect(crun.kind == .crun && crun.number == (1, 8) && crun.hasSeccomp)
        let plain = RuntimeProgram.Version(parsing: "crun version 0.16\n+CAP\n")
        #expect(plain.kind == .crun && plain.number == (0, 16) && !plain.hasSeccomp)
        let runc = RuntimeProgram.Version(parsing: "runc version 1.1.5+ds1\nlibseccomp: 2.5.4\n")
        #expect(runc.kind == .runc && runc.number == (1, 1) && runc.hasSeccomp)
        #expect(RuntimeProgram.Version(parsing: "").kind == .other)
    }

    @Test("says which runtime is missing, and how to get one")
    func missing() {
        let crun = #expect(throws: BuildError.self) { try RuntimeProgram("crun", searchPath: "/nowhere:relative") }
        #expect(crun?.code == .runtimeMissing)
        #expect(crun?.message == "no OCI runtime 'crun' in $PATH")
        #expect(crun?.hint == "install it (apt install crun), or choose another with --runtime")
        let other = #expect(throws: BuildError.self) { try RuntimeProgram("youki", searchPath: "/nowhere") }
        #expect(other?.hint == "install it, or choose another with --runtime: crun, runc")
        let path = #expect(throws: BuildError.self) { try RuntimeProgram("/no/crun", searchPath: "/bin") }
        #expect(path?.message == "no OCI runtime at '/no/crun': not an executable file")
        let useless = #expect(throws: BuildError.self) { try RuntimeProgram("false", searchPath: "/usr/bin:/bin") }
        #expect(useless?.code == .runtimeFailed)
    }

    @Test("tells a process that did not enter its namespaces, and one that may not")
    func namespaces() {
        #expect(
            BuildError.noNamespaces(operation: "create a PID namespace", errno: 1).description
                == """
                error[no-namespaces]: cannot run steps: create a PID namespace: Operation not permitted
                hint: run whittle as root, or in a container that has CAP_SYS_ADMIN
                """)
        #expect(
            BuildError.noNamespaces(operation: "create a PID namespace", errno: 28).hint
                == "the kernel must support PID and mount namespaces, and /proc/sys/user must allow one more of each")
        let outside = #expect(throws: BuildError.self) { try ProcessNamespaces.require() }
        #expect(outside?.message == "cannot run steps: this process has not entered its namespaces")
        #expect(!ProcessNamespaces.isInside)
    }
}
