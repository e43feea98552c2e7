internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
internal import WhittleRuntime

/// Decides what runs in a container: the image's configuration with what was asked for over it, as Docker does.
struct ContainerProcess {
    let request: ContainerRequest
    let configuration: ContainerConfiguration
    /// Whether it gets a terminal.
    let hasTerminal: Bool
    let identifier: String

    /// The process, still without its mounts.
    ///
    /// - Throws: `no-command`, `invalid-step`.
    func process() throws(BuildError) -> StepProcess {
        let arguments = arguments
        guard !arguments.isEmpty else { throw .noCommand(request.image) }
        var process = StepProcess(
            arguments: arguments, environment: environment, workingDirectory: workingDirectory,
            user: request.user ?? configuration.user, hostname: hostname, network: request.network,
            security: request.security, extraHosts: request.extraHosts)
        process.capabilities = request.capabilities
        process.isRootReadOnly = request.isRootReadOnly
        process.ownsHostFiles = true
        return process
    }

    private var arguments: [String] {
        // Another entrypoint does not go with the arguments of the old one.
        let inherited = request.entrypoint == nil ? configuration.command ?? [] : []
        return (request.entrypoint ?? configuration.entrypoint ?? [])
            + (request.arguments.isEmpty ? inherited : request.arguments)
    }

    private var workingDirectory: String {
        if let wanted = request.workingDirectory, !wanted.isEmpty { return wanted }
        return configuration.workingDirectory.isEmpty ? "/" : configuration.workingDirectory
    }

    private var hostname: String { request.hostname ?? identifier }

    /// Of two variables with one name the later one counts, in the place of the earlier.
    private var environment: [String] {
        var variables: [String] = []
        let own = ["HOSTNAME=\(hostname)"] + (hasTerminal ? ["TERM=xterm"] : [])
        for variable in configuration.environment + own + request.environment {
            let name = variable.prefix { $0 != "=" }
            if let position = variables.firstIndex(where: { $0.prefix { $0 != "=" } == name }) {
                variables[position] = variable
            } else {
                variables.append(variable)
            }
        }
        return variables
    }
}

extension BuildError.Code {
    /// An image says nothing to run, and neither did the user.
    static let noCommand = Self(rawValue: "no-command")
}

extension BuildError {
    static func noCommand(_ image: String) -> BuildError {
        BuildError(
            .noCommand, "running '\(printable(image))': the image has neither an entrypoint nor a command",
            hint: "name a program after the image: whittle run IMAGE PROGRAM [ARGUMENT…]")
    }
}
