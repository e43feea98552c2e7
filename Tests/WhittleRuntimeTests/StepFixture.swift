import Glibc
import Synchronization
import SystemPackage
import WhittleCore
import WhittleFileSystem
import WhittleTestKit

@testable import WhittleRuntime

/// A root file system with busybox, and what is needed to run steps in it outside of whittle's own namespaces.
final class StepFixture: Sendable {
    let directory: TemporaryDirectory
    let root: RootDirectory
    let scratch: ScratchSpace
    let runner: StepRunner
    private let text = Mutex<[StepOutput.Stream: String]>([:])

    /// Every test runs with each of these.
    static let runtimes = ["crun", "runc"]

    /// Why steps cannot be run here; `nil` where they can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "needs root" }
        for program in ["/usr/bin/crun", "/usr/sbin/runc", "/bin/busybox", "/usr/bin/unshare"]
        where access(program, X_OK) != 0 {
            return "needs \(program)"
        }
        return nil
    }()

    /// The tests' process has threads already and cannot enter namespaces; so the runtime alone gets a mount namespace,
    /// without the cgroup mount that crun does not bear.
    private static let launcher = [
        "/usr/bin/unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c",
        #"umount /sys/fs/cgroup/unified 2>/dev/null; exec "$0" "$@""#,
    ]

    init(_ runtime: String, teardown: Teardown = .standard) throws {
        directory = try TemporaryDirectory("steps")
        try directory.makeDirectory("root/bin")
        try directory.makeDirectory("scratch")
        root = try RootDirectory(directory("root"))
        let busybox = try FileReading.bytes(ofFileAt: "/bin/busybox") ?? []
        try root.writeFile("/bin/busybox", busybox, mode: 0o755)
        for name in [
            "sh", "cat", "echo", "env", "false", "grep", "id", "ls", "mkdir", "sleep", "test", "touch", "true", "wc",
        ] {
            try root.makeLink("/bin/\(name)", to: "busybox")
        }
        try directory.write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n")
        try directory.write("root/etc/group", "root:x:0:\napp:x:1000:\nextra:x:50:app\n")
        scratch = try ScratchSpace(at: directory("scratch"))
        let program = try RuntimeProgram(
            runtime, searchPath: "/usr/bin:/usr/sbin", launcher: Self.launcher)
        runner = StepRunner(
            runtime: CommandRuntime(program, stateDirectory: scratch.statePath, teardown: teardown), scratch: scratch)
    }

    /// What steps wrote to standard output so far.
    var output: String { text.withLock { $0[.standardOutput] ?? "" } }
    /// What steps wrote to standard error so far.
    var errors: String { text.withLock { $0[.standardError] ?? "" } }

    /// Runs a step; gives its exit code.
    func run(
        _ process: StepProcess, attachment: ProcessAttachment? = nil,
        receive: @escaping @Sendable (StepOutput) -> Void = { _ in }
    ) async throws -> Int32 {
        try await runner.run(process, root: root.path, attachment: attachment) { [self] output in
            text.withLock { $0[output.stream, default: ""] += String(decoding: output.bytes, as: UTF8.self) }
            receive(output)
        }.code
    }

    /// Runs a script in the shell; gives its exit code.
    func run(_ script: String, _ configure: (inout StepProcess) -> Void = { _ in }) async throws -> Int32 {
        var process = StepProcess(arguments: ["/bin/sh", "-c", script])
        configure(&process)
        return try await run(process)
    }

    /// Every path in the root file system.
    func paths() throws -> [String] { try Self.paths(below: root, "/") }

    /// What is left of steps outside of the root file system.
    func remains() throws -> [String] {
        let scratch = try RootDirectory(scratch.path)
        return try scratch.names(in: "/state").map { $0.description }
            + scratch.names(in: "/bundles").map { $0.description }
    }

    private static func paths(below root: RootDirectory, _ path: String) throws -> [String] {
        try root.names(in: path).flatMap { name -> [String] in
            let child = path == "/" ? "/\(name)" : "\(path)/\(name)"
            let isDirectory = try root.status(of: child, followingLinks: false)?.isDirectory ?? false
            return [child] + (isDirectory ? try paths(below: root, child) : [])
        }
    }
}
