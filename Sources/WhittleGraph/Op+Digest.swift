public import WhittleCore

extension Op {
    /// SHA-256 over the op and its inputs.
    ///
    /// The encoding is length-prefixed fields behind a version, so that two different ops never give the same bytes.
    /// It stays on this machine and may change with the version.
    func digest(inputs: [Edge]) -> Digest {
        var hasher = SHA256Hasher()
        hash(into: &hasher)
        hasher.update(length: inputs.count)
        for input in inputs {
            hasher.update(field: input.vertex.hex)
            hasher.update(length: input.output)
        }
        return hasher.finalize()
    }

    /// The part of a cache key that the op itself makes up, without its inputs. What must not decide about a cache hit
    /// (secrets' values, proxy settings, the registry a base image came from) is not in it.
    public var keyDigest: Digest {
        var hasher = SHA256Hasher()
        hash(into: &hasher)
        return hasher.finalize()
    }

    private func hash(into hasher: inout SHA256Hasher) {
        hasher.update(field: "whittle.op.v1")
        switch self {
        case .source(let source): source.hash(into: &hasher)
        case .exec(let exec): exec.hash(into: &hasher)
        case .file(let file): file.hash(into: &hasher)
        case .merge: hasher.update(field: "merge")
        }
    }
}

extension SHA256Hasher {
    fileprivate mutating func update(optional number: Int?) {
        update(length: number.map { $0 + 1 } ?? 0)
    }

    fileprivate mutating func update(optional text: String?) {
        update(length: text == nil ? 0 : 1)
        if let text { update(field: text) }
    }

    fileprivate mutating func update(list: [String]) {
        update(length: list.count)
        for item in list { update(field: item) }
    }

    fileprivate mutating func update(owner: Owner?) {
        update(optional: owner?.user)
        update(optional: owner?.group)
    }
}

extension SourceOp {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        switch self {
        case .image(let image):
            hasher.update(field: "image")
            hasher.update(optional: image.chainID?.hex)
        case .local(let local):
            hasher.update(field: "local")
            hasher.update(field: local.name)
            hasher.update(list: local.ignorePatterns)
        case .http(let source):
            hasher.update(field: "http")
            hasher.update(list: [source.url.revealed, source.fileName])
            hasher.update(optional: source.checksum?.hex)
        case .git(let source):
            hasher.update(field: "git")
            hasher.update(list: source.fields)
        }
    }
}

extension ExecOp {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        hasher.update(field: "exec")
        hasher.update(list: arguments)
        hasher.update(list: environment)
        hasher.update(field: workingDirectory)
        hasher.update(field: user)
        hasher.update(optional: rootInput)
        hasher.update(field: network.rawValue)
        hasher.update(field: security.rawValue)
        hasher.update(length: mounts.count)
        for mount in mounts { mount.hash(into: &hasher) }
        hasher.update(length: secretEnvironment.count)
        for secret in secretEnvironment {
            hasher.update(list: [secret.id, secret.name, "\(secret.isRequired)"])
        }
        if allowsSecretLeak { hasher.update(field: "allows-secret-leak") }
        hashSettings(into: &hasher)
    }

    /// Only what is set, so that the digests of other steps stay as they are.
    private func hashSettings(into hasher: inout SHA256Hasher) {
        if !extraHosts.isEmpty { hasher.update(list: ["hosts"] + extraHosts.map(\.name)) }
        if let hostname { hasher.update(list: ["hostname", hostname]) }
        if let sharedMemory { hasher.update(list: ["shm-size", "\(sharedMemory)"]) }
        if !limits.isEmpty {
            hasher.update(list: ["limits"] + limits.flatMap { [$0.name, "\($0.soft)", "\($0.hard)"] })
        }
        if !devices.isEmpty {
            hasher.update(list: ["devices"] + devices.flatMap { [$0.name, "\($0.isRequired)"] })
        }
    }
}

extension ExecMount {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        hasher.update(optional: input)
        hasher.update(field: target)
        switch self {
        case .bind(_, let source, _, let isReadOnly):
            hasher.update(list: ["bind", source, "\(isReadOnly)"])
        case .cache(let cache):
            hasher.update(list: ["cache", cache.id, cache.sharing.rawValue, "\(cache.isReadOnly)", cache.source])
            hasher.update(list: ["\(cache.uid)", "\(cache.gid)", "\(cache.mode)"])
        case .tmpfs(_, let size):
            hasher.update(list: ["tmpfs", "\(size ?? -1)"])
        case .secret(let secret):
            hasher.update(list: ["secret", secret.id, "\(secret.isRequired)"])
            hasher.update(list: ["\(secret.uid)", "\(secret.gid)", "\(secret.mode)"])
        case .ssh(let ssh):
            hasher.update(list: ["ssh", ssh.id, "\(ssh.isRequired)"])
            hasher.update(list: ["\(ssh.uid)", "\(ssh.gid)", "\(ssh.mode)"])
        }
    }
}

extension FileOp {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        // The number counts the changes of what an action does: what was made by earlier rules is made anew.
        hasher.update(field: "file.2")
        hasher.update(optional: base)
        hasher.update(length: actions.count)
        for action in actions { action.hash(into: &hasher) }
        if let time { hasher.update(list: ["time", "\(time.seconds)"]) }
    }
}

extension FileAction {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        switch self {
        case .copy(let copy):
            hasher.update(field: "copy")
            copy.hash(into: &hasher)
        case .makeFile(let path, let contents, let mode, let owner):
            hasher.update(list: ["makeFile", path, "\(mode)"])
            hasher.update(length: contents.count)
            hasher.update(contents)
            hasher.update(owner: owner)
        case .makeDirectory(let path, let mode, let owner):
            hasher.update(list: ["makeDirectory", path, "\(mode)"])
            hasher.update(owner: owner)
        case .remove(let path, let allowsMissing):
            hasher.update(list: ["remove", path, "\(allowsMissing)"])
        }
    }
}

extension CopyAction {
    fileprivate func hash(into hasher: inout SHA256Hasher) {
        hasher.update(length: input)
        hasher.update(list: sources)
        hasher.update(field: destination)
        hasher.update(owner: owner)
        hasher.update(optional: mode)
        hasher.update(field: "\(keepsParents)")
        hasher.update(list: excludePatterns)
        hasher.update(field: unpacks.rawValue)
        hasher.update(field: "\(allowsEmptyWildcard)")
    }
}
