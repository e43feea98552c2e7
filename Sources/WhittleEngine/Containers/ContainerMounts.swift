internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleRuntime
internal import WhittleStore

/// Makes what a container's mounts show.
struct ContainerMounts: Sendable {
    let store: BuildStore
    /// The container's file system, mounted: where new volumes get their first contents from.
    let root: String
    let held: HeldMounts

    /// The mounts for the container's process.
    ///
    /// - Parameter volumes: the paths that the image calls volumes. They get a directory of their own where the rest cannot be
    ///   written; otherwise what is written there goes with the container in any case.
    func prepare(_ request: ContainerRequest, volumes: Set<String>) async throws -> [StepMount] {
        var mounts = request.mounts
        if request.isRootReadOnly {
            let taken = Set(mounts.map(\.target))
            mounts += volumes.sorted().filter { !taken.contains($0) }.map {
                .volume(name: nil, target: $0, isReadOnly: false)
            }
        }
        var result: [StepMount] = []
        for mount in mounts { result.append(try await prepare(mount)) }
        return result
    }

    private func prepare(_ mount: ContainerMount) async throws -> StepMount {
        switch mount {
        case .tmpfs(let target, let size, let mode):
            return .tmpfs(target: target, size: size, mode: mode)
        case .bind(let source, let target, let isReadOnly, let createsSource):
            if access(source, F_OK) != 0 {
                guard createsSource, errno == ENOENT else {
                    throw BuildError.bindSourceNotFound(source, target, String(cString: strerror(errno)))
                }
                try RootDirectory("/").makeDirectories(source, DirectoryCreation(mode: 0o755))
            }
            return .bind(source: source, target: target, isReadOnly: isReadOnly)
        case .volume(nil, let target, let isReadOnly):
            let directory = try store.scratch.makeDirectory("volume", mode: 0o755)
            held.add { try TreeRemoval.remove(directory) }
            try await fill(directory, from: target)
            return .bind(source: directory, target: target, isReadOnly: isReadOnly)
        case .volume(let name?, let target, let isReadOnly):
            return .bind(source: try await volume(name, for: target), target: target, isReadOnly: isReadOnly)
        }
    }

    /// The directory of a named volume. A new one is made aside and renamed, so that nobody sees half of it.
    private func volume(_ name: String, for target: String) async throws -> String {
        let path = store.layout.volumes + "/" + name
        let lock = try await store.layout.lock("volume-" + name)
        defer { lock.release() }
        if access(path, F_OK) == 0 { return path }
        try RootDirectory(store.layout.root).makeDirectories("/volumes", DirectoryCreation(mode: 0o700))
        let fresh = try store.scratch.makeDirectory("volume", mode: 0o755)
        try await fill(fresh, from: target)
        guard rename(fresh, path) == 0 else {
            throw BuildError.fileSystem("make volume", path, .init(rawValue: errno))
        }
        return path
    }

    /// Copies what the image has at `target` into a new volume.
    private func fill(_ directory: String, from target: String) async throws {
        let image = try RootDirectory(root)
        guard try image.status(of: target)?.isDirectory ?? false else { return }
        let source = root + (try image.resolved(target))
        try await BlockingPool.shared.runCancellable { cancellation in
            let tree = SourceTree(try RootDirectory(source), kind: .image)
            let plan = try CopyPlan(
                CopyRequest(sources: ["/"], destination: "/"), from: tree, cancellation: cancellation)
            let copy = try RootDirectory(directory)
            try TreeCopier.execute(plan, into: copy, cancellation: cancellation)
            // The root of a copy keeps its own owner and mode.
            guard let status = try image.status(of: target) else { return }
            guard chown(directory, status.owner.uid, status.owner.gid) == 0,
                chmod(directory, mode_t(status.permissions)) == 0
            else { throw BuildError.fileSystem("change", directory, .init(rawValue: errno)) }
        }
    }
}

extension BuildError {
    static func bindSourceNotFound(_ source: String, _ target: String, _ reason: String) -> BuildError {
        BuildError(
            .mountSourceNotFound, "mounting '\(printable(source))' at '\(printable(target))': \(reason.lowercased())",
            hint: "name a file or directory of this machine; a volume has a name without '/'")
    }
}
