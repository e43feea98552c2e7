import CWhittleLinux
import Glibc
import Testing
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleRuntime

/// Namespaces can only be entered by a process with one thread, which a test is not: these compile the C sources into a
/// small program and watch that.
@Suite(
    "Entering namespaces",
    .enabled(if: NamespaceProgram.obstacle == nil, Comment(rawValue: NamespaceProgram.obstacle ?? "")),
    .timeLimit(.minutes(1)))
struct ProcessNamespacesTests {
    @Test("makes the program process 2 of a namespace with its own /proc, below an init")
    func inside() throws {
        let run = try NamespaceProgram.run(#"echo $PPID; ls -d /proc/[0-9]*; cat /proc/1/comm"#)
        #expect(run.code == 0)
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "2")
        #expect(lines.last == "whittle-init")
        // Init, the program, and its shell.
        #expect(lines.filter { $0.hasPrefix("/proc/") }.count == 3)
    }

    @Test("ends as the program ended", arguments: [("exit 0", 0), ("exit 9", 9), ("kill -TERM $PPID; sleep 9", 143)])
    func status(script: String, code: Int32) throws {
        #expect(try NamespaceProgram.run(script).code == code)
    }

    @Test("keeps its mounts from the machine, and detaches the cgroups that crun does not bear")
    func mounts() throws {
        let directory = try TemporaryDirectory("namespaces")
        let run = try NamespaceProgram.run(
            "mount -t tmpfs x \(directory.path) && touch \(directory("inside")) && ls \(directory.path); "
                + "grep -c ' /sys/fs/cgroup/unified ' /proc/mounts")
        #expect(run.output == "inside\n0\n")
        #expect(try RootDirectory(directory.path).names(in: "/").isEmpty)
    }

    @Test("reaps orphans, and leaves the program its own children")
    func orphans() throws {
        let run = try NamespaceProgram.run(
            "(sh -c 'exit 3' & ) ; (exit 4); echo $?; sleep 0.2; ps -e -o stat= | grep -c Z")
        #expect(run.output == "4\n0\n")
    }

    @Test("hands down a signal that a process sends", arguments: ["TERM", "INT", "HUP", "USR1"])
    func handsDown(name: String) throws {
        let run = try NamespaceProgram.run(
            "trap 'echo got; exit 5' \(name); echo ready; while :; do sleep 0.05; done", mode: "exec"
        ) { caller in
            kill(caller, ["TERM": SIGTERM, "INT": SIGINT, "HUP": SIGHUP, "USR1": SIGUSR1][name] ?? 0)
        }
        #expect(run.output == "ready\ngot\n")
        #expect(run.code == 5)
    }

    @Test("kills all when asked to stop a third time")
    func thirdTime() throws {
        let run = try NamespaceProgram.run("trap '' INT; echo ready; while :; do sleep 0.05; done", mode: "exec") {
            caller in
            // Signals of a kind that arrive together count once, and on a busy machine many do.
            var count = 0
            while count < 3 || (count < 200 && NamespaceProgram.child(of: caller) != nil) {
                kill(caller, SIGINT)
                usleep(50_000)
                count += 1
            }
        }
        #expect(run.code == 137)
    }

    @Test("takes everything along when the caller is killed, or PID 1", arguments: [false, true])
    func killed(isInit: Bool) throws {
        let mark = "1\(UInt64.random(in: 1 ... 1 << 40))"
        let run = try NamespaceProgram.run(
            "(setsid sleep \(mark) &) ; echo ready; sleep \(mark)", mode: "exec"
        ) { caller in
            let target = isInit ? NamespaceProgram.child(of: caller) : caller
            #expect(target != nil)
            if let target { kill(target, SIGKILL) }
        }
        #expect(run.code == 137)
        // The kernel kills, but does not wait, where the caller went first.
        var looks = 0
        while looks < 100, try NamespaceProgram.isRunning(mark) {
            looks += 1
            usleep(20_000)
        }
        #expect(looks < 100)
    }

    @Test("goes on outside where it is not permitted, and can still start processes")
    func refused() throws {
        let run = try NamespaceProgram.run("echo outside", mode: "refused")
        #expect(
            run.output
                == "find user ids to use in /etc/subuid and /etc/subgid: \(ENOENT) obstacle \(WHITTLE_NO_SUBORDINATE_IDS.rawValue)\noutside\n"
        )
        #expect(run.code == 0)
    }

    @Test("goes on outside where the mounts cannot be made")
    func refusedLate() throws {
        let run = try NamespaceProgram.run("echo outside; (echo more)", mode: "no-mounts")
        #expect(run.output == "separate the mount namespace from the host: \(EACCES) obstacle 0\noutside\nmore\n")
        #expect(run.code == 0)
    }
}
