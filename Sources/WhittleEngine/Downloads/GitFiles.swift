internal import Synchronization
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleGitRemote
internal import WhittleGraph
internal import WhittleStore

/// A tree of a git repository as the file system that steps read. It is fetched and written when somebody reads it: where the
/// commit has not changed, nobody does.
package final class GitFiles: Sendable {
    /// Equal for equal trees; times are no part of it.
    package let identity: Digest
    private let checkout: GitCheckout
    private let name: String
    private let store: BuildStore
    private let written = Mutex<GitCheckout.Tree?>(nil)

    init(_ source: GitSource, _ revision: GitRevision, in repositories: GitRepositories, store: BuildStore) {
        checkout = GitCheckout(source, revision, in: repositories)
        identity = checkout.identity
        name = "the repository '\(source.shownAddress)'"
        self.store = store
    }

    /// When the commit was made; 1970 where nobody has read the files.
    var time: Timestamp { written.withLock { $0?.time } ?? Timestamp(seconds: 0) }

    func sourceTree() async throws -> SourceTree {
        SourceTree(try RootDirectory(try await tree().directory, name: name), kind: .image)
    }

    /// The files on disk; they go with the process.
    func tree() async throws -> GitCheckout.Tree {
        if let tree = written.withLock({ $0 }) { return tree }
        // Two steps that read them wait for each other.
        let lock = try await store.layout.lock("git-tree-\(store.scratch.path)-\(identity.hex)")
        defer { lock.release() }
        if let tree = written.withLock({ $0 }) { return tree }
        let tree = try await Self.write(checkout, in: store)
        written.withLock { $0 = tree }
        return tree
    }

    /// Writes `checkout` below the scratch directory of the process.
    static func write(_ checkout: GitCheckout, in store: BuildStore) async throws -> GitCheckout.Tree {
        let directory = try store.scratch.makeDirectory("git", mode: 0o755)
        do {
            return try await checkout.write(to: directory)
        } catch {
            // The first error matters; what is left goes with the process.
            try? TreeRemoval.remove(directory)
            throw error
        }
    }
}

extension StepResult {
    /// What identifies files that were fetched: what is read from them need not be computed again.
    var fetchedIdentity: Digest? {
        switch self {
        case .download(let file): file.identity
        case .repository(let files): files.identity
        case .snapshot, .local: nil
        }
    }
}

extension StepProgress {
    /// Says which commit a reference means.
    static func commit(_ revision: GitRevision) -> StepProgress {
        let name = revision.name.map { " (\($0))" } ?? ""
        return StepProgress(name: "commit \(revision.commit)\(name)", current: .zero, total: nil, isDone: true)
    }
}
