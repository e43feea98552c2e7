import Testing
import WhittleCore
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleRuntime

@Suite(
    "StepRunner",
    .enabled(if: StepFixture.obstacle == nil, Comment(rawValue: StepFixture.obstacle ?? "")), .timeLimit(.minutes(2)))
struct StepRunnerTests {
    @Test("delivers output and exit code, and leaves nothing behind", arguments: StepFixture.runtimes)
    func basics(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let before = try fixture.paths()
        #expect(try await fixture.run("echo out; echo err >&2; exit 7") == 7)
        #expect(fixture.output == "out\n")
        #expect(fixture.errors == "err\n")
        #expect(try await fixture.run("kill -9 $$; exit 5") == 5, "PID 1 is safe from its own signals")
        #expect(try await fixture.run("(kill -9 $(exec sh -c 'echo $PPID')); exit $?") == 137)
        #expect(try fixture.paths() == before)
        #expect(try fixture.remains() == [])
    }

    @Test(
        "keeps what the step writes, and nothing of /etc/hosts and other mount points", arguments: StepFixture.runtimes)
    func layer(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let before = try fixture.paths()
        let time = try #require(try fixture.root.status(of: "/etc")).modified
        #expect(try await fixture.run("cat /etc/hosts; wc -c </etc/resolv.conf; echo kept >/kept") == 0)
        #expect(try fixture.paths() == (before + ["/kept"]).sorted())
        #expect(try fixture.root.status(of: "/etc")?.modified == time)
        #expect(
            fixture.output.hasPrefix(
                "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n"))
    }

    private func report(_ fixture: StepFixture, _ configure: (inout StepProcess) -> Void = { _ in }) async throws
        -> [String: String]
    {
        #expect(try await fixture.run("cat /proc/self/status", configure) == 0)
        return Dictionary(
            fixture.output.split(separator: "\n").map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (String(parts[0]), parts.count > 1 ? parts[1].filter { !" \t".contains($0) } : "")
            }, uniquingKeysWith: { $1 })
    }

    @Test("gives a step the capabilities and the system call filter of a container", arguments: StepFixture.runtimes)
    func sandbox(runtime: String) async throws {
        let status = try await report(StepFixture(runtime))
        for kind in ["CapEff", "CapPrm", "CapBnd"] { #expect(status[kind] == "00000000a80425fb", "\(kind)") }
        for kind in ["CapInh", "CapAmb"] { #expect(status[kind] == "0000000000000000", "\(kind)") }
        #expect(status["Seccomp"] == "2")
        #expect(status["NoNewPrivs"] == "0")
    }

    @Test("gives an insecure step everything", arguments: StepFixture.runtimes)
    func insecure(runtime: String) async throws {
        let status = try await report(StepFixture(runtime)) { $0.security = .insecure }
        let own = try #require(try FileReading.bytes(ofFileAt: "/proc/self/status"))
        #expect(
            status["CapEff"].flatMap { Capability.effective(inStatus: Array("CapEff:\t\($0)\n".utf8)) }
                == Capability.effective(inStatus: own))
        #expect(status["Seccomp"] == "0")
    }

    @Test("refuses what the filter refuses", arguments: StepFixture.runtimes)
    func filter(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        try fixture.root.makeLink("/bin/unshare", to: "busybox")
        try fixture.root.makeLink("/bin/mount", to: "busybox")
        #expect(try await fixture.run("unshare -U true") != 0)
        #expect(fixture.errors.contains("Operation not permitted"))
        #expect(try await fixture.run("mount -t tmpfs x /bin") != 0)
    }

    @Test("hides what tells of the machine", arguments: StepFixture.runtimes)
    func masked(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        #expect(
            try await fixture.run("wc -c </proc/keys; (echo 1 >/proc/sys/kernel/panic) 2>&1; ls /sys/firmware") == 0)
        #expect(fixture.output.hasPrefix("0\n"))
        #expect(fixture.output.contains("Read-only file system"))
    }

    @Test("has processes, host name and, where wanted, network of its own", arguments: StepFixture.runtimes)
    func namespaces(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        try fixture.root.makeLink("/bin/hostname", to: "busybox")
        #expect(
            try await fixture.run("echo $$; hostname; ls /sys/class/net; cat /proc/net/dev | wc -l") {
                $0.network = .none
                $0.hostname = "other"
                $0.extraHosts = [.init(name: "db", address: "10.0.0.7")]
            } == 0)
        // Two lines of headings, and one for lo.
        #expect(fixture.output == "1\nother\nlo\n3\n")
        #expect(try await fixture.run("cat /proc/net/dev | wc -l") == 0)
        let interfaces = try #require(try FileReading.bytes(ofFileAt: "/proc/net/dev")).filter { $0 == 0x0a }.count
        #expect(fixture.output.hasSuffix("\n\(interfaces)\n"))
    }

    @Test("runs as the user, with its groups and its home", arguments: StepFixture.runtimes)
    func user(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let code = try await fixture.run("id; echo $HOME; echo $PATH; grep CapEff /proc/self/status; pwd; ls -ldn .") {
            $0.user = "app"
            $0.workingDirectory = "/work/deep"
        }
        #expect(code == 0)
        let lines = fixture.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 6)
        #expect(lines[0] == "uid=1000(app) gid=1000(app) groups=50(extra),1000(app)")
        #expect(lines[1] == "/home/app")
        #expect(lines[2] == RuntimeSpec.defaultPath)
        #expect(lines[3].hasSuffix("0000000000000000"))
        #expect(lines[4] == "/work/deep")
        #expect(lines[5].contains("1000     1000"))
        #expect(try fixture.root.status(of: "/work/deep")?.isDirectory == true, "a working directory is no stub")
    }

    @Test("shows files, caches, memory and secrets, and takes them away again", arguments: StepFixture.runtimes)
    func mounts(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let file = try fixture.directory.write("source/file", "contents\n")
        let cache = try fixture.directory.makeDirectory("cache")
        try fixture.root.makeLink("/lib64", to: "usr/lib")
        let before = try fixture.paths()
        let code = try await fixture.run(
            """
            cat /in/file; (echo x >/in/file) 2>/dev/null || echo refused
            echo cached >/var/cache/tool/entry
            cat /run/secrets/token; ls -ln /run/secrets/token
            (echo x >/run/secrets/token) 2>/dev/null || echo refused
            echo $KEY; grep -c '/tmp/memory tmpfs' /proc/mounts; ls /usr/lib/inside
            grep -c token /proc/mounts
            """
        ) {
            $0.secretEnvironment = Redacted(["KEY=hunter2"])
            $0.mounts = [
                .bind(source: file, target: "/in/file", isReadOnly: true),
                .bind(source: cache, target: "/var/cache/tool", isReadOnly: false),
                .tmpfs(target: "/tmp/memory", size: 1_048_576),
                .tmpfs(target: "/lib64/inside", size: nil),
                .secret(Redacted(Array("s3cret\n".utf8)), target: "/run/secrets/token", uid: 7, gid: 8),
            ]
        }
        #expect(code == 0, "\(fixture.errors)")
        let lines = fixture.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 8)
        #expect(lines[0] == "contents")
        #expect(lines[1] == "refused")
        #expect(lines[2] == "s3cret")
        #expect(lines[3].hasPrefix("-r--------    1 7        8"))
        #expect(lines[4...6] == ["refused", "hunter2", "1"])
        #expect(try fixture.directory.read("cache/entry") == "cached\n")
        #expect(try fixture.paths() == before)
        #expect(try fixture.remains() == [])
    }

    @Test("finds by looking why a program cannot start, where the runtime does not say it")
    func diagnosis() throws {
        let fixture = try StepFixture("crun")
        try fixture.root.writeFile("/bin/broken", Array("no program".utf8), mode: 0o755)
        try fixture.root.writeFile("/bin/script", Array("#!/bin/sh\n".utf8), mode: 0o755)
        try fixture.root.writeFile("/bin/closed", Array("#!/bin/sh\n".utf8), mode: 0o644)
        func message(_ program: String) throws -> String? {
            let process = StepProcess(arguments: [program], environment: ["PATH=/none:/bin"], workingDirectory: "/")
            let user = ContainerUser(uid: 0, gid: 0)
            return try StartDiagnosis(
                spec: .container(for: process, root: fixture.root.path, user: user, mounts: [])
            ).message()
        }
        #expect(try message("none") == "executable file `none` not found in $PATH")
        #expect(try message("/bin/none") == "executable file `/bin/none` not found in $PATH")
        #expect(try message("broken") == "exec container process `/bin/broken`: exec format error")
        #expect(try message("closed") == "open executable `closed`: permission denied")
        #expect(try message("bin/script") == nil)
        #expect(try message("sh") == nil)
        for text in [try message("none"), try message("broken"), try message("closed")] {
            #expect(text.flatMap { ExecFailure($0) } != nil)
        }
        #expect(StartDiagnosis.isNeeded(for: "read FD: connection closed"))
        #expect(!StartDiagnosis.isNeeded(for: "mount `proc` to `/proc`: operation not permitted"))
    }

    @Test("ends every process of a cancelled step", arguments: StepFixture.runtimes)
    func cancellation(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let mark = "\(UInt64.random(in: 1 ... 1 << 40))"
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let process = StepProcess(
            arguments: ["/bin/sh", "-c", "sh -c 'sleep 1\(mark) & echo started; wait' & wait; exit 3"])
        let step = Task { try await fixture.run(process) { _ in start.finish() } }
        for await _ in started {}
        #expect(try NamespaceProgram.isRunning(mark))
        let clock = ContinuousClock.now
        step.cancel()
        await #expect(throws: CancellationError.self) { try await step.value }
        #expect(ContinuousClock.now - clock < .seconds(2), "SIGTERM was enough")
        #expect(try !NamespaceProgram.isRunning(mark))
        #expect(try fixture.remains() == [])
    }

    @Test("kills a step that does not want to end, and removes its state", arguments: StepFixture.runtimes)
    func stubborn(runtime: String) async throws {
        let fixture = try StepFixture(
            runtime,
            teardown: Teardown([
                .init(.terminate, patience: .milliseconds(100)), .init(.abandon, patience: .zero),
            ]))
        let mark = "\(UInt64.random(in: 1 ... 1 << 40))"
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let process = StepProcess(
            arguments: ["/bin/sh", "-c", "trap '' TERM; echo started; while :; do sleep 1\(mark); done"])
        let step = Task { try await fixture.run(process) { _ in start.finish() } }
        for await _ in started {}
        step.cancel()
        await #expect(throws: CancellationError.self) { try await step.value }
        #expect(try !NamespaceProgram.isRunning(mark), "the runtime is gone, but its container too")
        #expect(try fixture.remains() == [])
    }

    @Test("does not start a step that is cancelled before")
    func cancelledBefore() async throws {
        let fixture = try StepFixture("crun")
        let step = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await fixture.run("echo ran")
        }
        step.cancel()
        await #expect(throws: CancellationError.self) { try await step.value }
        #expect(fixture.output == "")
    }

    @Test("does not wait for a daemon that the step leaves", arguments: StepFixture.runtimes)
    func daemon(runtime: String) async throws {
        let fixture = try StepFixture(runtime)
        let mark = "\(UInt64.random(in: 1 ... 1 << 40))"
        #expect(try await fixture.run("sleep 1\(mark) & echo left") == 0)
        #expect(fixture.output == "left\n")
        #expect(try !NamespaceProgram.isRunning(mark))
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        let runtime: String
        let arguments: [String]
        let code: BuildError.Code
        let message: String
        var testDescription: String { "\(runtime) \(arguments)" }
    }

    static let refused = StepFixture.runtimes.flatMap { runtime in
        [
            Refused(
                runtime: runtime, arguments: ["foo", "x"], code: .executableNotFound,
                message: "executable 'foo' not found in $PATH"),
            Refused(
                runtime: runtime, arguments: ["/no/foo"], code: .executableNotFound,
                message: "executable '/no/foo' not found in the image"),
            Refused(
                runtime: runtime, arguments: ["/plain"], code: .executableRefused,
                message: "cannot run '/plain': permission denied"),
            Refused(
                runtime: runtime, arguments: ["/foreign"], code: .executableRefused,
                message: "cannot run '/foreign': exec format error"),
            Refused(
                runtime: runtime, arguments: ["/script"], code: .executableNotFound,
                message: "cannot run '/script': its interpreter or dynamic loader is not in the image"),
        ]
    }

    @Test("tells a program that cannot be run from one that fails", arguments: refused)
    func refuses(example: Refused) async throws {
        let fixture = try StepFixture(example.runtime)
        try fixture.root.writeFile("/plain", Array("x".utf8))
        try fixture.root.writeFile("/foreign", [0x7f, 0x45, 0x4c, 0x46, 0, 0, 0], mode: 0o755)
        try fixture.root.writeFile("/script", Array("#!/no/interpreter\n".utf8), mode: 0o755)
        let error = await #expect(throws: BuildError.self) {
            try await fixture.run(StepProcess(arguments: example.arguments))
        }
        #expect(error?.code == example.code)
        #expect(error?.message == example.message)
        #expect(try fixture.remains() == [])
        #expect(try fixture.root.status(of: "/proc") == nil, "mount points are removed after a failure too")
    }

    static let failures: [(String, Int32)] = [
        ("exit 1", 1), ("exit 126", 126), ("nonesuch", 127),
        ("echo 'exec /x: no such file or directory' >&2; exit 1", 1),
    ]

    @Test("takes an exit code for what it is", arguments: failures)
    func exitCodes(script: String, code: Int32) async throws {
        #expect(try await StepFixture("crun").run(script) == code)
    }

    struct Invalid: CustomTestStringConvertible, Sendable {
        let process: StepProcess
        let message: String
        var testDescription: String { message }
    }

    static let invalid = [
        Invalid(process: StepProcess(arguments: []), message: "cannot run the step: it has no program to run"),
        Invalid(
            process: StepProcess(arguments: ["a", "b\0c"]),
            message: "cannot run the step: its argument 1 holds a NUL byte"),
        Invalid(
            process: StepProcess(arguments: ["a"], secretEnvironment: Redacted(["K=a\0b"])),
            message: "cannot run the step: its environment variable 'K' holds a NUL byte"),
        Invalid(
            process: StepProcess(arguments: ["a"], workingDirectory: "work"),
            message: "cannot run the step: its working directory 'work' is not absolute"),
        Invalid(
            process: StepProcess(arguments: ["a"], mounts: [.tmpfs(target: "tmp", size: nil)]),
            message: "cannot run the step: its mount target 'tmp' is not an absolute path"),
    ]

    @Test("refuses what no process can have", arguments: invalid)
    func refusesInvalid(example: Invalid) async throws {
        let fixture = try StepFixture("crun")
        let error = await #expect(throws: BuildError.self) { try await fixture.run(example.process) }
        #expect(error?.code == .invalidStep)
        #expect(error?.message == example.message)
    }

    @Test("says which user is unknown, and which mount source is missing")
    func missingThings() async throws {
        let fixture = try StepFixture("crun")
        let user = await #expect(throws: BuildError.self) { try await fixture.run("true") { $0.user = "nobody" } }
        #expect(user?.code == .unknownUser)
        let mount = await #expect(throws: BuildError.self) {
            try await fixture.run("true") {
                $0.mounts = [.bind(source: "/no/such", target: "/x", isReadOnly: true)]
            }
        }
        #expect(mount?.code == .fileSystem)
        #expect(mount?.message.contains("'/no/such'") == true)
        #expect(try fixture.remains() == [])
    }

    @Test("runs several steps side by side")
    func parallel() async throws {
        let fixtures = try (0..<4).map { _ in try StepFixture("crun") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, fixture) in fixtures.enumerated() {
                group.addTask {
                    for round in 0..<3 { _ = try await fixture.run("echo \(index).\(round)") }
                }
            }
            try await group.waitForAll()
        }
        for (index, fixture) in fixtures.enumerated() {
            #expect(fixture.output == "\(index).0\n\(index).1\n\(index).2\n")
        }
    }
}
