package import WhittleCore

/// When the commit was made that is checked out.
package enum GitCommitTime {
    /// The committer's time of HEAD, of the repository that `directory` is in.
    ///
    /// Whether files were changed since does not matter: the same commit gives the same time.
    ///
    /// - Returns: `nil` where the directory is in no repository, or in one without commits.
    /// - Throws: `git-commit` where there is a commit that cannot be read.
    package static func ofHead(above directory: String) throws(BuildError) -> Timestamp? {
        guard let repository = try GitRepository(above: directory),
            let commit = try GitReferences(repository).head()
        else { return nil }
        let object = try GitObjects(repository).object(commit)
        guard object.kind == .commit else { throw .gitCommit(repository.shown, "HEAD is no commit") }
        guard let seconds = committerTime(in: object.contents) else {
            throw .gitCommit(repository.shown, "the commit \(commit) names no time")
        }
        return Timestamp(seconds: seconds)
    }

    /// The number behind the address in `committer NAME <ADDRESS> SECONDS ZONE`, a line of the commit's head.
    static func committerTime(in commit: [UInt8]) -> Int64? {
        for line in commit.split(separator: 0x0A, omittingEmptySubsequences: false) {
            // The message begins.
            if line.isEmpty { return nil }
            guard line.starts(with: Array("committer ".utf8)),
                let address = line.lastIndex(of: UInt8(ascii: ">"))
            else { continue }
            let fields = line[(address + 1)...].split(separator: 0x20)
            return fields.first.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        }
        return nil
    }
}
