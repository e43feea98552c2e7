internal import WhittleCore
package import WhittleFileSystem

/// Runs the processes of steps in containers of their own, on root file systems that are mounted already.
package struct StepRunner: Sendable {
    private let runtime: any OCIRuntime
    private let scratch: ScratchSpace
    private let pool: BlockingPool

    package init(runtime: any OCIRuntime, scratch: ScratchSpace, pool: BlockingPool = .shared) {
        self.runtime = runtime
        self.scratch = scratch
        self.pool = pool
    }

    /// Runs `process` from its start to its end, and leaves behind what it wrote to `root` and nothing else.
    ///
    /// Takes a thread of the pool meanwhile. When the task is cancelled, the container is brought to its end first.
    ///
    /// - Parameters:
    ///   - root: where the root file system is mounted on this machine; written to.
    ///   - attachment: the input, terminal and signals of the process; without one it reads nothing.
    ///   - receive: gets what the process writes, one chunk after the other, on a thread of the pool; the process waits
    ///     while it does not return.
    /// - Returns: how the process ended; failure of a process is a result, not an error.
    /// - Throws: `BuildError` (`unknown-user`, `unknown-group`, `executable-not-found`, `executable-refused`,
    ///   `emulator-missing`, `runtime-failed`, `invalid-step`, `file-system`), `CancellationError`.
    package func run(
        _ process: StepProcess, root: String, attachment: ProcessAttachment? = nil,
        receive: @escaping @Sendable (StepOutput) -> Void
    ) async throws -> StepExit {
        let cancellation = try CancellationSignal()
        return try await withTaskCancellationHandler {
            try await pool.run {
                let exit = try run(
                    process, root: root, attachment: attachment, cancellation: cancellation, receive: receive)
                if cancellation.isRaised { throw CancellationError() }
                return exit
            }
        } onCancel: {
            cancellation.raise()
        }
    }

    /// Places of the root file system that steps may have found something mounted over without having asked for it.
    package static var unaskedMounts: [String] { BinaryHandlers.mountedInterpreters }

    private func withCgroup(
        _ resources: StepResources, _ name: String, _ body: (StepCgroup?) throws -> StepExit
    ) throws -> StepExit {
        guard !resources.isEmpty else { return try body(nil) }
        let cgroup = try StepCgroup.make(resources, name: name, in: .ofMachine())
        let result = Result { try body(cgroup) }
        let isOutOfMemory = cgroup.isOutOfMemory
        do { try cgroup.remove() } catch {
            // The error of the step tells more.
            if case .success = result { throw error }
        }
        var exit = try result.get()
        exit.isOutOfMemory = isOutOfMemory
        return exit
    }

    private func run(
        _ process: StepProcess, root path: String, attachment: ProcessAttachment?, cancellation: CancellationSignal,
        receive: (StepOutput) -> Void
    ) throws -> StepExit {
        try process.validate()
        let root = try RootDirectory(path, name: "the root file system of the step")
        var users = UserResolver(root: root)
        let user = try users.user(process.user)
        var process = process
        if let mount = try Emulation.mount(for: process, in: root, scratch: scratch.path) {
            process.mounts.append(mount)
        }

        let identifier = "whittle-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        return try scratch.withBundle(identifier) { directory in
            let files = try StepFiles(process, in: directory)
            try files.write()
            if try root.status(of: process.workingDirectory) == nil {
                let owner = FileOwner(uid: user.uid, gid: user.gid)
                try root.makeDirectories(process.workingDirectory, DirectoryCreation(owner: owner))
            }
            var spec = RuntimeSpec.container(for: process, root: path, user: user, mounts: files.mounts)
            spec.process.terminal = attachment?.terminal
            let targets = try spec.mounts.map { mount in
                MountStubs.Target(mount.target, isDirectory: try files.isDirectory(mount))
            }
            var bundle = RuntimeBundle(identifier: identifier, directory: directory, spec: spec)
            return try withCgroup(process.resources, identifier) { cgroup in
                bundle.cgroup = cgroup
                return try MountStubs.withStubs(for: targets, in: root) {
                    try runtime.run(bundle, attachment: attachment, cancellation: cancellation, receive: receive)
                }
            }
        }
    }
}

extension StepProcess {
    /// - Throws: `BuildError` (`invalid-step`).
    func validate() throws(BuildError) {
        guard let program = arguments.first, !program.isEmpty else {
            throw BuildError.invalidStep("it has no program to run")
        }
        guard workingDirectory.utf8.first == UInt8(ascii: "/") else {
            throw BuildError.invalidStep("its working directory '\(workingDirectory)' is not absolute")
        }
        for (index, argument) in arguments.enumerated() where argument.utf8.contains(0) {
            throw BuildError.invalidStep("its argument \(index) holds a NUL byte")
        }
        for variable in environment + secretEnvironment.revealed where variable.utf8.contains(0) {
            let name = variable.split(separator: "=", omittingEmptySubsequences: false).first ?? ""
            throw BuildError.invalidStep("its environment variable '\(name)' holds a NUL byte")
        }
        for mount in mounts where mount.target.utf8.first != UInt8(ascii: "/") || mount.target.utf8.contains(0) {
            throw BuildError.invalidStep(
                "its mount target '\(BuildError.printable(mount.target))' is not an absolute path")
        }
    }
}
