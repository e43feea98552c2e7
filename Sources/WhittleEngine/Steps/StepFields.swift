internal import WhittleCache
internal import WhittleGraph

extension Op {
    /// What the op consists of, in a form that can be compared and shown.
    ///
    /// The same parts as in ``WhittleGraph/Op/keyDigest``, so neither values of secrets nor proxy settings.
    ///
    /// - Parameter arguments: names of the variables that are build arguments.
    func fields(arguments: Set<String>) -> [StepRecord.Field] {
        var fields: [StepRecord.Field]
        switch self {
        case .source, .merge: fields = []
        case .exec(let exec): fields = exec.fields(arguments: arguments)
        case .file(let file): fields = file.actions.flatMap(\.fields)
        }
        // Of equal labels each is told from the others by its number.
        var counts: [String: Int] = [:]
        for index in fields.indices {
            let label = fields[index].label
            counts[label, default: 0] += 1
            if let count = counts[label], count > 1 { fields[index].label = "\(label) (\(count))" }
        }
        return fields
    }
}

extension ExecOp {
    fileprivate func fields(arguments names: Set<String>) -> [StepRecord.Field] {
        var fields = [
            StepRecord.Field("shell", arguments.dropLast().joined(separator: " ")),
            StepRecord.Field("command", arguments.last ?? ""),
        ]
        for assignment in environment {
            let name = String(assignment.prefix { $0 != "=" })
            fields.append(
                StepRecord.Field(
                    (names.contains(name) ? "ARG " : "ENV ") + name, String(assignment.dropFirst(name.count + 1))))
        }
        fields += [
            StepRecord.Field("WORKDIR", workingDirectory), StepRecord.Field("USER", user.isEmpty ? "root" : user),
            StepRecord.Field("network", network.rawValue), StepRecord.Field("security", security.rawValue),
        ]
        fields += mounts.map { StepRecord.Field("mount \($0.target)", $0.summary) }
        fields += secretEnvironment.map {
            StepRecord.Field("secret variable \($0.name)", "id=\($0.id)" + ($0.isRequired ? ",required" : ""))
        }
        // Addresses are in no key either.
        fields += extraHosts.map { StepRecord.Field("--add-host \($0.name)", "given") }
        if let hostname { fields.append(StepRecord.Field("hostname", hostname)) }
        if let sharedMemory { fields.append(StepRecord.Field("--shm-size", "\(sharedMemory)")) }
        fields += limits.map { StepRecord.Field("--ulimit \($0.name)", "\($0.soft):\($0.hard)") }
        fields += devices.map { StepRecord.Field("--device", $0.name + ($0.isRequired ? "" : ",required=false")) }
        return fields
    }
}

extension ExecMount {
    /// What there is to say of a mount besides its target, in the words of `--mount`.
    fileprivate var summary: String {
        switch self {
        case .bind(_, let source, _, let isReadOnly): "type=bind,source=\(source)\(isReadOnly ? "" : ",rw")"
        case .cache(let cache):
            "type=cache,id=\(cache.id),sharing=\(cache.sharing.rawValue),source=\(cache.source)"
                + ",uid=\(cache.uid),gid=\(cache.gid),mode=\(String(cache.mode, radix: 8))"
                + (cache.isReadOnly ? ",ro" : "")
        case .tmpfs(_, let size): "type=tmpfs" + (size.map { ",size=\($0)" } ?? "")
        case .secret(let secret):
            "type=secret,id=\(secret.id),uid=\(secret.uid),gid=\(secret.gid),mode=\(String(secret.mode, radix: 8))"
                + (secret.isRequired ? ",required" : "")
        case .ssh(let ssh):
            "type=ssh,id=\(ssh.id),uid=\(ssh.uid),gid=\(ssh.gid),mode=\(String(ssh.mode, radix: 8))"
                + (ssh.isRequired ? ",required" : "")
        }
    }
}

extension FileAction {
    fileprivate var fields: [StepRecord.Field] {
        switch self {
        case .copy(let copy):
            var fields = [
                StepRecord.Field("source", copy.sources.joined(separator: " ")),
                StepRecord.Field("destination", copy.destination),
            ]
            if let owner = copy.owner { fields.append(StepRecord.Field("--chown", owner.summary)) }
            if let mode = copy.mode { fields.append(StepRecord.Field("--chmod", mode)) }
            if copy.keepsParents { fields.append(StepRecord.Field("--parents", "true")) }
            if !copy.excludePatterns.isEmpty {
                fields.append(StepRecord.Field("--exclude", copy.excludePatterns.joined(separator: " ")))
            }
            if copy.unpacks != .never { fields.append(StepRecord.Field("--unpack", "true")) }
            return fields
        case .makeFile(let path, let contents, let mode, let owner):
            return [
                StepRecord.Field("file \(path)", String(decoding: contents, as: UTF8.self)),
                StepRecord.Field("mode of \(path)", String(mode, radix: 8)),
                StepRecord.Field("owner of \(path)", owner?.summary ?? "root"),
            ]
        case .makeDirectory(let path, let mode, let owner):
            return [
                StepRecord.Field("directory", path), StepRecord.Field("mode", String(mode, radix: 8)),
                StepRecord.Field("USER", owner?.summary ?? "root"),
            ]
        case .remove(let path, let allowsMissing):
            return [StepRecord.Field("remove", path + (allowsMissing ? "" : " (required)"))]
        }
    }
}

extension Owner {
    fileprivate var summary: String { group.map { "\(user):\($0)" } ?? user }
}
