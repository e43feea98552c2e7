internal import ArgumentParser
internal import WhittleCore
internal import WhittleRegistry

/// `whittle logout`.
struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Forget the credentials for a registry.",
        discussion:
            "Takes them from the file that 'whittle login' writes, and from the credential helper that it names.")

    @Option(
        name: .customLong("authfile"),
        help: ArgumentHelp(
            "The file with credentials. Without it: $REGISTRY_AUTH_FILE, else docker's configuration.",
            valueName: "path"), completion: .file())
    var authenticationFile: String?

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Forget those of all registries.")
    var all = false

    @Argument(help: ArgumentHelp("As with 'whittle login'. Without it: Docker Hub.", valueName: "registry"))
    var registry: String?

    func validate() throws {
        if all, registry != nil { throw ValidationError("--all goes without a registry") }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let store = CredentialStore(
                environment: BuildCommand.environment, authenticationFile: authenticationFile)
            if all {
                for key in try await store.removeAll() { print("Removing login credentials for \(key)") }
                return
            }
            let key = try registry.map { try CredentialKey(parsing: $0) } ?? .hub
            if try await store.remove(key) {
                print("Removing login credentials for \(key)")
            } else {
                print("Not logged in to \(key)")
            }
            let others = try await store.otherFiles(knowing: key)
            for path in others {
                ProgressPrinter.writeToStandardError(
                    "warning: '\(path)' has credentials for \(key) as well: whittle logout --authfile '\(path)' \(key)\n"
                )
            }
        }
    }
}
