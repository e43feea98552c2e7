internal import Glibc
internal import Synchronization
internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem
package import WhittleGraph
internal import WhittlePrograms
package import WhittleStore

/// The git repositories of a store, and what references of theirs mean in one build.
///
/// Each is a bare repository of its own below `git/` of the store, by the address without credentials. It holds what was
/// fetched, named `refs/whittle/COMMIT`. Its directory may be removed at any time that its lock is free.
package final class GitRepositories: Sendable {
    private let layout: StoreLayout
    private let secrets: [String: Redacted<[UInt8]>]
    private let agent: @Sendable (GitSource) throws -> String?
    let limit: ByteCount?
    /// So that one build sees one state, however often it names a repository.
    private let known = Mutex<[String: GitRevision]>([:])

    /// - Parameters:
    ///   - secrets: those of the build, some of which may be for git, see ``GitAccess``.
    ///   - limit: what the files of a tree may be in all; `nil` for any size.
    ///   - agent: gives the socket of the SSH agent for a source that needs one.
    package init(
        _ layout: StoreLayout, secrets: [String: Redacted<[UInt8]>], limit: ByteCount?,
        agent: @escaping @Sendable (GitSource) throws -> String?
    ) {
        self.layout = layout
        self.secrets = secrets
        self.limit = limit
        self.agent = agent
    }

    /// What the reference of `source` means now. Asks the server, unless a whole commit is named or this build has asked.
    ///
    /// - Throws: `program-missing`, `git-reference-not-found`, `git-checksum-mismatch`, `git-unauthorized`,
    ///   `git-repository-not-found`, `git-failed`, those of the agent; `CancellationError`.
    package func resolve(_ source: GitSource) async throws -> GitRevision {
        let revision = try await revision(of: source)
        if let checksum = source.checksum, !source.isFetchedByCommit, !revision.matches(checksum) {
            throw BuildError.gitChecksumMismatch(source, expected: checksum, found: revision)
        }
        return revision
    }

    private func revision(of source: GitSource) async throws -> GitRevision {
        if GitSource.isCommit(source.reference) { return GitRevision(object: source.reference) }
        if source.isFetchedByCommit, let commit = source.checksum {
            let reference = source.reference
            return GitRevision(
                object: commit,
                name: reference.isEmpty ? nil : reference.hasPrefix("refs/") ? reference : "refs/heads/" + reference)
        }
        let lock = try await layout.lock("git-question-" + Self.key(source.remote + "#" + source.reference))
        defer { lock.release() }
        let key = "\(source.remote)#\(source.reference)"
        if let revision = known.withLock({ $0[key] }) { return revision }
        let revision = try await BlockingPool.shared.runCancellable { [self] cancellation in
            try ask(source, cancellation)
        }
        known.withLock { $0[key] = revision }
        return revision
    }

    private func ask(_ source: GitSource, _ cancellation: Cancellation) throws -> GitRevision {
        let purpose = "asking '\(BuildError.printable(source.remote))'"
        let git = try GitProgram(for: purpose)
        let arguments = ["ls-remote", "--quiet", "--symref", "--", source.remote]
        let result = try Self.translating(purpose) {
            try git.run(
                arguments + GitListing.patterns(for: source.reference), .network(try access(source)),
                cancellation: cancellation)
        }
        guard result.exitCode == 0 else { throw BuildError.git(purpose, source, result) }
        guard
            let revision = GitListing(parsing: String(decoding: result.output, as: UTF8.self))
                .revision(of: source.reference)
        else { throw BuildError.gitReferenceNotFound(source) }
        return revision
    }

    /// What the repository of `source` is reached with.
    func access(_ source: GitSource) throws -> GitAccess {
        guard source.transport == .ssh else {
            return try GitAccess(source, secrets: secrets, agent: nil, knownHosts: [])
        }
        try Self.makeDirectory(directory)
        var files = [directory + "/known_hosts"]
        if let home = GitProgram.variable("HOME"), access(home + "/.ssh/known_hosts", R_OK) == 0 {
            files.append(home + "/.ssh/known_hosts")
        }
        return try GitAccess(source, secrets: secrets, agent: try agent(source), knownHosts: files)
    }

    private func access(_ path: String, _ mode: CInt) -> CInt { Glibc.access(path, mode) }

    /// Runs `body`, and says what went wrong with the program itself.
    static func translating<Value>(_ purpose: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let failure as HelperProgram.Failure {
            throw BuildError.git(purpose, failure)
        }
    }

    // MARK: On disk

    private var directory: String { layout.repositories }

    private static func key(_ remote: String) -> String { Digest(hashing: "whittle.git.v1 " + remote).hex }

    private static func makeDirectory(_ path: String) throws(BuildError) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw .fileSystem("make directory", path, .init(rawValue: errno))
    }

    /// Runs `body` with the bare repository of `source`, which has `revision` then; nobody else uses it meanwhile.
    func withRepository<Value: Sendable>(
        of source: GitSource, _ revision: GitRevision,
        _ body: @escaping @Sendable (String, Cancellation) throws -> Value
    ) async throws -> Value {
        let key = Self.key(source.remote)
        let lock = try await layout.lock("git-" + key)
        defer { lock.release() }
        let path = directory + "/" + key
        return try await BlockingPool.shared.runCancellable { [self] cancellation in
            try Self.makeDirectory(directory)
            do {
                try fetch(source, revision, into: path, cancellation)
                return try body(path, cancellation)
            } catch is DamagedRepository {
                // Left by a git that was killed, or damaged: it is a cache, and is made anew. Once.
                try TreeRemoval.remove(path)
                do {
                    try fetch(source, revision, into: path, cancellation)
                    return try body(path, cancellation)
                } catch let damaged as DamagedRepository {
                    throw damaged.error
                }
            }
        }
    }

    /// git blames what is on disk.
    struct DamagedRepository: Error {
        let error: BuildError
    }

    private func fetch(
        _ source: GitSource, _ revision: GitRevision, into path: String, _ cancellation: Cancellation
    ) throws {
        let purpose = "fetching '\(BuildError.printable(source.shownAddress))'"
        // The time of the directory is that of its last use, by which a collection goes.
        defer { try? Syscall.changeTimes(path, to: .now) }
        try GitFetch(
            git: try GitProgram(for: purpose), purpose: purpose, source: source, revision: revision, path: path,
            access: { try self.access(source) }, cancellation: cancellation
        ).run()
    }
}
