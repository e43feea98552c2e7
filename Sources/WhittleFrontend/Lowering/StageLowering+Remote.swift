public import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph

/// Sources of ADD that are fetched.
extension StageLowering {
    /// What `--checksum` says.
    ///
    /// - Throws: `invalid-checksum` where it is no digest, or stands with anything but one URL.
    mutating func checksum(of add: Instruction.Add) throws -> Digest? {
        guard let token = add.checksum else { return nil }
        let text = try expand(token)
        guard !text.isEmpty else { return nil }
        let place = location(of: token.range)
        guard add.sources.count == 1 else { throw BuildError.checksumOfSeveral(at: place) }
        guard case .path(let source) = add.sources[0],
            let kind = RemoteSource(expansion.quiet(source, state.environment))
        else { throw BuildError.checksumOfLocalFile(at: place) }
        // That of a repository is a commit.
        guard kind == .http else { return nil }
        do throws(Digest.Invalid) { return try Digest(parsing: text) } catch {
            throw BuildError.invalidChecksum(text, error, at: place)
        }
    }

    /// The download that a URL means.
    ///
    /// - Throws: `url-without-name` where the destination is a directory and the URL does not say what to call the file.
    func download(
        _ path: FileTransfer.Path, to destination: String, _ remote: FileTransfer.Remote
    ) throws -> HTTPSource {
        let name = RemoteSource.fileName(ofURL: path.text)
        if name == nil, destination.hasSuffix("/"), remote.unpacks == .never {
            throw BuildError.urlWithoutName(HTTPSource.shown(path.text), at: location(of: path.range))
        }
        // The name that BuildKit gives.
        return HTTPSource(url: Redacted(path.text), fileName: name ?? "__unnamed__", checksum: remote.checksum)
    }

    /// What `--checksum` says of a repository.
    ///
    /// - Throws: `invalid-git-address` where it is no commit.
    func commit(of add: Instruction.Add) throws -> String? {
        guard let token = add.checksum, case .path(let source)? = add.sources.first,
            RemoteSource(expansion.quiet(source, state.environment)) == .git
        else { return nil }
        let text = expansion.quiet(token, state.environment)
        guard !text.isEmpty else { return nil }
        do throws(GitAddress.Invalid) { try GitAddress.check(checksum: text) } catch {
            throw BuildError.invalidGitAddress(error, at: location(of: token.range))
        }
        return text
    }

    /// The repository that an address means, with what the flags of ADD say.
    ///
    /// - Throws: `invalid-git-address`, also where flags and address contradict each other.
    func repository(_ path: FileTransfer.Path, _ remote: FileTransfer.Remote) throws -> GitSource {
        do throws(GitAddress.Invalid) {
            guard var source = try GitAddress.parse(path.text, keepsRepository: remote.keepsRepository) else {
                throw GitAddress.Invalid("it is no address of a repository")
            }
            if let commit = remote.commit {
                guard source.checksum == nil || source.checksum == commit else {
                    throw GitAddress.Invalid("its query has another checksum than --checksum")
                }
                source.checksum = commit
            }
            return source
        } catch {
            throw BuildError.invalidGitAddress(error, at: location(of: path.range))
        }
    }
}

extension BuildError.Code {
    /// The address of a git repository cannot be used.
    public static let invalidGitAddress = BuildError.Code(rawValue: "invalid-git-address")
}

extension BuildError {
    /// Does not show the address: it may hold a password.
    public static func invalidGitAddress(_ reason: GitAddress.Invalid, at location: SourceLocation?) -> BuildError {
        BuildError(
            .invalidGitAddress, "reading the address of a git repository: \(reason.problem)",
            hint: "the form is https://HOST/PATH.git#REFERENCE:DIRECTORY, or ?ref=REFERENCE&subdir=DIRECTORY",
            at: location)
    }
}
