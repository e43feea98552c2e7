internal import WhittleCore
internal import WhittleFileSystem

/// Everything that a ``RegistryClient`` takes from its surroundings.
public struct RegistrySettings: Sendable {
    public var registries: RegistriesConfiguration
    public var credentials: CredentialStore
    /// Directories with a subdirectory `HOST[:PORT]` for each registry with certificates of its own, first match wins.
    public var certificateDirectories: [String]
    /// Whether registries must have trusted certificates, whatever the configuration says; `nil` leaves it to that.
    public var verifiesTLS: Bool?
    /// The certificates for every registry, in the place of those in ``certificateDirectories``.
    public var certificateDirectory: String?

    public init(
        registries: RegistriesConfiguration = RegistriesConfiguration(),
        credentials: CredentialStore = CredentialStore(files: []), certificateDirectories: [String] = []
    ) {
        self.registries = registries
        self.credentials = credentials
        self.certificateDirectories = certificateDirectories
    }

    /// The settings of a user with this environment, from the same files as podman, skopeo and docker.
    ///
    /// The main file is `$CONTAINERS_REGISTRIES_CONF`, else `~/.config/containers/registries.conf`, else
    /// `/etc/containers/registries.conf`; then come the `.conf` files of `registries.conf.d`: of the user alone where the
    /// user's main file was read, else of the system and of the user.
    ///
    /// - Parameters:
    ///   - root: what stands before the system's paths; for tests.
    ///   - authenticationFile: the file with credentials that the command line names.
    /// - Throws: `malformed-registries-conf`, `file-system`.
    public static func load(
        environment: [String: String], root: String = "", authenticationFile: String? = nil
    ) throws -> RegistrySettings {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let user = (value("XDG_CONFIG_HOME") ?? value("HOME").map { "\($0)/.config" }).map { "\($0)/containers" }
        let system = "\(root)/etc/containers"
        var configuration = RegistriesConfiguration()
        var directories = [system, user].compactMap { $0 }
        if let explicit = value("CONTAINERS_REGISTRIES_CONF") {
            guard try apply(explicit, to: &configuration) else {
                throw BuildError.malformedRegistriesConfiguration(
                    explicit, "there is no such file, but $CONTAINERS_REGISTRIES_CONF names it")
            }
        } else if let user, try apply("\(user)/registries.conf", to: &configuration) {
            directories = [user]
        } else {
            _ = try apply("\(system)/registries.conf", to: &configuration)
        }
        for directory in directories {
            for path in try dropIns("\(directory)/registries.conf.d") { _ = try apply(path, to: &configuration) }
        }
        var credentials = CredentialStore(environment: environment, authenticationFile: authenticationFile)
        if !configuration.credentialHelpers.isEmpty { credentials.helpers = configuration.credentialHelpers }
        return RegistrySettings(
            registries: configuration, credentials: credentials,
            certificateDirectories: [user, system, "\(root)/etc/docker"].compactMap { $0 }.map { "\($0)/certs.d" })
    }

    /// Returns whether there is such a file.
    private static func apply(_ path: String, to configuration: inout RegistriesConfiguration) throws -> Bool {
        guard let bytes = try FileReading.bytes(ofFileAt: path, limit: 1 << 20) else { return false }
        try RegistriesConfigurationParser(bytes, path: path).apply(to: &configuration)
        return true
    }

    private static func dropIns(_ directory: String) throws -> [String] {
        try fileNames(in: directory).filter { $0.hasSuffix(".conf") }.map { "\(directory)/\($0)" }
    }

    /// The names in `directory` in byte order; none where it does not exist.
    static func fileNames(in directory: String) throws -> [String] {
        do throws(BuildError) {
            let root = try RootDirectory(directory)
            return try root.names(in: "/").map { "\($0)" }
        } catch {
            guard error.isMissingFile else { throw error }
            return []
        }
    }
}
