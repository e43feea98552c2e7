internal import WhittleCore
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
            throw BuildError.urlWithoutName(HTTPSource.shown(path.text), at: path.location)
        }
        // The name that BuildKit gives.
        return HTTPSource(url: Redacted(path.text), fileName: name ?? "__unnamed__", checksum: remote.checksum)
    }
}
