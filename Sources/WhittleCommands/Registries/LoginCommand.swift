internal import ArgumentParser
internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleRegistry

/// `whittle login`.
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in to a registry.",
        discussion: """
            Asks for what is not given, shows the credentials to the registry, and keeps them where docker does, or in \
            $REGISTRY_AUTH_FILE as skopeo, buildah and podman do; with a credential helper where the file names one.
            """)

    @OptionGroup var registries: RegistryOptions

    @Option(name: [.customShort("u"), .customLong("username")], help: ArgumentHelp("The user.", valueName: "name"))
    var user: String?

    @Option(
        name: [.customShort("p"), .customLong("password")],
        help: ArgumentHelp(
            "The password or access token; others can see it in the list of processes.", valueName: "password"))
    var password: String?

    @Flag(name: .customLong("password-stdin"), help: "Take the password from standard input.")
    var readsPassword = false

    @Flag(name: .customLong("get-login"), help: "Print the user who is logged in, and do nothing else.")
    var showsUser = false

    @Argument(
        help: ArgumentHelp(
            "The registry, HOST[:PORT]; in files other than docker's also HOST/NAMESPACE. Without it: Docker Hub.",
            valueName: "registry"))
    var registry: String?

    func validate() throws {
        if readsPassword, password != nil {
            throw ValidationError("--password and --password-stdin exclude each other")
        }
        if readsPassword, user == nil { throw ValidationError("--password-stdin goes with --username") }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let key = try registry.map { try CredentialKey(parsing: $0) } ?? .hub
            let settings = try registries.settings()
            if showsUser { return try await printUser(key, settings) }
            if password != nil {
                ProgressPrinter.writeToStandardError(
                    "warning: a password on the command line can be seen by others; use --password-stdin\n")
            }
            try await logIn(key, settings)
        }
    }

    private func printUser(_ key: CredentialKey, _ settings: RegistrySettings) async throws {
        guard let known = try await settings.credentials.credentials(registry: key.registry, repository: key.path)
        else {
            throw BuildError.notLoggedIn(key)
        }
        print(known.user ?? "<token>")
    }

    private func logIn(_ key: CredentialKey, _ settings: RegistrySettings) async throws {
        var settings = settings
        let store = settings.credentials
        let known = try await store.credentials(registry: key.registry, repository: key.path)
        if user == nil, password == nil, let known, await isStillValid(known, key, settings) {
            print("Login Succeeded")
            return
        }
        let user = try await name(key, default: known?.user)
        guard !user.isEmpty else { throw BuildError.missingCredentials("user name") }
        let password = try await secret(key)
        guard !password.isEmpty else { throw BuildError.missingCredentials("password") }
        var credentials = Credentials.password(user: user, Redacted(password))
        settings.credentials.given = credentials
        switch try await RegistryClient(settings: settings).login(to: key) {
        case .accepted: break
        case .identityToken(let token): credentials = .identityToken(token)
        case .notAsked:
            ProgressPrinter.writeToStandardError("warning: \(key) asks nobody for credentials; they were not tried\n")
        }
        let place = try await store.save(credentials, user: user, for: key)
        if case .file(let path) = place {
            ProgressPrinter.writeToStandardError(
                "warning: the credentials are not encrypted in '\(path)'; a credential helper keeps them elsewhere\n")
        }
        print("Login Succeeded")
    }

    /// Tries credentials of an earlier login.
    private func isStillValid(_ known: Credentials, _ key: CredentialKey, _ settings: RegistrySettings) async -> Bool {
        var settings = settings
        settings.credentials.given = known
        let user = known.user.map { " of '\($0)'" } ?? ""
        ProgressPrinter.writeToStandardError("trying the credentials\(user) of an earlier login\n")
        do {
            _ = try await RegistryClient(settings: settings).login(to: key)
            return true
        } catch {
            // The person is asked for better ones then, and sees what is wrong with those.
            ProgressPrinter.writeToStandardError("\(ErrorText.of(error))\n")
            return false
        }
    }

    private func name(_ key: CredentialKey, default known: String?) async throws -> String {
        if let user { return user }
        guard TerminalPrompt.isPossible else { throw BuildError.nobodyToAsk(key) }
        let answer = try await TerminalPrompt.ask("Username\(known.map { " (\($0))" } ?? ""): ")
        return answer.flatMap { $0.isEmpty ? nil : $0 } ?? known ?? ""
    }

    private func secret(_ key: CredentialKey) async throws -> String {
        if let password { return password }
        if readsPassword { return try await Self.passwordFromInput() }
        guard TerminalPrompt.isPossible else { throw BuildError.nobodyToAsk(key) }
        return try await TerminalPrompt.ask("Password: ", isSecret: true) ?? ""
    }

    /// All of standard input, without a line end at its end.
    private static func passwordFromInput() async throws -> String {
        let bytes = try await BlockingPool.shared.run {
            try describing("read", "standard input") { () throws(Errno) in
                try FileReading.bytes(of: .standardInput, limit: 1 << 20)
            }
        }
        var text = String(decoding: bytes, as: UTF8.self)
        if text.hasSuffix("\n") { text.removeLast() }
        if text.hasSuffix("\r") { text.removeLast() }
        return text
    }
}

extension BuildError.Code {
    /// Nothing is known of a login.
    static let notLoggedIn = Self(rawValue: "not-logged-in")
    /// A login lacks a name or a password.
    static let missingCredentials = Self(rawValue: "missing-credentials")
}

extension BuildError {
    static func notLoggedIn(_ key: CredentialKey) -> BuildError {
        BuildError(.notLoggedIn, "not logged in to \(key)", hint: "whittle login \(key)")
    }

    static func missingCredentials(_ what: String) -> BuildError {
        BuildError(.missingCredentials, "the \(what) is empty", hint: "a login needs a user name and a password")
    }

    static func nobodyToAsk(_ key: CredentialKey) -> BuildError {
        BuildError(
            .missingCredentials, "cannot ask for name and password: standard input is no terminal",
            hint: "whittle login -u NAME --password-stdin \(key) < FILE")
    }
}
