internal import WhittleCore
internal import WhittleFileSystem

/// The credentials that docker, podman and skopeo keep for registries.
///
/// Files are read anew for each question: a login during a long build counts.
public struct CredentialStore: Sendable {
    /// Paths of the files to ask, in order; those that do not exist are skipped.
    public var files: [String]

    public init(files: [String]) { self.files = files }

    /// The files of a user with this environment: `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`,
    /// `~/.config/containers/auth.json`, `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
    public init(environment: [String: String]) {
        func directory(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home = directory("HOME")
        var files: [String] = []
        if let explicit = directory("REGISTRY_AUTH_FILE") {
            files.append(explicit)
        } else if let runtime = directory("XDG_RUNTIME_DIR") {
            files.append("\(runtime)/containers/auth.json")
        }
        if let configuration = directory("XDG_CONFIG_HOME") ?? home.map({ "\($0)/.config" }) {
            files.append("\(configuration)/containers/auth.json")
        }
        if let docker = directory("DOCKER_CONFIG") ?? home.map({ "\($0)/.docker" }) {
            files.append("\(docker)/config.json")
        }
        self.files = files
    }

    /// The credentials for `repository` of `registry`, or `nil` where there are none.
    ///
    /// May run a credential helper, which may ask the user.
    ///
    /// - Throws: `malformed-credentials`, `credential-helper-failed`, `file-system`.
    public func credentials(registry: String, repository: String) async throws -> Credentials? {
        for path in files {
            let answer = try await BlockingPool.shared.run { () -> CredentialFile.Answer? in
                // A credentials file of a million bytes is none.
                guard let bytes = try FileReading.bytes(ofFileAt: path, limit: 1 << 20) else { return nil }
                return try CredentialFile(parsing: bytes, path: path)
                    .answer(registry: registry, repository: repository)
            }
            switch answer {
            case nil: continue
            case .credentials(let found): return found
            case .helper(let name, let server):
                let helper = try CredentialHelper(name: name)
                let found = try await BlockingPool.shared.runCancellable {
                    try helper.credentials(server: server, $0)
                }
                if let found { return found }
            }
        }
        return nil
    }
}
