internal import WhittleCore
internal import WhittleEngine
internal import WhittleFileSystem
internal import WhittleRuntime

extension RunCommand {
    /// What the arguments ask for.
    func request() throws -> ContainerRequest {
        if process.detach { throw BuildError.notDetached() }
        var request = ContainerRequest(image: words[0], runtime: process.runtime)
        request.arguments = Array(words.dropFirst())
        request.entrypoint = process.entrypoint.map { $0.isEmpty ? [] : [$0] }
        for path in process.environmentFiles { request.environment += try Self.variables(inFileAt: path) }
        request.environment += try process.environment.compactMap { try EnvironmentLine($0, "--env").assignment }
        request.workingDirectory = process.workingDirectory
        request.user = process.user
        request.platform = try PlatformArgument.platform(process.platform)
        request.isRootReadOnly = files.isReadOnly
        request.mounts =
            try files.volumes.map { try MountArgument(volume: $0).mount }
            + files.mount.map { try MountArgument(mount: $0).mount }
            + files.tmpfs.map { try MountArgument(tmpfs: $0).mount }
        try addIsolation(to: &request)
        return request
    }

    private func addIsolation(to request: inout ContainerRequest) throws {
        request.name = try isolation.name.map { try Self.containerName($0) }
        request.hostname = isolation.hostname
        request.security = isolation.privileged ? .insecure : .sandbox
        request.capabilities = StepProcess.CapabilityChange(
            added: try Self.capabilities(isolation.addedCapabilities, "--cap-add"),
            dropped: try Self.capabilities(isolation.droppedCapabilities, "--cap-drop"))
        switch isolation.network {
        case "host", "default": request.network = .host
        case "none": request.network = .none
        case let other:
            throw BuildError.invalidArgument(
                "--network", other, "there is no such network",
                hint: "one of: host, none; a container has the network of this machine")
        }
        for text in isolation.ports { try PortArgument.check(text) }
        request.extraHosts = try isolation.hosts.map { text in
            let host = try HostArgument(parsing: text)
            return StepProcess.HostAddress(name: host.name, address: host.address)
        }
    }

    private static func capabilities(_ names: [String], _ option: String) throws(BuildError) -> Set<Capability> {
        var result: Set<Capability> = []
        for name in names {
            if name.uppercased() == "ALL" {
                result.formUnion(Capability.all)
            } else if let capability = Capability(parsing: name) {
                result.insert(capability)
            } else {
                let known = Capability.all.map { String($0.rawValue.dropFirst(4)) }
                throw .invalidArgument(
                    option, name, "Linux has no such capability",
                    hint: NearestName.of(name.uppercased(), among: known).map { "did you mean \($0)?" }
                        ?? "they are listed in capabilities(7)")
            }
        }
        return result
    }

    /// Docker's rule for names.
    private static func containerName(_ text: String) throws(BuildError) -> String {
        func isFirst(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        let isName =
            text.utf8.count > 1 && text.utf8.count < 200 && text.utf8.first.map(isFirst) ?? false
            && text.utf8.allSatisfy { isFirst($0) || "_.-".utf8.contains($0) }
        guard isName else {
            throw .invalidArgument(
                "--name", text, "it is no name", hint: "two or more of A-Z a-z 0-9 _ . -, a letter or digit first")
        }
        return text
    }

    private static func variables(inFileAt path: String) throws -> [String] {
        guard let bytes = try FileReading.bytes(ofFileAt: path, limit: 16 << 20) else {
            throw BuildError.invalidArgument(
                "--env-file", path, "there is no such file", hint: "name a file with one NAME=VALUE a line")
        }
        return try EnvironmentLine.assignments(inFile: bytes)
    }
}

extension BuildError {
    static func notDetached() -> BuildError {
        BuildError(
            .invalidArgument, "cannot run in the background with --detach: a container ends with its whittle",
            hint: "let the shell or a service manager run it: whittle run IMAGE &")
    }
}
