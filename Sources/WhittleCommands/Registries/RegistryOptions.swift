internal import ArgumentParser
internal import WhittleRegistry

/// How a command talks to registries.
struct RegistryOptions: ParsableArguments {
    @Option(
        name: .customLong("tls-verify"),
        help: ArgumentHelp(
            "Whether registries must have trusted certificates; false also allows plain HTTP. Without it: as "
                + "registries.conf says.", valueName: "true|false"))
    var verifiesTLS: Bool?

    @Option(
        name: .customLong("authfile"),
        help: ArgumentHelp(
            "The file with credentials. Without it: $REGISTRY_AUTH_FILE, else $DOCKER_CONFIG/config.json, else those of "
                + "podman and docker.", valueName: "path"),
        completion: .file())
    var authenticationFile: String?

    @Option(
        name: .customLong("cert-dir"),
        help: ArgumentHelp(
            "A directory with *.crt, *.cert and *.key for the registry, in the place of those in certs.d.",
            valueName: "path"),
        completion: .directory)
    var certificateDirectory: String?

    /// The settings of the user's environment, and what the options say.
    ///
    /// - Parameters:
    ///   - verifiesTLS: goes before the option of this group.
    ///   - authenticationFile: likewise.
    /// - Throws: `malformed-registries-conf`, `file-system`.
    func settings(verifiesTLS: Bool? = nil, authenticationFile: String? = nil) throws -> RegistrySettings {
        var settings = try RegistrySettings.load(
            environment: BuildCommand.environment, authenticationFile: authenticationFile ?? self.authenticationFile)
        settings.verifiesTLS = verifiesTLS ?? self.verifiesTLS
        settings.certificateDirectory = certificateDirectory
        return settings
    }
}
