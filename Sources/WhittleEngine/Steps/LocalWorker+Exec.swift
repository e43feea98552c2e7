internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGitRemote
internal import WhittleGraph
internal import WhittleRuntime
internal import WhittleSSH
internal import WhittleSnapshot
internal import WhittleStore

extension LocalWorker {
    /// Runs the command of `op` over its root and commits what it changed.
    func run(_ op: ExecOp, _ vertex: Vertex, _ inputs: [StepResult]) async throws -> SnapshotID? {
        let runner: StepRunner = try await pool.run { [self] in try self.runner() }
        let step = Step(vertex)
        let held = HeldMounts()
        do {
            var process = StepProcess(
                arguments: op.arguments, environment: op.environment + op.uncachedEnvironment,
                secretEnvironment: try secretEnvironment(op, vertex), workingDirectory: op.workingDirectory,
                user: op.user, network: op.network == .none ? .none : .host,
                security: op.security == .insecure ? .insecure : .sandbox)
            try Self.apply(op, to: &process)
            process.resources = resources
            if !op.devices.isEmpty {
                let registry = try DeviceRegistry(deviceDirectories)
                for device in op.devices {
                    try registry.apply(device.name, isRequired: device.isRequired, to: &process)
                }
            }
            let caches = try await cacheDirectories(op, vertex, inputs, held)
            for (position, mount) in op.mounts.enumerated() {
                if case .cache(let cache) = mount, let path = caches[position] {
                    process.mounts.append(.bind(source: path, target: cache.target, isReadOnly: cache.isReadOnly))
                } else if let mount = try await prepare(mount, of: op, vertex, inputs, held) {
                    process.mounts.append(mount)
                }
            }
            let given = StepSecrets(op, secrets)
            let output = RedactedOutput(given) { [report] stream, bytes in
                report(.output(step, stream: stream, bytes: bytes))
            }
            let parent = op.rootInput.flatMap { inputs[$0].snapshot }
            let mountedOver: @Sendable () -> [String] = { [process] in
                ["/etc/resolv.conf", "/etc/hosts"] + op.mounts.map(\.target) + process.deviceMounts.map(\.target)
                    + StepRunner.unaskedMounts
            }
            let (id, _) = try await WritableRoot(store: store, mountPoints: mountPoints, pool: pool).change(
                parent, mountedOver: mountedOver
            ) { [process] root, changes in
                defer { output.finish() }
                do {
                    let exit = try await runner.run(process, root: root) { output.take($0) }
                    guard exit.isSuccess else { throw BuildError.stepFailed(vertex, op, exit) }
                } catch let error as BuildError {
                    output.finish()
                    try await failures.offer(process, in: root, by: runner, step, error)
                    throw error
                }
                if let leak = try await given.leak(in: changes, pool: pool, vertex, op) {
                    guard op.allowsSecretLeak else { throw leak }
                    report(.warning(BuildWarning(leak.message, at: vertex.metadata.location)))
                }
            }
            try held.release()
            return id
        } catch {
            do { try held.release() } catch let failure { throw BuildError.cleanUp(failure, after: error) }
            throw (error as? BuildError)?.located(at: vertex.metadata.location) ?? error
        }
    }

    /// What the op says of the process besides its command and its mounts.
    private static func apply(_ op: ExecOp, to process: inout StepProcess) throws {
        process.extraHosts = op.extraHosts.map { StepProcess.HostAddress(name: $0.name, address: $0.address) }
        if let hostname = op.hostname { process.hostname = hostname }
        process.sharedMemory = op.sharedMemory.map { ByteCount($0) }
        for limit in op.limits {
            process.limits["RLIMIT_" + limit.name.uppercased()] = RuntimeSpec.Limit(soft: limit.soft, hard: limit.hard)
        }
        if op.security == .insecure { try process.addPrivileges() }
    }

    private func secretEnvironment(_ op: ExecOp, _ vertex: Vertex) throws -> Redacted<[String]> {
        var variables: [String] = []
        for secret in op.secretEnvironment {
            guard let value = secrets[secret.id] else {
                guard !secret.isRequired else {
                    throw BuildError.secretMissing(secret.id, given: secrets.keys.sorted(), at: vertex)
                }
                continue
            }
            variables.append(secret.name + "=" + String(decoding: value.revealed, as: UTF8.self))
        }
        return Redacted(variables)
    }

    /// What the container is to find for `mount`, which is no cache, or `nil` where there is nothing to mount.
    private func prepare(
        _ mount: ExecMount, of op: ExecOp, _ vertex: Vertex, _ inputs: [StepResult], _ held: HeldMounts
    ) async throws -> StepMount? {
        switch mount {
        case .tmpfs(let target, let size):
            return .tmpfs(target: target, size: size.map { ByteCount($0) })
        case .secret(let secret):
            guard let value = secrets[secret.id] else {
                guard !secret.isRequired else {
                    throw BuildError.secretMissing(secret.id, given: secrets.keys.sorted(), at: vertex)
                }
                return nil
            }
            return .secret(value, target: secret.target, uid: secret.uid, gid: secret.gid, mode: UInt32(secret.mode))
        case .ssh(let ssh):
            let proxy = try await pool.runCancellable { [agents] in
                try agents.proxy(
                    ssh.id, owner: FileOwner(uid: ssh.uid, gid: ssh.gid), mode: UInt32(ssh.mode), cancellation: $0)
            }
            guard let proxy else {
                guard !ssh.isRequired else {
                    throw BuildError.sshMissing(
                        ssh.id, for: "running '\(vertex.metadata.name)'", given: agents.identifiers,
                        at: vertex.metadata.location)
                }
                return nil
            }
            held.add { try proxy.close() }
            return .socket(path: proxy.path, target: ssh.target)
        case .cache: return nil
        case .bind(let input, let source, let target, let isReadOnly):
            let result = input.map { inputs[$0] } ?? .snapshot(nil, latestInput: Timestamp(seconds: 0))
            // The places of mounts inside it have to be made somewhere: not in the user's directory, which is mounted as
            // it is, and not in a stage, which cannot be written to.
            let inner = op.mounts.filter { $0.target.hasPrefix(target + "/") }
            guard !isReadOnly || !inner.isEmpty else {
                let path = try await readableSource(of: result, source, target, vertex, held)
                return .bind(source: path, target: target, isReadOnly: true)
            }
            let path = try await writableSource(of: result, source, target, vertex, held)
            try Self.makePlaces(for: inner, below: target, in: path)
            return .bind(source: path, target: target, isReadOnly: isReadOnly)
        }
    }

    /// Makes what mounts inside another one are to cover, as far as it is not there.
    ///
    /// Not for bind mounts, of which only the runtime knows whether they are directories; crun makes their places.
    private static func makePlaces(for mounts: [ExecMount], below target: String, in path: String) throws(BuildError) {
        // A file has no places inside it, as the runtime is about to say.
        guard let root = try? RootDirectory(path) else { return }
        for mount in mounts {
            let place = String(mount.target.dropFirst(target.count))
            guard try root.status(of: place) == nil else { continue }
            let directory = DirectoryCreation(mode: 0o755, owner: .root)
            switch mount {
            case .cache, .tmpfs: try root.makeDirectories(place, directory)
            case .secret, .ssh:
                let parent = place.prefix(upTo: place.lastIndex(of: "/") ?? place.startIndex)
                try root.makeDirectories(parent.isEmpty ? "/" : String(parent), directory)
                try root.writeFile(place, [], mode: 0o600)
            case .bind: break
            }
        }
    }

    /// The path on this machine of `source` inside `result`, for reading.
    func readableSource(
        of result: StepResult, _ source: String, _ target: String, _ vertex: Vertex, _ held: HeldMounts
    ) async throws -> String {
        let root =
            switch result {
            case .snapshot(let id, _): try await mounts.path(of: id)
            case .local(let local): try await contexts.visibleDirectory(of: local, in: store.scratch, held)
            case .download(let file): try await pool.run { try file.directory() }
            case .repository(let files): try await files.tree().directory
            }
        return try path(of: source, in: root, target, vertex)
    }

    /// Like ``readableSource``, but what is written there is kept apart and dropped after the step.
    private func writableSource(
        of result: StepResult, _ source: String, _ target: String, _ vertex: Vertex, _ held: HeldMounts
    ) async throws -> String {
        let lower: [String] =
            switch result {
            case .snapshot(let id, _): if let id { try store.snapshots.layers(of: id) } else { [] }
            case .local(let local): [try await contexts.visibleDirectory(of: local, in: store.scratch, held)]
            case .download(let file): [try await pool.run { try file.directory() }]
            case .repository(let files): [try await files.tree().directory]
            }
        let directory = try store.scratch.makeDirectory("bind")
        held.add { try TreeRemoval.remove(directory) }
        let root = RootPaths(directory)
        for path in [root.upper, root.work, root.mount] { try Syscall.makeDirectory(path, mode: 0o755) }
        try Mount.overlay(lower: lower, upper: root.upper, work: root.work, at: root.mount)
        held.add { try Mount.unmount(root.mount) }
        return try path(of: source, in: root.mount, target, vertex)
    }

    private func path(of source: String, in root: String, _ target: String, _ vertex: Vertex) throws -> String {
        let directory = try RootDirectory(root)
        guard try directory.status(of: source) != nil else {
            throw BuildError.mountSourceNotFound(source, target: target, at: vertex)
        }
        let resolved = try directory.resolved(source)
        return resolved == "/" ? root : root + resolved
    }

    private struct RootPaths {
        let upper: String
        let work: String
        let mount: String

        init(_ directory: String) {
            upper = directory + "/upper"
            work = directory + "/work"
            mount = directory + "/mount"
        }
    }
}

/// What a step holds while it runs, to be given back in reverse order.
final class HeldMounts: Sendable {
    private let actions = Mutex<[@Sendable () throws -> Void]>([])

    /// Adds something to do at the end.
    func add(_ action: @escaping @Sendable () throws -> Void) { actions.withLock { $0.append(action) } }

    /// Gives everything back. Errors do not stop it; the first one is thrown at the end.
    func release() throws {
        var failure: (any Error)?
        while let action = actions.withLock({ $0.popLast() }) {
            do { try action() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
