internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittlePrograms

extension BuildError.Code {
    /// git could not do what was asked of it.
    static let gitFailed = Self(rawValue: "git-failed")
    /// There is no such repository.
    static let gitRepositoryNotFound = Self(rawValue: "git-repository-not-found")
    /// A repository has no such reference or commit.
    static let gitReferenceNotFound = Self(rawValue: "git-reference-not-found")
    /// A commit has no such directory.
    static let gitDirectoryNotFound = Self(rawValue: "git-directory-not-found")
    /// A server wants (other) credentials, or its key is not trusted.
    static let gitUnauthorized = Self(rawValue: "git-unauthorized")
    /// A reference is not the commit that it should be.
    static let gitChecksumMismatch = Self(rawValue: "git-checksum-mismatch")
    /// A tree is larger than the limit.
    static let gitTooLarge = Self(rawValue: "git-too-large")
}

/// All name a repository without what may be secret in its address.
extension BuildError {
    /// - Parameter result: of a git that failed; what it said is looked at for the reason.
    static func git(_ purpose: String, _ source: GitSource, _ result: HelperProgram.Result) -> BuildError {
        let text = String(decoding: result.error, as: UTF8.self)
        let what = "\(purpose): \(printable(GitWords.reason(in: text)))"
        func says(_ fragments: String...) -> Bool { fragments.contains { text.contains($0) } }
        if says("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED") {
            return BuildError(
                .gitUnauthorized, "\(purpose): the key of the host is not the one that is known",
                hint: "find out why; if it was changed, remove the old one from ~/.ssh/known_hosts, and from "
                    + "git/known_hosts in the store")
        }
        if says("Permission denied (publickey", "Permission denied, please try again") {
            return BuildError(
                .gitUnauthorized, what, hint: "give a key that opens it: --ssh default, or --ssh default=KEYFILE")
        }
        if says(
            "could not read Username", "could not read Password", "Authentication failed",
            "The requested URL returned error: 401", "The requested URL returned error: 403")
        {
            return BuildError(
                .gitUnauthorized, what,
                hint: "give a token with --secret id=GIT_AUTH_TOKEN,env=NAME (or "
                    + "GIT_AUTH_TOKEN.\(GitAccess.host(of: source.remote)) for this host only), or the header "
                    + "Authorization with id=GIT_AUTH_HEADER")
        }
        if says(
            "Repository not found", "does not appear to be a git repository", "not found: did you run",
            "The requested URL returned error: 404", "repository not exported", "access denied or repository")
            || says("fatal: repository '") && says("' not found")
        {
            return BuildError(
                .gitRepositoryNotFound, what,
                hint: "check the address; a private repository may be hidden from those without credentials")
        }
        if says("Could not resolve host", "unable to look up", "Name or service not known") {
            return BuildError(.gitFailed, what, hint: "check the host, the network and the proxy settings")
        }
        if says("transport '") && says("' not allowed") {
            return BuildError(
                .gitFailed, what, hint: "of submodules, those with http, https, ssh and git addresses are fetched")
        }
        return BuildError(.gitFailed, what)
    }

    static func git(_ purpose: String, _ failure: HelperProgram.Failure) -> BuildError {
        switch failure {
        case .notStarted(let errno): BuildError(.gitFailed, "\(purpose): git does not start (error \(errno))")
        case .outputTooLong: BuildError(.gitFailed, "\(purpose): git says more than any repository has to say")
        case .timedOut: BuildError(.gitFailed, "\(purpose): git does not end")
        }
    }

    static func gitReferenceNotFound(_ source: GitSource) -> BuildError {
        guard !source.reference.isEmpty else {
            return BuildError(
                .gitReferenceNotFound, "looking for the branch of '\(printable(source.remote))': it has no commit",
                hint: "name a branch or tag: \(printable(source.remote))#NAME")
        }
        return BuildError(
            .gitReferenceNotFound,
            "looking for '\(printable(source.reference))' in '\(printable(source.remote))': there is no such branch or tag",
            hint: "'git ls-remote' lists them; a commit is written with all of its 40 digits")
    }

    static func gitCommitNotFound(_ commit: String, _ source: GitSource) -> BuildError {
        BuildError(
            .gitReferenceNotFound,
            "looking for the commit \(commit) in '\(printable(source.remote))': the repository does not have it",
            hint: "it may have been removed by a forced push, or belong to another repository")
    }

    static func gitDirectoryNotFound(_ source: GitSource) -> BuildError {
        BuildError(
            .gitDirectoryNotFound,
            "looking for the directory '\(printable(source.subdirectory))' in '\(printable(source.remote))': "
                + "there is no such directory, or a link is in its place",
            hint: "write the path from the top of the repository")
    }

    static func gitChecksumMismatch(_ source: GitSource, expected: String, found: GitRevision) -> BuildError {
        BuildError(
            .gitChecksumMismatch,
            "fetching '\(printable(source.shownAddress))': the checksum says \(expected), and it is \(found.object)"
                + (found.tagged.map { ", the tag of \($0)" } ?? ""),
            hint: "if the change is expected, write the new commit")
    }

    static func gitTooLarge(_ source: GitSource, limit: ByteCount) -> BuildError {
        BuildError(
            .gitTooLarge, "checking out '\(printable(source.shownAddress))': its files are larger than \(limit)",
            hint: "raise --max-layer-size (or $WHITTLE_MAX_LAYER_SIZE) if the size is right")
    }

    static func unusableGitSecret(_ id: String) -> BuildError {
        BuildError(
            .gitUnauthorized, "the secret '\(printable(id))' cannot be sent in the header Authorization",
            hint: "it has to be one line of printable ASCII characters")
    }
}

/// git's own words.
enum GitWords {
    /// The line that tells most: the last that begins with `fatal:` or `error:`, else the last one.
    static func reason(in text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }
        let fatal =
            lines.first { $0.contains("transport '") && $0.contains("' not allowed") }
            ?? lines.last { $0.hasPrefix("fatal:") } ?? lines.last { $0.hasPrefix("error:") } ?? lines.last
        guard let line = fatal else { return "git gives no reason" }
        // 'Could not read from remote repository' says nothing of why; the line before it does.
        if line.hasSuffix("Could not read from remote repository."), let index = lines.lastIndex(of: line), index > 0 {
            return lines[index - 1]
        }
        return String(
            line.drop { $0 != ":" }.dropFirst(2).isEmpty ? line[...] : line[...].drop { $0 != ":" }.dropFirst(2))
    }

    /// Whether a server does not give parts of its history.
    static func refusesDepth(_ text: String) -> Bool { text.contains("shallow") || text.contains("--depth") }

    /// Whether a server gives no objects that it did not offer by name, or no longer has the name.
    static func refusesObject(_ text: String) -> Bool {
        ["not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref"].contains {
            text.contains($0)
        }
    }

    /// Whether what lies on disk is at fault: a lock that a killed git left, or damaged objects.
    static func blamesRepository(_ text: String) -> Bool {
        [
            "Unable to create", "cannot lock ref", "index.lock", "is corrupt", "bad object", "did not match any object",
            "unable to read", "missing blob", "missing tree", "not a git repository (or",
            "not a git repository: '", "unable to resolve reference", "inflate: ",
        ].contains { text.contains($0) }
    }
}
