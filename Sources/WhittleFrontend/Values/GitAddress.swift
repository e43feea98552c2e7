internal import WhittleCore
public import WhittleGraph

/// The address of a git repository as ADD and contexts take it.
///
/// Forms: `https://HOST/PATH.git`, `git://HOST/PATH`, `ssh://[USER@]HOST/PATH` and `USER@HOST:PATH`, each with
/// `?KEY=VALUE&…` and `#REFERENCE:DIRECTORY`. Source of the rules: moby/buildkit `frontend/dockerfile/dfgitutil` and
/// `util/gitutil`.
public enum GitAddress {
    /// Why an address that is one of git cannot be used. Shown to people; holds nothing that may be secret.
    public struct Invalid: Error, Hashable, Sendable {
        public let problem: String

        init(_ problem: String) { self.problem = problem }
    }

    /// The source that `text` names; `nil` where it is no address of a repository.
    ///
    /// - Parameters:
    ///   - isContext: whether `github.com/OWNER/NAME` counts, which elsewhere is a path.
    ///   - keepsRepository: what `--keep-git-dir` says, which the query must not contradict.
    public static func parse(
        _ text: String, isContext: Bool = false, keepsRepository: Bool? = nil
    ) throws(Invalid) -> GitSource? {
        guard let parts = Parts(text, isContext: isContext) else { return nil }
        var source = try parts.source()
        let fragment = parts.fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        source.reference = fragment.first.map(String.init) ?? ""
        var directory = fragment.count > 1 ? String(fragment[1]) : ""
        try readQuery(parts.query, &source, &directory)
        if let keepsRepository {
            let isSaid = parts.query.contains { $0.key == "keep-git-dir" }
            guard !isSaid || source.keepsRepository == keepsRepository else {
                throw Invalid(
                    source.keepsRepository
                        ? "its query asks for .git, and --keep-git-dir=false does not"
                        : "--keep-git-dir asks for .git, and its query does not")
            }
            source.keepsRepository = keepsRepository
        }
        source.subdirectory = clean(directory)
        try check(source)
        return source
    }

    /// Whether the repository is reached with ssh.
    public static func usesSSH(_ text: String) -> Bool { (try? parse(text, isContext: true))?.transport == .ssh }

    private static func check(_ source: GitSource) throws(Invalid) {
        guard !source.reference.hasPrefix("-"), !source.reference.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F }),
            !source.reference.contains(":"), !source.reference.contains("..")
        else { throw Invalid("'\(source.reference)' cannot be the name of a reference") }
        guard !source.subdirectory.utf8.contains(0) else { throw Invalid("the directory holds a NUL byte") }
        if let checksum = source.checksum { try check(checksum: checksum) }
        if source.isFetchedByCommit, !GitSource.isCommit(source.reference) {
            guard let checksum = source.checksum, GitSource.isCommit(checksum) else {
                throw Invalid("fetch-by-commit takes a whole commit as 'checksum'")
            }
        }
    }

    /// - Throws: for what is not the beginning of a commit.
    static func check(checksum: String) throws(Invalid) {
        guard !checksum.isEmpty, checksum.utf8.count <= 64,
            checksum.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) })
        else { throw Invalid("the checksum '\(checksum)' is no commit: hexadecimal digits are expected") }
    }

    /// From the top of the repository, without `.`, `..` and empty parts.
    private static func clean(_ directory: String) -> String {
        String(ContainerPath.clean("/" + directory).drop { $0 == "/" })
    }

    // MARK: Query

    private static func readQuery(
        _ query: [(key: String, value: String)], _ source: inout GitSource, _ directory: inout String
    ) throws(Invalid) {
        var seen: Set<String> = []
        var tag: String?
        var branch: String?
        for (key, value) in query {
            guard seen.insert(key).inserted else { throw Invalid("the query has '\(key)' twice") }
            if value.isEmpty, !["submodules", "keep-git-dir", "fetch-by-commit"].contains(key) {
                throw Invalid("'\(key)' of the query has no value")
            }
            switch key {
            case "ref": try set(&source.reference, value, "ref")
            case "tag": tag = value.hasPrefix("refs/tags/") ? value : "refs/tags/" + value
            case "branch": branch = value.hasPrefix("refs/heads/") ? value : "refs/heads/" + value
            case "subdir": try set(&directory, value, "subdir")
            case "checksum", "commit":
                guard source.checksum == nil || source.checksum == value else {
                    throw Invalid("'checksum' and 'commit' of the query are two different ones")
                }
                source.checksum = value
            case "keep-git-dir": source.keepsRepository = try bool(key, value)
            case "submodules": source.hasSubmodules = try bool(key, value)
            case "fetch-by-commit": source.isFetchedByCommit = try bool(key, value)
            case "mtime":
                guard value == "checkout" || value == "commit" else {
                    throw Invalid("'mtime' of the query is 'checkout' or 'commit', not '\(value)'")
                }
                source.keepsCheckoutTimes = value == "checkout"
            default:
                let known = [
                    "ref", "tag", "branch", "subdir", "checksum", "commit", "keep-git-dir", "submodules", "mtime",
                    "fetch-by-commit",
                ]
                let near = NearestName.of(key, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw Invalid("the query has no option '\(key)'\(near)")
            }
        }
        if let tag { try set(&source.reference, tag, "tag") }
        if let branch {
            guard tag == nil else { throw Invalid("the query has both 'tag' and 'branch'") }
            try set(&source.reference, branch, "branch")
        }
    }

    private static func set(_ field: inout String, _ value: String, _ key: String) throws(Invalid) {
        guard field.isEmpty || field == value else {
            throw Invalid("'\(key)' of the query says '\(value)', and '\(field)' is said elsewhere")
        }
        field = value
    }

    private static func bool(_ key: String, _ value: String) throws(Invalid) -> Bool {
        if value.isEmpty { return true }
        // What Go's strconv.ParseBool takes.
        switch value {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw Invalid("'\(key)' of the query is 'true' or 'false', not '\(value)'")
        }
    }

    /// Whether `text` is `USER@HOST:PATH`, as ssh and git write it.
    static func isSecureCopyAddress(_ text: String) -> Bool {
        guard let at = text.firstIndex(of: "@"), let colon = text[at...].firstIndex(of: ":") else { return false }
        let user = text[..<at]
        let host = text[text.index(after: at)..<colon]
        return !user.isEmpty && !host.isEmpty && !user.hasPrefix("-") && !host.hasPrefix("-")
            && user.utf8.allSatisfy { isNameByte($0) }
            && host.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            || (0x61...0x7A).contains(byte | 0x20)
    }
}

extension GitAddress {
    /// An address taken apart.
    private struct Parts {
        let transport: GitSource.Transport
        /// Before `?` and `#`.
        let remote: String
        let query: [(key: String, value: String)]
        let fragment: String

        /// `nil` for what is no repository.
        init?(_ text: String, isContext: Bool) {
            guard !text.hasPrefix("./"), !text.hasPrefix("../"), !text.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F })
            else { return nil }
            let hash = text.firstIndex(of: "#") ?? text.endIndex
            let mark = text[..<hash].firstIndex(of: "?") ?? hash
            let remote = Self.completed(String(text[..<mark]), isContext: isContext)
            self.remote = remote
            let query = mark < hash ? text[text.index(after: mark)..<hash] : ""
            let fragment = hash < text.endIndex ? text[text.index(after: hash)...] : ""
            if let scheme = remote.firstRange(of: "://").map({ remote[..<$0.lowerBound].lowercased() }),
                scheme.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
            {
                switch scheme {
                case "http", "https":
                    // Elsewhere a slash at the end, or another ending, is another file.
                    guard
                        remote.hasSuffix(".git")
                            || remote.hasPrefix("https://github.com/") && isContext
                                && text.hasPrefix("github.com/")
                    else { return nil }
                    transport = .http
                case "ssh": transport = .ssh
                case "git": transport = .git
                default: return nil
                }
                guard let decoded = PercentEncoding.decodedText(fragment) else { return nil }
                self.fragment = decoded
            } else {
                guard GitAddress.isSecureCopyAddress(remote) else { return nil }
                transport = .ssh
                self.fragment = String(fragment)
            }
            var pairs: [(key: String, value: String)] = []
            for pair in query.split(separator: "&") {
                let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let key = PercentEncoding.decodedText(halves[0], plusIsSpace: true),
                    let value = PercentEncoding.decodedText(halves.count > 1 ? halves[1] : "", plusIsSpace: true)
                else { return nil }
                pairs.append((key, value))
            }
            self.query = pairs
        }

        /// As docker: what begins with `github.com/` is a repository of the web.
        private static func completed(_ remote: String, isContext: Bool) -> String {
            isContext && remote.hasPrefix("github.com/") ? "https://" + remote : remote
        }

        func source() throws(Invalid) -> GitSource {
            guard transport != .ssh || !remote.contains("://") || Self.hasSafeHost(remote) else {
                throw Invalid("its host cannot begin with '-'")
            }
            guard transport == .http, let start = remote.firstRange(of: "://")?.upperBound else {
                return GitSource(remote: remote, transport: transport)
            }
            let authority = remote[start...].prefix { $0 != "/" }
            guard let at = authority.lastIndex(of: "@") else { return GitSource(remote: remote, transport: transport) }
            guard let user = PercentEncoding.decodedText(authority[..<at]) else {
                throw Invalid("its user or password is not percent-encoded")
            }
            return GitSource(
                remote: String(remote[..<start]) + remote[remote.index(after: at)...], transport: transport,
                credentials: Redacted(user.contains(":") ? user : user + ":"))
        }

        /// ssh takes a host that begins with a dash for an option.
        private static func hasSafeHost(_ remote: String) -> Bool {
            guard let start = remote.firstRange(of: "://")?.upperBound else { return true }
            let authority = remote[start...].prefix { $0 != "/" }
            let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
            return !host.hasPrefix("-") && !authority.hasPrefix("-") && !host.isEmpty
        }
    }
}
