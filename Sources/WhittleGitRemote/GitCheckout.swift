internal import Glibc
package import WhittleCore
internal import WhittleFileSystem
package import WhittleGraph
internal import WhittlePrograms

/// One commit of a repository as files.
package struct GitCheckout: Sendable {
    private let source: GitSource
    private let revision: GitRevision
    private let repositories: GitRepositories

    package init(_ source: GitSource, _ revision: GitRevision, in repositories: GitRepositories) {
        self.source = source
        self.revision = revision
        self.repositories = repositories
    }

    /// A tree that was written.
    package struct Tree: Hashable, Sendable {
        /// The directory that was asked for.
        package let directory: String
        /// When the commit was made.
        package let time: Timestamp
    }

    /// Equal for equal trees; times are no part of it.
    package var identity: Digest {
        var hasher = SHA256Hasher()
        var fields = ["whittle.git.v1", revision.commit, source.subdirectory, "\(source.hasSubmodules)"]
        // A relative address of a submodule depends on that of the repository, which stands in .git, too.
        fields.append(source.keepsRepository || source.hasSubmodules ? source.remote : "")
        if keepsRepository { fields += [revision.object, revision.name ?? ""] }
        for field in fields { hasher.update(field: field) }
        return hasher.finalize()
    }

    /// `.git` is at the top of a repository, and so of no directory in it.
    private var keepsRepository: Bool { source.keepsRepository && source.subdirectory.isEmpty }

    /// Writes the files below `directory`, which is empty, after fetching what is missing.
    ///
    /// Files have mode 644 or 755, and the time of the commit; links are as the commit has them, and are not followed. There
    /// are no `.git` in it unless the source keeps the repository.
    ///
    /// - Throws: those of ``GitRepositories/resolve(_:)``; `git-directory-not-found`, `git-too-large`, `file-system`;
    ///   `CancellationError`. What is in `directory` then is to be removed.
    package func write(to directory: String) async throws -> Tree {
        try await repositories.withRepository(of: source, revision) { repository, cancellation in
            try Work(
                source: source, revision: revision, repositories: repositories, repository: repository,
                keepsRepository: keepsRepository, directory: directory, cancellation: cancellation,
                git: GitProgram(for: "checking out '\(BuildError.printable(source.shownAddress))'")
            ).write()
        }
    }
}

/// The writing of one tree.
private struct Work {
    let source: GitSource
    let revision: GitRevision
    let repositories: GitRepositories
    /// The bare repository.
    let repository: String
    let keepsRepository: Bool
    let directory: String
    let cancellation: Cancellation
    let git: GitProgram

    private var purpose: String { "checking out '\(BuildError.printable(source.shownAddress))'" }
    private var commit: String { revision.object + "^{commit}" }

    func write() throws -> GitCheckout.Tree {
        let time = try commitTime()
        if let limit = repositories.limit { try checkSize(limit) }
        let hasSubmodules = try source.hasSubmodules && succeeds(["cat-file", "-e", commit + ":.gitmodules"])
        if keepsRepository || hasSubmodules {
            try writeClone(withSubmodules: hasSubmodules)
        } else {
            try writeFiles()
        }
        try GitTree(
            directory, removesRepositories: !keepsRepository,
            time: source.keepsCheckoutTimes ? nil : FileTime(seconds: time.seconds), limit: repositories.limit,
            cancellation: cancellation
        ).normalise { BuildError.gitTooLarge(source, limit: $0) }
        return GitCheckout.Tree(directory: try chosenDirectory(), time: time)
    }

    private func commitTime() throws -> Timestamp {
        let output = try run(["show", "--no-patch", "--format=%ct", commit])
        let text = String(decoding: output, as: UTF8.self).filter { !$0.isWhitespace }
        guard let seconds = Int64(text) else {
            throw BuildError(.gitFailed, "\(purpose): the commit has no time that git can tell")
        }
        // Before 1970, and in a year that no file has, there is nothing to be had from it.
        return Timestamp(seconds: min(max(0, seconds), 253_402_300_799))
    }

    /// Adds up what would be written, so that a tree that is large by repetition fills no disk.
    private func checkSize(_ limit: ByteCount) throws {
        var total: Int64 = 0
        var field: [UInt8] = []
        _ = try run(["ls-tree", "-r", "-l", "--full-tree", "-z", commit]) { bytes in
            for byte in bytes {
                // Up to the tab: mode, type, object and size, which is '-' for a submodule.
                guard byte == 0 else {
                    if field.count < 256 { field.append(byte) }
                    continue
                }
                let words = field.prefix { $0 != 0x09 }.split(separator: 0x20)
                total += 512 + (words.last.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0)
                field.removeAll(keepingCapacity: true)
                guard total <= limit.bytes else { throw BuildError.gitTooLarge(source, limit: limit) }
            }
        }
    }

    /// The files alone, with an index that is dropped.
    private func writeFiles() throws {
        let index = repository + "/whittle-index"
        unlink(index)
        unlink(index + ".lock")
        defer { unlink(index) }
        _ = try run(
            ["--work-tree", directory, "read-tree", "--reset", "-u", commit], variables: ["GIT_INDEX_FILE=\(index)"])
    }

    /// A repository with a work tree, of the one commit.
    private func writeClone(withSubmodules: Bool) throws {
        let format = revision.object.utf8.count == 64 ? ["--object-format=sha256"] : []
        try runInside(["init", "--quiet"] + format)
        try runInside(["remote", "add", "origin", source.remote])
        let own = "refs/whittle/\(revision.object)"
        // Over the file protocol: a clone that links files of another repository has been abused.
        try runInside(
            ["fetch", "--quiet", "--no-tags", "--update-head-ok", "--depth=1", "--no-write-fetch-head", "--"]
                + ["file://\(repository)", "+\(own):\(revision.name.flatMap(Self.kept) ?? own)"])
        try runInside(["checkout", "--quiet", "--detach", revision.object + "^{commit}"])
        if withSubmodules { try updateSubmodules() }
        guard keepsRepository else { return }
        // An index without what this machine knows of the files (inodes, times) is the same everywhere.
        unlink(directory + "/.git/index")
        try runInside(["read-tree", "HEAD"])
        guard withSubmodules else { return }
        try runInside(["submodule", "--quiet", "foreach", "--quiet", "--recursive", "git read-tree HEAD"])
    }

    /// The names that a clone has; HEAD is not one that can be written.
    private static func kept(_ name: String) -> String? {
        name.hasPrefix("refs/heads/") || name.hasPrefix("refs/tags/") ? name : nil
    }

    private func updateSubmodules() throws {
        let access = try repositories.access(source)
        let arguments = ["-C", directory, "submodule", "--quiet", "update", "--init", "--recursive"]
        let purpose = "fetching the submodules of '\(BuildError.printable(source.shownAddress))'"
        var result = try start(arguments + ["--depth=1"], .network(access), purpose)
        if result.exitCode != 0, GitWords.refusesDepth(String(decoding: result.error, as: UTF8.self)) {
            result = try start(arguments, .network(access), purpose)
        }
        guard result.exitCode == 0 else { throw BuildError.git(purpose, source, result) }
    }

    /// The directory that was asked for; each part of it is a directory, and no link.
    private func chosenDirectory() throws -> String {
        guard !source.subdirectory.isEmpty else { return directory }
        let root = try RootDirectory(directory)
        var path = ""
        for part in source.subdirectory.split(separator: "/") {
            path += "/\(part)"
            guard try root.status(of: path, followingLinks: false)?.isDirectory == true else {
                throw BuildError.gitDirectoryNotFound(source)
            }
        }
        return directory + path
    }

    // MARK: git

    private func runInside(_ arguments: [String]) throws {
        _ = try check(start(["-C", directory] + arguments, .local, purpose))
    }

    private func run(
        _ arguments: [String], variables: [String] = [], receive: (([UInt8]) throws -> Void)? = nil
    ) throws -> [UInt8] {
        try check(
            start(["--git-dir", repository] + arguments, .local, purpose, variables: variables, receive: receive))
    }

    private func succeeds(_ arguments: [String]) throws -> Bool {
        try start(["--git-dir", repository] + arguments, .local, purpose).exitCode == 0
    }

    private func check(_ result: HelperProgram.Result) throws -> [UInt8] {
        guard result.exitCode != 0 else { return result.output }
        let error = BuildError.git(purpose, source, result)
        if GitWords.blamesRepository(String(decoding: result.error, as: UTF8.self)) {
            throw GitRepositories.DamagedRepository(error: error)
        }
        throw error
    }

    private func start(
        _ arguments: [String], _ reach: GitProgram.Reach, _ purpose: String, variables: [String] = [],
        receive: (([UInt8]) throws -> Void)? = nil
    ) throws -> HelperProgram.Result {
        try GitRepositories.translating(purpose) {
            try git.run(arguments, reach, variables: variables, cancellation: cancellation, receive: receive)
        }
    }
}
