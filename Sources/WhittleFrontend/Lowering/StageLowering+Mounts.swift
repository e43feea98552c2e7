internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// `RUN --mount`.
extension StageLowering {
    func lower(
        _ flags: [RunMountFlag], dependencies: [Dependency?], inputs: inout ExecInputs
    ) throws -> (mounts: [ExecMount], variables: [SecretVariable]) {
        var mounts: [ExecMount] = []
        var variables: [SecretVariable] = []
        for (flag, dependency) in zip(flags, dependencies) {
            let location = location(of: flag.value.range)
            let mount = try expansion.mount(flag, variables: state.environment, locate: location(of:))
            switch mount.type {
            case .bind:
                let source = try mountedFiles(dependency)
                mounts.append(
                    .bind(
                        input: inputs.add(source), source: sourcePath(mount.source),
                        target: try target(of: mount, at: location), isReadOnly: mount.isReadOnly))
            case .cache:
                mounts.append(.cache(try cache(mount, dependency: dependency, inputs: &inputs, at: location)))
            case .tmpfs:
                let size = mount.sizeLimit > 0 ? mount.sizeLimit : nil
                mounts.append(.tmpfs(target: try target(of: mount, at: location), size: size))
            case .secret:
                let secret = try secret(mount, at: location)
                if let file = secret.file { mounts.append(.secret(file)) }
                if let variable = secret.variable { variables.append(variable) }
            case .ssh:
                mounts.append(.ssh(try ssh(mount, number: mounts.count(where: \.isSSH), at: location)))
            }
        }
        return (mounts, variables)
    }

    /// What a bind mount shows: what `from` names, or the build context.
    private func mountedFiles(_ dependency: Dependency?) throws -> Edge? {
        if let dependency { return try files(of: dependency) }
        return output.source(ofDirectory: "context", ignore: options.ignore)
    }

    private func cache(
        _ mount: RunMount, dependency: Dependency?, inputs: inout ExecInputs, at location: SourceLocation
    ) throws -> CacheMount {
        let target = try target(of: mount, at: location)
        let written = mount.id ?? ""
        let id = written.isEmpty ? ContainerPath.clean(mount.target ?? "") : written
        let namespace = options.buildArguments["BUILDKIT_CACHE_MOUNT_NS"] ?? ""
        let sharing: CacheMount.Sharing =
            switch mount.sharing {
            case .shared, nil: .shared
            case .private: .private
            case .locked: .locked
            }
        return CacheMount(
            id: namespace.isEmpty ? id : "\(namespace)/\(id)", target: target, sharing: sharing,
            isReadOnly: mount.isReadOnly, input: try dependency.flatMap { inputs.add(try files(of: $0)) },
            source: sourcePath(mount.source), uid: mount.uid ?? 0, gid: mount.gid ?? 0,
            mode: UInt16(truncatingIfNeeded: mount.mode.map { $0 & 0o7777 } ?? 0o755))
    }

    private func secret(
        _ mount: RunMount, at location: SourceLocation
    ) throws -> (file: SecretMount?, variable: SecretVariable?) {
        let named = [mount.source, mount.id].compactMap { $0 }.first { !$0.isEmpty }
        let path = mount.target.flatMap { $0.isEmpty ? nil : $0 }
        guard let id = named ?? path.map({ ContainerPath.lastPart($0) }) else {
            throw BuildError.mountWithoutName("secret", at: location)
        }
        let variable = mount.environmentVariable.map { name in
            SecretVariable(id: id, name: name.isEmpty ? id : name, isRequired: mount.isRequired)
        }
        guard variable == nil || path != nil else { return (nil, variable) }
        let target = path ?? "/run/secrets/\(ContainerPath.lastPart(id))"
        let file = SecretMount(
            id: id, target: try self.target(target, at: location), isRequired: mount.isRequired, uid: mount.uid ?? 0,
            gid: mount.gid ?? 0, mode: UInt16(truncatingIfNeeded: mount.mode.map { $0 & 0o7777 } ?? 0o400))
        return (file, variable)
    }

    /// - Parameter number: how many ssh mounts the instruction has before this one.
    private func ssh(_ mount: RunMount, number: Int, at location: SourceLocation) throws -> SSHMount {
        let target = mount.target ?? ""
        return SSHMount(
            id: mount.id ?? "default",
            target: try target.isEmpty ? "/run/buildkit/ssh_agent.\(number)" : self.target(target, at: location),
            isRequired: mount.isRequired, uid: mount.uid ?? 0, gid: mount.gid ?? 0,
            mode: UInt16(truncatingIfNeeded: mount.mode.map { $0 & 0o7777 } ?? 0o600))
    }

    /// Where a mount appears: relative to the working directory, which stands for a missing target too.
    private func target(of mount: RunMount, at location: SourceLocation) throws -> String {
        try target(mount.target ?? "", at: location)
    }

    private func target(_ path: String, at location: SourceLocation) throws -> String {
        let target = ContainerPath.resolve(path, in: state.workingDirectory)
        guard target != "/" else { throw BuildError.mountOverRoot(written: path, at: location) }
        return target
    }

    /// The part of the mounted files that is shown.
    private func sourcePath(_ path: String?) -> String { ContainerPath.resolve(path ?? "", in: "/") }
}

extension ExecMount {
    var isSSH: Bool { if case .ssh = self { true } else { false } }
}
