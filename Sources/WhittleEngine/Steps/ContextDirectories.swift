internal import Synchronization
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleStore

/// The directories of the user's machine that the targets of one build read: the build context and named contexts, in place.
final class ContextDirectories: Sendable {
    private let directories: [String: String]
    /// Those that were unpacked for this build: nothing of them is worth remembering.
    private let temporary: Set<String>
    private let layout: StoreLayout
    private let scratch: ProcessScratch
    private let state = Mutex(State())

    private struct State {
        var trees: [LocalSource: SourceTree] = [:]
        var indexes: [LocalSource: FileIndex] = [:]
        var latestInputs: [InputKey: Timestamp] = [:]
    }

    private struct InputKey: Hashable {
        let vertex: Digest
        let input: Int
    }

    /// - Parameter requests: where there are several, ``WhittleFrontend/BuildOptions/localNames`` keep their directories
    ///   apart.
    init(_ requests: [BuildRequest], _ store: BuildStore) {
        var directories: [String: String] = [:]
        var temporary: Set<String> = []
        for request in requests {
            let names = request.options.localNames
            for (name, path) in request.localDirectories { directories[names[name] ?? name] = path }
            if request.remoteContext != nil { temporary.insert(names["context"] ?? "context") }
        }
        self.directories = directories
        self.temporary = temporary
        layout = store.layout
        scratch = store.scratch
    }

    /// The directory as the user named it.
    func path(of local: LocalSource) throws(BuildError) -> String {
        guard let path = directories[local.name] else { throw .contextMissing(local.name) }
        return path
    }

    /// The files of a context that are not ignored. Each directory is listed once in a build.
    func tree(of local: LocalSource) throws -> SourceTree {
        let path = try path(of: local)
        return try state.withLock { state in
            if let tree = state.trees[local] { return tree }
            let root = try RootDirectory(path, rule: .contained, name: local.shownName)
            let status = try Syscall.status(root.descriptor)
            // The same directory under another path is the same context.
            let index =
                temporary.contains(local.name)
                ? nil : FileIndex(layout.contexts + "/\(status.device)-\(status.inode)")
            let tree = SourceTree(
                root, kind: .context, filter: try TreeFilter(ignoring: local.ignorePatterns), index: index)
            state.trees[local] = tree
            state.indexes[local] = index
            return tree
        }
    }

    /// Keeps what was learnt about files for the next build.
    func saveIndexes() throws {
        let (trees, indexes) = state.withLock { ($0.trees, $0.indexes) }
        for (local, tree) in trees { try indexes[local]?.save(tree, by: scratch.path) }
    }

    /// Notes how new the files are that an input of a vertex reads.
    func note(_ time: Timestamp, vertex: Digest, input: Int) {
        state.withLock { $0.latestInputs[InputKey(vertex: vertex, input: input)] = time }
    }

    /// What was noted for an input.
    func latestInput(of vertex: Digest, input: Int) -> Timestamp {
        state.withLock { $0.latestInputs[InputKey(vertex: vertex, input: input)] } ?? Timestamp(seconds: 0)
    }

    /// A directory that holds what of the context is not ignored, for a mount: the context itself where nothing is ignored,
    /// else a copy that goes with `held`.
    func visibleDirectory(
        of local: LocalSource, in scratch: ProcessScratch, _ held: HeldMounts
    ) async throws -> String {
        guard !local.ignorePatterns.isEmpty else { return try RootDirectory(path(of: local)).path }
        let tree = try tree(of: local)
        let directory = try scratch.makeDirectory("context", mode: 0o755)
        held.add { try TreeRemoval.remove(directory) }
        try await BlockingPool.shared.runCancellable { cancellation in
            let plan = try CopyPlan(
                CopyRequest(sources: ["/"], destination: "/"), from: tree, cancellation: cancellation)
            try TreeCopier.execute(plan, into: RootDirectory(directory), cancellation: cancellation)
        }
        return directory
    }
}
