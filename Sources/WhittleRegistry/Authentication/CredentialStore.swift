internal import WhittleCore
internal import WhittleFileSystem

/// The credentials that docker, podman and skopeo keep for registries.
///
/// Files are read anew for each question: a login during a long build counts.
public struct CredentialStore: Sendable {
    /// Paths of the files to ask, in order; those that do not exist are skipped.
    public var files: [String]
    /// The file that a login changes; `nil` where there is none.
    public var primaryFile: String?
    /// Used for every registry in the place of what files and helpers have.
    public var given: Credentials?
    /// `credential-helpers` of `registries.conf`: helpers to ask about every registry, in order; the name
    /// `containers-auth.json` stands for the files.
    public var helpers = [Self.filesName]

    /// What stands for the files in ``helpers``.
    static let filesName = "containers-auth.json"

    public init(files: [String]) {
        self.files = files
        primaryFile = files.first
    }

    /// The files of a user with this environment, by podman's rules: `$REGISTRY_AUTH_FILE` alone, else
    /// `$DOCKER_CONFIG/config.json` alone, else `$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/UID/auth.json`),
    /// `~/.config/containers/auth.json` and `~/.docker/config.json`.
    ///
    /// A login changes the one that is named, or docker's.
    ///
    /// - Parameter authenticationFile: a file that is named on the command line, and goes before everything.
    public init(environment: [String: String], authenticationFile: String? = nil) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let named =
            authenticationFile ?? value("REGISTRY_AUTH_FILE") ?? value("DOCKER_CONFIG").map { "\($0)/config.json" }
        if let named {
            self.init(files: [named])
            return
        }
        let home = value("HOME")
        let runtime = value("XDG_RUNTIME_DIR") ?? "/run/containers/\(StartingUser.identifier)"
        let configuration = value("XDG_CONFIG_HOME") ?? home.map { "\($0)/.config" }
        let docker = home.map { "\($0)/.docker/config.json" }
        self.init(
            files: [
                value("XDG_RUNTIME_DIR") == nil ? "\(runtime)/auth.json" : "\(runtime)/containers/auth.json",
                configuration.map { "\($0)/containers/auth.json" }, docker,
            ].compactMap { $0 })
        primaryFile = docker
    }

    /// The credentials for `repository` of `registry`, or `nil` where there are none.
    ///
    /// May run a credential helper, which may ask the user.
    ///
    /// - Throws: `malformed-credentials`, `credential-helper-failed`, `file-system`.
    public func credentials(registry: String, repository: String) async throws -> Credentials? {
        if let given { return given }
        for helper in helpers {
            let found =
                helper == Self.filesName
                ? try await credentialsInFiles(registry: registry, repository: repository)
                : try await ask(helper, CredentialKey(registry: registry).server)
            if let found { return found }
        }
        return nil
    }

    private func credentialsInFiles(registry: String, repository: String) async throws -> Credentials? {
        for path in files {
            let answer = try await BlockingPool.shared.run {
                try Self.read(path)?.answer(registry: registry, repository: repository)
            }
            switch answer {
            case nil: continue
            case .credentials(let found): return found
            case .helper(let name, let server):
                if let found = try await ask(name, server) { return found }
            }
        }
        return nil
    }

    private func ask(_ name: String, _ server: String) async throws -> Credentials? {
        let helper = try CredentialHelper(name: name)
        return try await BlockingPool.shared.runCancellable { try helper.credentials(server: server, $0) }
    }

    /// The file at `path`; `nil` where there is none.
    static func read(_ path: String) throws -> CredentialFile? {
        // A credentials file of a million bytes is none.
        try FileReading.bytes(ofFileAt: path, limit: 1 << 20).map { try CredentialFile(parsing: $0, path: path) }
    }
}
