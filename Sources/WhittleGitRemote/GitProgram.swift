internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittlePrograms

/// The program `git`, started so that nothing but its arguments decides what it does.
///
/// No settings of the system or the user, no hooks, no prompts, no helpers for credentials, no garbage collection in the
/// background. Protocols that run programs or read this machine's files are off, unless whittle itself copies from a
/// repository of its own. The environment is made anew; of that of the user only proxies and authorities are kept.
struct GitProgram: Sendable {
    private let program: HelperProgram
    private let searchPath: String

    /// - Throws: `program-missing`.
    init(for purpose: String) throws(BuildError) {
        searchPath = Self.variable("PATH") ?? "/usr/bin:/bin"
        guard let program = HelperProgram(named: "git", searchPath: searchPath) else {
            throw .programMissing("git", package: "git", for: purpose)
        }
        self.program = program
    }

    /// How a repository of this machine is treated.
    enum Reach {
        /// Repositories elsewhere, with what they are reached with.
        case network(GitAccess)
        /// Repositories of whittle's own, on this machine.
        case local
    }

    /// Runs git to its end. Blocks.
    ///
    /// - Parameters:
    ///   - receive: gets standard output instead of the result.
    /// - Returns: how it ended; failure of git is a result.
    /// - Throws: `HelperProgram.Failure`, `CancellationError`, what `receive` throws.
    func run(
        _ arguments: [String], _ reach: Reach, variables: [String] = [], cancellation: Cancellation?,
        receive: (([UInt8]) throws -> Void)? = nil
    ) throws -> HelperProgram.Result {
        try program.run(
            arguments, environment: environment(reach) + variables, outputLimit: 16 << 20,
            cancellation: cancellation, receiveOutput: receive)
    }

    private func environment(_ reach: Reach) -> [String] {
        var variables = [
            "PATH=\(searchPath)", "LC_ALL=C", "HOME=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null",
            "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=never",
            "GIT_NO_REPLACE_OBJECTS=1", "GIT_LFS_SKIP_SMUDGE=1",
        ]
        var settings = Self.settings
        switch reach {
        case .local: variables.append("GIT_ALLOW_PROTOCOL=file")
        case .network(let access):
            variables.append("GIT_ALLOW_PROTOCOL=http:https:git:ssh")
            variables += access.environment
            settings += access.settings.revealed
            variables += Self.kept.compactMap { name in Self.variable(name).map { "\(name)=\($0)" } }
        }
        variables.append("GIT_CONFIG_COUNT=\(settings.count)")
        for (index, setting) in settings.enumerated() {
            variables += ["GIT_CONFIG_KEY_\(index)=\(setting.name)", "GIT_CONFIG_VALUE_\(index)=\(setting.value)"]
        }
        return variables
    }

    /// The same for every start. In the environment, as it has the last word.
    private static let settings: [GitAccess.Setting] = [
        ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("core.attributesFile", "/dev/null"),
        ("core.excludesFile", "/dev/null"), ("core.autocrlf", "false"), ("core.symlinks", "true"),
        ("core.fileMode", "true"), ("core.logAllRefUpdates", "false"), ("credential.helper", ""),
        ("init.defaultBranch", "master"), ("init.templateDir", ""), ("advice.detachedHead", "false"), ("gc.auto", "0"),
        ("maintenance.auto", "false"), ("fetch.recurseSubmodules", "false"), ("submodule.recurse", "false"),
        ("pack.threads", "1"), ("safe.directory", "*"),
        // A transfer of fewer than 1000 bytes a second for a minute is a server that does not answer.
        ("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", "60"),
    ].map { GitAccess.Setting(name: $0.0, value: $0.1) }

    /// What counts of the user's environment: the way to the network, and whom to trust there.
    private static let kept = [
        "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]

    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
