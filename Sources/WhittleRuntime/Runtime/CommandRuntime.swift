internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittlePrograms

/// Runs containers with crun, or with another program that takes runc's arguments.
///
/// The runtime makes no cgroups: a step's processes end with its PID namespace, and where they are limited, whittle makes
/// the groups (``StepCgroup``).
package final class CommandRuntime: OCIRuntime {
    package let name: String
    /// The program, and what it said of itself.
    package let program: RuntimeProgram
    private let stateDirectory: String
    private let teardown: Teardown
    /// The last profile that was compiled: steps of a build mostly share one.
    private static let compiled = Mutex<(profile: SeccompProfile, filter: SeccompFilter?)?>(nil)

    /// - Parameters:
    ///   - stateDirectory: where the runtime keeps the state of running containers, see ``ScratchSpace/statePath``.
    ///   - teardown: how containers are ended on cancellation.
    package init(_ program: RuntimeProgram, stateDirectory: String, teardown: Teardown = .standard) {
        name = program.name
        self.program = program
        self.stateDirectory = stateDirectory
        self.teardown = teardown
    }

    package func run(
        _ bundle: RuntimeBundle, attachment: ProcessAttachment?, cancellation: CancellationSignal,
        receive: (StepOutput) -> Void
    ) throws -> StepExit {
        let directory = try RootDirectory(bundle.directory)
        var spec = bundle.spec
        // Other runtimes than crun leave the group that they are started in, in the unified hierarchy.
        let isUnified = bundle.cgroup?.unifiedPath != nil
        if program.kind != .crun { spec.cgroupPath = bundle.cgroup?.unifiedPath }
        let entrances = program.kind != .crun && isUnified ? [] : bundle.cgroup?.entrances ?? []
        let document = spec.document(seccomp: seccompForm(of: spec))
        try directory.writeFile("/config.json", document.revealed.encoded(as: .compact), mode: 0o600)

        let log = "\(bundle.directory)/\(Self.logName)"
        // crun gives the terminal away. When it copies by itself it loses what was written last, and does not know of
        // windows that change (up to 1.8 at least); runc gives it away only to leave its container alone.
        let console = try attachment?.terminal != nil && program.kind == .crun ? console(in: bundle.directory) : nil
        let arguments =
            globalArguments(log: log) + ["run", "--bundle", bundle.directory]
            + (console.map { ["--console-socket", $0.path] } ?? []) + [bundle.identifier]
        var watch = StartFailureWatch(program.kind, isTerminal: attachment?.terminal != nil)
        // With a terminal, standard error is the runtime's alone. crun writes there why a program was not executed, and to
        // its log only that the terminal of that program never came.
        var ownWords: [UInt8] = []
        let status = try start(
            arguments, teardown: teardown, attachment: attachment, console: console, entrances: entrances,
            cancellation: cancellation
        ) { output in
            if attachment?.terminal != nil, output.stream == .standardError {
                if ownWords.count < 8192 { ownWords += output.bytes }
                return
            }
            for output in watch.pass(output) { receive(output) }
        }
        let (failure, held) = watch.finish(exitCode: status.exitCode)
        for output in held { receive(output) }
        try removeRemains(of: bundle)

        if !cancellation.isRaised, status.exitCode != 0 {
            let logged = try directory.bytes(ofFileAt: "/\(Self.logName)", limit: 1 << 20)
            let said = String(decoding: ownWords, as: UTF8.self).split(whereSeparator: \.isNewline)
                .map(String.init).last { ExecFailure($0) != nil }
            if var message = failure ?? said ?? logged.flatMap({ RuntimeLog.lastError(in: $0) }) {
                if StartDiagnosis.isNeeded(for: message) {
                    message = try StartDiagnosis(spec: bundle.spec).message() ?? message
                }
                if case .wrongFormat = ExecFailure(message),
                    let foreign = try StartDiagnosis(spec: bundle.spec).foreignProgram()
                {
                    throw BuildError.emulatorMissing(foreign.path, foreign.platform)
                }
                throw BuildError.stepNotStarted(message, runtime: name, arguments: bundle.spec.process.arguments)
            }
        }
        return StepExit(code: status.exitCode)
    }

    private func console(in directory: String) throws(BuildError) -> ConsoleSocket {
        do throws(Errno) { return try ConsoleSocket(in: directory) } catch {
            throw BuildError.fileSystem("listen in", directory, error)
        }
    }

    private static let logName = "runtime.log"

    private func globalArguments(log: String) -> [String] {
        let isCrun = program.kind == .crun
        // crun takes what stands in front of a colon for the kind of log, and a path may have one.
        let log = isCrun ? "file:" + log : log
        let arguments = ["--root", stateDirectory, "--log", log, "--log-format", "json"]
        return isCrun ? arguments + ["--cgroup-manager=disabled"] : arguments
    }

    private func start(
        _ arguments: [String], teardown: Teardown, attachment: ProcessAttachment? = nil,
        console: ConsoleSocket? = nil, entrances: [String] = [], cancellation: CancellationSignal,
        _ receive: (StepOutput) -> Void
    ) throws(BuildError) -> WaitStatus {
        try withoutActuallyEscaping(receive) { receive throws(BuildError) in
            let monitor = ProcessMonitor(cancellation: cancellation, teardown: teardown, receive: receive)
            do throws(Errno) {
                return try program.run(
                    arguments, monitor: monitor, attachment: attachment, console: console, entrances: entrances)
            } catch {
                throw BuildError.runtimeNotStarted(program.path, error)
            }
        }
    }

    /// A runtime that ended by itself has removed its state; one that was killed has not.
    private func removeRemains(of bundle: RuntimeBundle) throws {
        let remains = "\(stateDirectory)/\(bundle.identifier)"
        guard try RootDirectory(stateDirectory).status(of: "/\(bundle.identifier)", followingLinks: false) != nil else {
            return
        }
        let log = "\(bundle.directory)/delete.log"
        let never = try CancellationSignal()
        _ = try start(
            globalArguments(log: log) + ["delete", "--force", bundle.identifier], teardown: .standard,
            cancellation: never
        ) { _ in }
        try TreeRemoval.remove(remains)
    }

    private func seccompForm(of spec: RuntimeSpec) -> RuntimeSpec.SeccompForm {
        guard program.hasSeccomp, let profile = spec.seccomp else { return .none }
        guard program.takesCompiledSeccomp else { return .rules }
        let filter = Self.compiled.withLock { compiled in
            if let compiled, compiled.profile == profile { return compiled.filter }
            let filter = SeccompFilter(profile)
            compiled = (profile, filter)
            return filter
        }
        return filter.map { .program($0) } ?? .rules
    }
}
