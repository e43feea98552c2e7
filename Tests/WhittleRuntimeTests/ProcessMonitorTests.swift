import Glibc
import Synchronization
import SystemPackage
import Testing
import WhittleFileSystem
import WhittlePrograms
import WhittleTestKit

@testable import WhittleRuntime

@Suite("ProcessMonitor")
struct ProcessMonitorTests {
    private final class Received: Sendable {
        private let text = Mutex<[StepOutput.Stream: String]>([:])
        func add(_ output: StepOutput) {
            text.withLock { $0[output.stream, default: ""] += String(decoding: output.bytes, as: UTF8.self) }
        }
        subscript(_ stream: StepOutput.Stream) -> String { text.withLock { $0[stream] ?? "" } }
    }

    private func run(
        _ script: String, cancellation: CancellationSignal? = nil, teardown: Teardown = .standard,
        receive: @escaping (StepOutput) -> Void = { _ in }
    ) throws -> Int32 {
        let monitor = ProcessMonitor(
            cancellation: try cancellation ?? CancellationSignal(), teardown: teardown, receive: receive)
        return try monitor.run("/bin/sh", arguments: ["sh", "-c", script], environment: ["A=b"]).exitCode
    }

    @Test("delivers both streams, and how the process ended")
    func streams() throws {
        let received = Received()
        let code = try run("echo out; echo err >&2; echo $A; exit 3") { received.add($0) }
        #expect(code == 3)
        #expect(received[.standardOutput] == "out\nb\n")
        #expect(received[.standardError] == "err\n")
    }

    @Test("tells a process that a signal ended as shells do", arguments: [("TERM", 143), ("KILL", 137)])
    func signals(name: String, code: Int32) throws {
        #expect(try run("kill -\(name) $$") == code)
    }

    @Test("gives the process an empty standard input, a session of its own and no other descriptors")
    func surroundings() throws {
        let received = Received()
        let code = try run(
            "cat; ls /proc/self/fd | wc -l; ps -o sid= -p $$ | tr -d ' '; echo $$; kill -PIPE $$; echo not reached"
        ) { received.add($0) }
        #expect(code == 141, "SIGPIPE is not ignored")
        let lines = received[.standardOutput].split(separator: "\n")
        #expect(lines.count == 3)
        // The three standard ones, and the directory that ls reads.
        #expect(lines.first?.trimmingPrefix { $0 == " " } == "4")
        #expect(lines.dropFirst().first == lines.last)
    }

    @Test("keeps every byte of long output, in order")
    func longOutput() throws {
        var count = 0
        var last: UInt8 = 0
        let code = try run("i=0; while [ $i -lt 20 ]; do head -c 100000 /dev/zero; i=$((i+1)); done; printf x") {
            count += $0.bytes.count
            last = $0.bytes.last ?? 0
        }
        #expect(code == 0)
        #expect(count == 2_000_001)
        #expect(last == UInt8(ascii: "x"))
    }

    @Test("does not wait for a process left behind that holds the output", .timeLimit(.minutes(1)))
    func leftBehind() throws {
        let received = Received()
        let started = ContinuousClock.now
        let code = try run("sleep 30 & echo started; exit 0") { received.add($0) }
        #expect(code == 0)
        #expect(received[.standardOutput] == "started\n")
        #expect(ContinuousClock.now - started < .seconds(10))
    }

    @Test("ends the whole tree when cancelled, a grandchild included", .timeLimit(.minutes(1)))
    func cancelled() throws {
        let cancellation = try CancellationSignal()
        let received = Received()
        let code = try run(
            "(sleep 300 & echo $!; wait $!) & wait $!", cancellation: cancellation,
            teardown: Teardown([
                .init(.terminate, patience: .milliseconds(200)), .init(.kill, patience: .milliseconds(200)),
                .init(.abandon, patience: .zero),
            ])
        ) { output in
            received.add(output)
            cancellation.raise()
        }
        #expect(code == 143, "the shell, which is not told, has seen its child end")
        let process = received[.standardOutput].split(separator: "\n")[0]
        // It got its signal before the shell saw the end of its child, and may need a moment to end of it; without one it
        // would outlast the time limit.
        while isRunning(String(process)) { usleep(1000) }
    }

    @Test("kills what does not end on SIGTERM", .timeLimit(.minutes(1)))
    func stubborn() throws {
        let cancellation = try CancellationSignal()
        let code = try run(
            "trap '' TERM; (trap '' TERM; echo ready; while :; do sleep 0.05; done) & wait $!",
            cancellation: cancellation,
            teardown: Teardown([
                .init(.terminate, patience: .milliseconds(100)), .init(.kill, patience: .milliseconds(100)),
                .init(.abandon, patience: .zero),
            ])
        ) { _ in cancellation.raise() }
        #expect(code == 137)
    }

    @Test("says so where there is no such program")
    func missing() throws {
        let monitor = ProcessMonitor(cancellation: try CancellationSignal(), teardown: .standard) { _ in }
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try monitor.run("/nowhere/program", arguments: ["program"], environment: [])
        }
    }

    /// A killed process that nobody has waited for yet counts as ended.
    private func isRunning(_ process: String) -> Bool {
        guard let bytes = try? FileReading.bytes(ofFileAt: "/proc/\(process)/stat") else { return false }
        return !String(decoding: bytes, as: UTF8.self).contains(") Z ")
    }
}
