internal import Glibc
internal import WhittleCore
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleRegistry
package import WhittleRuntime
internal import WhittleSnapshot
internal import WhittleStore

/// Runs images of the store as containers, each from its start to its end.
package struct ContainerRunner: Sendable {
    private let store: BuildStore
    private let pool = BlockingPool.shared

    package init(store: BuildStore) { self.store = store }

    /// Runs the container that `request` describes, and removes it.
    ///
    /// What it writes goes to a layer of its own, which is dropped; what it writes to mounts stays there. When the task is
    /// cancelled, the container is brought to its end first. Nothing stays mounted or running.
    ///
    /// - Parameters:
    ///   - attachment: input, terminal and signals.
    ///   - receive: gets what the container writes, one chunk after the other; it waits while this does not return.
    /// - Returns: the exit code of the container's first process.
    /// - Throws: `BuildError` (`unknown-image`, `wrong-platform`, `no-command`, `container-exists`,
    ///   `mount-source-not-found` and those of `StepRunner`); `CancellationError`.
    package func run(
        _ request: ContainerRequest, attachment: ProcessAttachment,
        receive: @escaping @Sendable (StepOutput) -> Void
    ) async throws -> Int32 {
        let name = try request.name.map { try hold($0) }
        defer { name?.release() }
        let image = try await resolve(request)
        let identifier = String((0..<12).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        let process = try ContainerProcess(
            request: request, configuration: image.configuration.config,
            hasTerminal: attachment.terminal != nil, identifier: identifier
        ).process()
        let snapshot = try await unpack(image)
        let held = HeldMounts()
        let result: Result<Int32, any Error>
        do {
            let root = try await pool.run { try mount(snapshot, held) }
            let mounts = ContainerMounts(store: store, root: root, held: held)
            var process = process
            process.mounts = try await mounts.prepare(request, volumes: image.configuration.config.volumes)
            let runner = try await pool.run { try self.runner(request.runtime, held) }
            result = .success(
                try await runner.run(process, root: root, attachment: attachment, receive: receive).code)
        } catch {
            result = .failure(error)
        }
        // In a task of its own, so that it is done after a cancellation too; awaited at once.
        let cleanUp = await Task { try await pool.run { try held.release() } }.result
        if case (.success, .failure(let failure)) = (result, cleanUp) { throw failure }
        return try result.get()
    }

    private func hold(_ name: String) throws(BuildError) -> KeyLock {
        guard let lock = try store.layout.tryLock("container-" + name) else { throw .containerExists(name) }
        return lock
    }

    /// Finds the image, and checks that this machine can run it.
    private func resolve(_ request: ContainerRequest) async throws -> ResolvedImage {
        let stored = try ImageStoreReader(names: store.names, blobs: store.blobs).find(request.image)
        let wanted = request.platform ?? .host
        let source = try OCILayoutSource(
            OCILayoutLocation(directory: store.layout.root, digest: stored.target.digest))
        do {
            return try await source.resolve(wanted)
        } catch let error as BuildError where error.code == .wrongPlatform {
            throw BuildError.otherPlatform(
                request.image, stored.configuration.platform, wanted: wanted, isChosen: request.platform != nil)
        }
    }

    /// Makes sure that the image's layers are unpacked.
    private func unpack(_ image: ResolvedImage) async throws -> SnapshotID? {
        let source = try OCILayoutSource(
            OCILayoutLocation(directory: store.layout.root, digest: image.descriptor.digest))
        let step = Step(internal: "unpacking \(image.descriptor.digest)")
        let layers = try ImagePuller.layers(of: image)
        try await LayerFetch(store: store, source: source, step: step, limit: nil, report: { _ in })
            .bring(layers, atOnce: ImagePuller.transferLimit)
        return layers.last.map { SnapshotID(chainID: $0.chainID) }
    }

    private func mount(_ snapshot: SnapshotID?, _ held: HeldMounts) throws -> String {
        let active = try store.snapshots.prepare(parent: snapshot)
        held.add { [store] in try store.snapshots.remove(active) }
        let root = try store.scratch.makeDirectory("root", mode: 0o755)
        try Mount.overlay(lower: active.lower, upper: active.upper, work: active.work, at: root)
        held.add { try Mount.unmount(root) }
        return root
    }

    private func runner(_ runtime: String, _ held: HeldMounts) throws -> StepRunner {
        let scratch = try ScratchSpace(mountedOver: store.scratch.makeDirectory("steps"))
        held.add { try Mount.unmount(scratch.path) }
        let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        let program = try RuntimeProgram(runtime, searchPath: search)
        return StepRunner(runtime: CommandRuntime(program, stateDirectory: scratch.statePath), scratch: scratch)
    }
}

extension BuildError.Code {
    /// Another container of the store has the name.
    static let containerExists = Self(rawValue: "container-exists")
}

extension BuildError {
    static func containerExists(_ name: String) -> BuildError {
        BuildError(
            .containerExists, "the name '\(name)' is that of a running container",
            hint: "wait for its end, or choose another name")
    }

    static func otherPlatform(_ image: String, _ found: Platform, wanted: Platform, isChosen: Bool) -> BuildError {
        BuildError(
            .wrongPlatform,
            isChosen
                ? "the image '\(printable(image))' is for \(found), not for \(wanted)"
                : "the image '\(printable(image))' is for \(found), and this machine runs \(wanted)",
            hint: isChosen
                ? "build it with --platform=\(wanted)"
                : "build it with --platform=\(wanted); or try it with --platform=\(found), "
                    + "which takes an emulator (qemu-user-static)")
    }
}
