internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// The instructions that change the image configuration and what later steps see. Only WORKDIR makes a step.
extension StageLowering {
    mutating func lowerWorkingDirectory(_ path: Token) throws {
        let directory = ContainerPath.workingDirectory(try expand(path), after: state.image.config.workingDirectory)
        state.image.config.workingDirectory = directory
        let history = "WORKDIR \(directory)"
        let target = ContainerPath.clean(directory)
        guard target != "/" else {
            addHistory(history, makesLayer: false)
            return
        }
        let name = expansion.shown(instructionText, variables: state.environment, keepsQuotes: false)
        let user = state.image.config.user
        let owner = user.isEmpty ? nil : try ownerOfUser(user)
        var metadata = metadata(stepName(name), at: location)
        metadata.history = history
        let action = FileAction.makeDirectory(path: target, mode: 0o755, owner: owner)
        state.root = output.graph.add(
            .file(FileOp(base: state.root == nil ? nil : 0, actions: [action], time: options.fileTime)),
            inputs: state.root.map { [$0] } ?? [], metadata: metadata)
        addHistory(history, makesLayer: true)
    }

    /// USER's value as an owner of files.
    private func ownerOfUser(_ user: String) throws -> Owner {
        do throws(OwnerText.Invalid) {
            return try OwnerText.parse(user)
        } catch {
            throw BuildError.invalidUser(user, error, at: location)
        }
    }

    mutating func lowerEnvironment(_ assignments: [Instruction.Assignment]) throws {
        var history = "ENV"
        // Every value sees the variables as they were before the instruction.
        let expanded = try assignments.map { (try expand($0.name), try expand($0.value)) }
        for (name, value) in expanded {
            history += " \(name)=\(value)"
            state.setImageVariable(name, value)
        }
        addHistory(history, makesLayer: false)
    }

    mutating func lowerArguments(_ declarations: [Instruction.ArgumentDeclaration]) throws {
        var shown: [String] = []
        for declaration in declarations {
            let name = declaration.name.text
            let value: String?
            if let given = options.buildArguments[name] {
                value = given
            } else if let standard = declaration.value {
                value = try expand(standard)
            } else {
                value = globals.values[name]
            }
            if let value, !Self.undisclosedArguments.contains(name) { state.environment[name] = value }
            state.arguments.append(StageState.Argument(name: name, value: value))
            shown.append(value.map { "\(name)=\($0)" } ?? name)
        }
        addHistory("ARG " + shown.joined(separator: " "), makesLayer: false)
    }

    /// Arguments that speak to the builder and that no command sees.
    static let undisclosedArguments: Set<String> = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]

    mutating func lowerLabels(_ assignments: [Instruction.Assignment]) throws {
        var history = "LABEL"
        for assignment in assignments {
            let name = try expand(assignment.name)
            let value = try expand(assignment.value)
            state.image.config.labels[name] = value
            history += " \(name)=\(value)"
        }
        addHistory(history, makesLayer: false)
    }

    mutating func lowerUser(_ user: Token) throws {
        state.image.config.user = try expand(user)
        addHistory("USER \(state.image.config.user)", makesLayer: false)
    }

    mutating func lowerPorts(_ tokens: [Token]) throws {
        var ports: [String] = []
        for token in tokens.sorted(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }) {
            for word in try expansion.words(token, variables: state.environment, at: location(of: token.range)) {
                do throws(PortSpecification.Invalid) {
                    let port = try PortSpecification(parsing: word)
                    ports += port.ports
                    output.spend(32 * port.ports.count)
                } catch {
                    throw BuildError.invalidPort(word, error, at: location(of: token.range))
                }
                try output.checkSize(at: location)
            }
        }
        state.image.config.exposedPorts.formUnion(ports)
        addHistory("EXPOSE \(HistoryText.list(ports))", makesLayer: false)
    }

    mutating func lowerVolumes(_ tokens: [Token]) throws {
        try checkTrailingComment()
        let paths = try tokens.map { token in
            let path = try expand(token)
            guard !path.isEmpty else { throw BuildError.emptyVolume(token.text, at: location(of: token.range)) }
            return path
        }
        state.image.config.volumes.formUnion(paths)
        addHistory("VOLUME \(HistoryText.list(paths))", makesLayer: false)
    }

    mutating func lowerCommand(_ line: Instruction.CommandLine) {
        let arguments = withShell(line)
        state.image.config.command = arguments.isEmpty ? nil : arguments
        state.image.config.argsEscaped = true
        hasCommand = true
        addHistory("CMD \(HistoryText.quotedList(arguments))", makesLayer: false)
    }

    mutating func lowerEntrypoint(_ line: Instruction.CommandLine) {
        let arguments = withShell(line)
        state.image.config.entrypoint = arguments.isEmpty ? nil : arguments
        // The base's command belongs to the base's entrypoint.
        if !hasCommand { state.image.config.command = nil }
        addHistory("ENTRYPOINT \(HistoryText.quotedList(arguments))", makesLayer: false)
    }

    mutating func lowerHealthcheck(_ check: Instruction.Healthcheck) {
        let result: Healthcheck
        switch check {
        case .none: result = Healthcheck(test: ["NONE"])
        case .command(let line, let timing):
            func given(_ duration: Duration) -> Duration? { duration == .zero ? nil : duration }
            result = Healthcheck(
                test: [line.isShell ? "CMD-SHELL" : "CMD"] + line.arguments, interval: given(timing.interval),
                timeout: given(timing.timeout), startPeriod: given(timing.startPeriod),
                startInterval: given(timing.startInterval),
                retries: timing.retries == 0 ? nil : Int64(timing.retries))
        }
        state.image.config.healthcheck = result
        addHistory("HEALTHCHECK \(HistoryText.healthcheck(result))", makesLayer: false)
    }

    mutating func lowerStopSignal(_ token: Token) throws {
        let signal = try expand(token)
        guard StopSignal.isValid(signal) else { throw BuildError.invalidSignal(signal, at: location(of: token.range)) }
        state.image.config.stopSignal = signal
        addHistory("STOPSIGNAL \(signal)", makesLayer: false)
    }

    mutating func lowerShell(_ words: [Token]) {
        let shell = words.map(\.text)
        state.image.config.shell = shell
        addHistory("SHELL \(HistoryText.list(shell))", makesLayer: false)
    }

    mutating func lowerMaintainer(_ name: Token) {
        state.image.author = name.text
        addHistory("MAINTAINER \(name.text)", makesLayer: false)
    }

    // MARK: Shared

    /// The arguments of a command, with the shell in front where the shell form asks for it.
    func withShell(_ line: Instruction.CommandLine) -> [String] {
        line.isShell ? shell + [line.arguments.joined(separator: " ")] : line.arguments
    }

    /// What runs shell-form commands.
    var shell: [String] {
        guard let shell = state.image.config.shell, !shell.isEmpty else { return ["/bin/sh", "-c"] }
        return shell
    }

    /// The current instruction as one line with its keyword in upper case.
    var instructionText: String {
        guard let instruction = command?.instruction else { return "" }
        let rest = instruction.text.dropFirst(instruction.keyword.text.count)
        return instruction.name + rest
    }
}
