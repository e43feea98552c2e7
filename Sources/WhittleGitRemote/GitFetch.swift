internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittlePrograms

/// Brings one revision into a bare repository, unless it is there.
struct GitFetch {
    let git: GitProgram
    let purpose: String
    let source: GitSource
    let revision: GitRevision
    /// Of the bare repository.
    let path: String
    let access: () throws -> GitAccess
    let cancellation: Cancellation

    func run() throws {
        try removeLeftovers()
        try makeRepository()
        if try hasRevision() { return }
        let access = try access()
        // The least first: the one commit by the name it had a moment ago, then by itself, then everything.
        for specification in specifications {
            let result = try fetch([specification], depth: true, access)
            if result.exitCode == 0, try hasRevision() { return }
            guard result.exitCode == 0 || GitWords.refusesObject(String(decoding: result.error, as: UTF8.self)) else {
                throw BuildError.git(purpose, source, result)
            }
            // A name that means something else by now.
            try run(["update-ref", "-d", reference])
        }
        let everything = ["+refs/heads/*:refs/whittle/heads/*", "+refs/tags/*:refs/whittle/tags/*"]
        let result = try fetch(everything, depth: false, access)
        guard result.exitCode == 0 else { throw BuildError.git(purpose, source, result) }
        guard try isThere(revision.object + "^{commit}") else {
            throw BuildError.gitCommitNotFound(revision.object, source)
        }
        try run(["update-ref", reference, revision.object])
    }

    private var reference: String { "refs/whittle/\(revision.object)" }

    private var specifications: [String] {
        [revision.name, revision.object].compactMap { $0 }.map { "+\($0):\(reference)" }
    }

    private func hasRevision() throws -> Bool {
        let result = try start(["rev-parse", "--quiet", "--verify", reference])
        let found = String(decoding: result.output, as: UTF8.self).filter { !$0.isWhitespace }
        guard result.exitCode == 0, found == revision.object else { return false }
        return try isThere(reference + "^{tree}")
    }

    private func isThere(_ object: String) throws -> Bool { try start(["cat-file", "-e", object]).exitCode == 0 }

    private func makeRepository() throws {
        guard Glibc.access(path + "/HEAD", F_OK) != 0 else { return }
        try TreeRemoval.remove(path)
        let format = revision.object.utf8.count == 64 ? ["--object-format=sha256"] : []
        try run(["init", "--quiet", "--bare"] + format)
    }

    /// What a git that was killed has left. The lock of the repository is held, so nobody is at work.
    private func removeLeftovers() throws {
        unlink(path + "/shallow.lock")
        unlink(path + "/packed-refs.lock")
        guard let root = try? RootDirectory(path), try root.status(of: "/objects/pack") != nil else { return }
        for name in try root.names(in: "/objects/pack") where name.description.hasPrefix("tmp_") {
            try root.remove("/objects/pack/\(name)")
        }
    }

    private func fetch(_ specifications: [String], depth: Bool, _ access: GitAccess) throws -> HelperProgram.Result {
        var options = ["fetch", "--quiet", "--no-tags", "--force", "--no-write-fetch-head"]
        if depth {
            options.append("--depth=1")
        } else if Glibc.access(path + "/shallow", F_OK) == 0 {
            options.append("--unshallow")
        }
        let arguments = options + ["--", source.remote] + specifications
        let result = try start(arguments, .network(access))
        guard depth, result.exitCode != 0, GitWords.refusesDepth(String(decoding: result.error, as: UTF8.self)) else {
            return result
        }
        return try start(arguments.filter { $0 != "--depth=1" }, .network(access))
    }

    private func start(_ arguments: [String], _ reach: GitProgram.Reach = .local) throws -> HelperProgram.Result {
        let result = try GitRepositories.translating(purpose) {
            try git.run(["--git-dir", path] + arguments, reach, cancellation: cancellation)
        }
        if result.exitCode != 0, GitWords.blamesRepository(String(decoding: result.error, as: UTF8.self)) {
            throw GitRepositories.DamagedRepository(error: BuildError.git(purpose, source, result))
        }
        return result
    }

    /// What only fails where something is wrong with this machine.
    private func run(_ arguments: [String]) throws {
        let result = try start(arguments)
        guard result.exitCode == 0 else { throw BuildError.git(purpose, source, result) }
    }
}
