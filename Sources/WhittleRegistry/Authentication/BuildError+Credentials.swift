internal import WhittleCore
internal import WhittleFileSystem

// Wordings about credentials and logins.
extension BuildError {
    static func malformedCredentials(_ path: String, _ problem: String) -> BuildError {
        BuildError(
            .malformedCredentials, "cannot read the credentials in '\(path)': \(problem)",
            hint: "log in again, or remove the file")
    }

    static func credentialHelperFailed(_ program: String, _ problem: String) -> BuildError {
        BuildError(
            .credentialHelperFailed, "cannot get credentials from '\(printable(program))': \(problem)",
            hint: "install the helper, or remove it from 'credHelpers' and 'credsStore' in the docker configuration")
    }

    static func invalidRegistryName(_ text: String, _ problem: String) -> BuildError {
        BuildError(
            .invalidRegistryName, "'\(printable(String(text.prefix(200))))' is no name of a registry: \(problem)",
            hint: "write HOST, HOST:PORT, or HOST/NAMESPACE: registry.example.com:5000")
    }

    static func pathInDockerFile(_ key: CredentialKey, _ path: String) -> BuildError {
        BuildError(
            .invalidRegistryName,
            "cannot keep credentials for '\(key)' in '\(path)': docker's configuration has them for whole registries",
            hint: "log in to '\(key.registry)', or name a file of another format: --authfile auth.json")
    }

    static func noCredentialsFile() -> BuildError {
        BuildError(
            .noCredentialsFile, "there is no file to keep credentials in: $HOME is not set",
            hint: "set HOME, DOCKER_CONFIG or REGISTRY_AUTH_FILE, or name a file with --authfile")
    }

    /// A registry does not let somebody in.
    static func loginRefused(
        _ registry: String, user: String?, _ complaint: RegistryComplaint, cause: (any Error)? = nil
    ) -> BuildError {
        BuildError(
            .registryUnauthorized,
            "cannot log in to \(registry): it refuses the credentials\(user.map { " of '\(printable($0))'" } ?? "")"
                + complaint.sentence,
            hint: "check name and password; many registries want an access token in the place of the password",
            cause: cause)
    }
}
