internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// RUN: an exec vertex.
extension StageLowering {
    mutating func lower(_ run: Instruction.Run, dependencies: [Dependency?]) throws {
        try checkRights(of: run)
        var inputs = ExecInputs(root: state.root)
        var mounts: [ExecMount] = []
        let script = RunScript(run)
        var arguments = withShell(run.command)
        var shown = instructionText
        switch script {
        case .none: break
        case .file(let name, let contents, let summary):
            let file = output.inlineDocument(contents, name: name, mode: 0o755, at: location)
            mounts.append(
                .bind(input: inputs.add(file), source: "/", target: RunScript.directory, isReadOnly: true))
            arguments = ["\(RunScript.directory)/\(name)"]
            if run.command.isShell { arguments = shell + arguments }
            shown += " (\(summary))"
        case .shell(let text, let summary):
            arguments = shell + [text]
            if let summary { shown += " (\(summary))" }
        }
        guard !arguments.isEmpty else { throw BuildError.emptyCommand(at: location) }
        let lowered = try lower(run.mounts, dependencies: dependencies, inputs: &inputs)
        output.spend(state.environment.size)
        var op = ExecOp(
            arguments: arguments, environment: environment + agentVariable(lowered.mounts),
            uncachedEnvironment: options.proxyEnvironment,
            workingDirectory: state.workingDirectory, user: state.image.config.user, rootInput: inputs.rootInput,
            mounts: mounts + lowered.mounts, secretEnvironment: lowered.variables, network: network(of: run))
        op.allowsSecretLeak = options.allowsSecretLeak && op.usesSecrets
        op.security = run.security == .insecure ? .insecure : .sandbox
        op.extraHosts = options.steps.extraHosts
        op.sharedMemory = options.steps.sharedMemory
        op.limits = options.steps.limits
        op.hostname = options.sandboxHostname
        op.devices = try devices(of: run)
        let history = "RUN \(runText(arguments)) # buildkit"
        // A secret that a command gets as a variable is shown as such, not as unset.
        var variables = state.environment
        for secret in lowered.variables { variables[secret.name] = "****" }
        let name = stepName(expansion.shown(shown, variables: variables, keepsQuotes: true))
        var metadata = metadata(name, at: location, ignoresCache: stage.ignoresCache)
        metadata.history = history
        state.root = output.graph.add(.exec(op), inputs: inputs.edges, metadata: metadata)
        addHistory(history, makesLayer: true)
    }

    /// The variables of the stage, in a reproducible build with the epoch, so that Python writes bytecode that is checked by
    /// hash, and other tools write no clock, either.
    private var environment: [String] {
        let name = "SOURCE_DATE_EPOCH"
        guard options.isReproducible, let epoch = options.sourceDateEpoch, state.environment[name] == nil else {
            return state.environment.assignments
        }
        return state.environment.assignments + ["\(name)=\(epoch.seconds)"]
    }

    /// As BuildKit: the first ssh mount is the agent that programs find, unless the stage says another.
    private func agentVariable(_ mounts: [ExecMount]) -> [String] {
        let name = "SSH_AUTH_SOCK"
        guard let mount = mounts.first(where: \.isSSH), state.environment[name] == nil else { return [] }
        return ["\(name)=\(mount.target)"]
    }

    /// Refuses what the user did not allow. A build whose steps are on the host's network anyway gains nothing by
    /// `--network=host`, but the Dockerfile may be built elsewhere, so it asks as BuildKit does.
    private func checkRights(of run: Instruction.Run) throws {
        if run.security == .insecure, !options.entitlements.allows(.insecureSecurity) {
            throw BuildError.notAllowed(
                "--security=insecure", Entitlements.Right.insecureSecurity.rawValue, at: flagLocation("security"))
        }
        if run.network == .host, !options.entitlements.allows(.hostNetwork) {
            throw BuildError.notAllowed(
                "--network=host", Entitlements.Right.hostNetwork.rawValue, at: flagLocation("network"))
        }
    }

    private func devices(of run: Instruction.Run) throws -> [DeviceRequest] {
        try run.devices.map { device in
            guard let name = options.entitlements.device(device.name) else {
                throw BuildError.notAllowed(
                    "--device=\(device.name)", "device=\(device.name)", at: location(of: device.value.range))
            }
            return DeviceRequest(name: name, isRequired: device.isRequired)
        }
    }

    private func flagLocation(_ name: String) -> SourceLocation {
        let flag = command?.instruction.flags.first { $0.name.text == name }
        return flag.map { location(of: $0.range) } ?? location
    }

    private func network(of run: Instruction.Run) -> NetworkMode {
        switch run.network {
        case .default: options.network
        case .none: .none
        case .host: .host
        }
    }

    /// The command with the declared build arguments in front, as docker's history has it: `|1 A=b /bin/sh -c make`.
    private func runText(_ arguments: [String]) -> String {
        var positions: [String: Int] = [:]
        var shown: [String] = []
        for argument in state.arguments {
            let text = "\(argument.name)=\(state.environment[argument.name] ?? argument.value ?? "")"
            if let index = positions[argument.name] {
                shown[index] = text
            } else {
                positions[argument.name] = shown.count
                shown.append(text)
            }
        }
        if !shown.isEmpty { shown.insert("|\(shown.count)", at: 0) }
        return (shown + arguments).joined(separator: " ")
    }
}

/// The inputs of an exec vertex while they are collected; the root file system, where there is one, is the first.
struct ExecInputs {
    private(set) var edges: [Edge]
    let rootInput: Int?

    init(root: Edge?) {
        edges = root.map { [$0] } ?? []
        rootInput = root == nil ? nil : 0
    }

    /// The position of `edge`, which is added where it is new; `nil` for an empty file system.
    mutating func add(_ edge: Edge?) -> Int? {
        guard let edge else { return nil }
        if let position = edges.firstIndex(of: edge) { return position }
        edges.append(edge)
        return edges.count - 1
    }
}
