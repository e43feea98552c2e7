internal import Glibc
internal import WhittleCore
internal import WhittleEngine
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleRuntime
internal import WhittleSSH
internal import WhittleStore

extension BuildCommand {
    /// Does what the arguments ask for.
    func build(_ printer: ProgressPrinter) async throws {
        let outputs = try outputPlan()
        try outputs.check(standardOutputIsTerminal: isatty(1) == 1, writesImageID: output.iidfile != nil)
        for path in [output.iidfile, output.metadataFile].compactMap({ $0 }) { try OutputPlan.check(file: path) }
        var request = try request()
        request.measures = printer.wantsSizes
        if execution.shellOnFailure {
            guard isatty(0) == 1 else { throw BuildError.notATerminal("standard input", for: "--shell-on-failure") }
            request.failureShell = FailureTerminal(printer: printer).shell
        }
        let limit = try cache.storageLimit()
        try ProcessNamespaces.require()
        let store = try BuildStore(openingAt: store.directory)
        let builder = Builder(
            store: store, settings: { try RegistrySettings.load(environment: Self.environment) },
            report: { printer.handle($0) })
        let results: [ExportResult]
        do {
            results = try await builder.build(request, outputs: outputs)
        } catch {
            // The error of the build is the one to show; what stays is swept by the next build.
            try? store.close()
            throw error
        }
        try store.close()
        try report(results, outputs)
        try BuildStore.sweep(store)
        if let limit { await StorageCeiling(root: store.layout.root, limit: limit).keep { printer.handle($0) } }
    }

    func outputPlan() throws(BuildError) -> OutputPlan {
        let plan = try OutputPlan(
            values: output.outputs, tags: output.tags.map { text throws(BuildError) in try Self.reference(text) },
            annotations: ImageAnnotations(parsing: output.annotations), platforms: platforms(),
            makesIndex: try asksForIndex(), loadsIntoDocker: output.load, pushes: output.push)
        // Not read where no output needs it: what it says may be of no use to us.
        guard plan.loadsIntoDocker, let host = StoreOptions.variable("DOCKER_HOST") else { return plan }
        return plan.reaching(try DockerSocket(host: host))
    }

    /// Whether the image gets an index, which one for a single platform does not have by itself.
    private func asksForIndex() throws(BuildError) -> Bool {
        var options = BuildOptions()
        for text in input.buildArguments {
            let (name, value) = try Self.assignment(text, "--build-arg")
            options.buildArguments[name] = value ?? StoreOptions.variable(name)
        }
        return options.asksForIndex
    }

    private func report(_ results: [ExportResult], _ outputs: OutputPlan) throws {
        if let path = output.iidfile {
            try AtomicFile.write(ExportResult.imageIDFile(results), to: path, isDurable: false)
        }
        if let path = output.metadataFile {
            try AtomicFile.write(ExportResult.metadataFile(results), to: path, isDurable: false)
        }
        if output.mode == .quiet, !outputs.usesStandardOutput, let last = results.last { print(last.imageID) }
    }

    /// - Parameter given: the files of the build, where the options do not name them.
    func request(_ given: BuildInput? = nil) throws -> BuildRequest {
        let input = try given ?? BuildInput(file: self.input.file, context: context)
        var request = BuildRequest(
            dockerfile: input.dockerfile, dockerfileName: input.dockerfileName,
            stepLimit: execution.jobs ?? 2 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), runtime: execution.runtime)
        request.contextDirectory = input.context
        request.remoteContext = input.remote
        request.options.ignore = input.ignore
        request.pullsAlways = cache.pull
        request.explains = output.explain
        request.layerLimit = try cache.layerLimit()
        try addOptions(to: &request.options)
        request.platforms = try platforms()
        request.options.isReproducible = output.reproducible
        if let text = output.timestamp {
            guard let time = Timestamp(epoch: text) else {
                throw BuildError.invalidArgument(
                    "--timestamp", text, "it is no number of seconds", hint: "give the seconds since 1970-01-01")
            }
            request.options.sourceDateEpoch = time
            request.setsAllTimes = true
        }
        if !steps.deviceDirectories.isEmpty {
            request.deviceDirectories = steps.deviceDirectories.map { StoreOptions.absolute($0) }
        }
        request.squashes = output.squash
        request.resources = try steps.stepResources()
        for text in self.input.secret {
            let secret = try SecretArgument(parsing: text)
            guard secret.source != .standardInput || !(self.input.file == "-" || context == "-") else {
                throw BuildError.contextUnusable(
                    "standard input cannot be both the secret '\(secret.id)' and "
                        + (context == "-" ? "the context" : "the Dockerfile"),
                    hint: "give the secret from a file or a variable: --secret id=ID,src=FILE or id=ID,env=NAME")
            }
            request.secrets[secret.id] = try secret.value()
        }
        for text in self.input.ssh {
            let argument = try SSHArgument(parsing: text)
            guard request.agents[argument.id] == nil else {
                throw BuildError.invalidSSH(text, "there are two with the id '\(argument.id)'")
            }
            request.agents[argument.id] = try argument.forward(environment: Self.environment)
        }
        try completeRepositoryContext(&request)
        return request
    }

    /// What docker does for a context in a git repository: `.git` is kept where a build argument says so, and one that takes
    /// ssh may use the agent of the user without `--ssh`.
    private func completeRepositoryContext(_ request: inout BuildRequest) throws {
        guard case .git(var source) = request.remoteContext?.source else { return }
        if let keeps = request.options.buildArguments["BUILDKIT_CONTEXT_KEEP_GIT_DIR"],
            ["1", "t", "T", "true", "TRUE", "True"].contains(keeps)
        {
            source.keepsRepository = true
            request.remoteContext?.source = .git(source)
        }
        let hasAgent = StoreOptions.variable("SSH_AUTH_SOCK")?.isEmpty == false
        if source.transport == .ssh, input.ssh.isEmpty, hasAgent {
            request.agents[SSHForward.defaultID] = try SSHArgument(parsing: SSHForward.defaultID)
                .forward(environment: Self.environment)
        }
    }

    func addOptions(to options: inout BuildOptions) throws {
        options.target = input.target
        options.additionalTargets = input.also
        options.noCache = cache.noCache
        options.allowsSecretLeak = input.allowsSecretLeak
        options.noCacheFilter = Set(cache.noCacheFilters.flatMap { $0.split(separator: ",").map(String.init) })
        for text in input.buildArguments {
            let (name, value) = try Self.assignment(text, "--build-arg")
            if let value = value ?? StoreOptions.variable(name) { options.buildArguments[name] = value }
        }
        // As buildx: the variable counts as an argument, because tools set it for everything that they start.
        let epoch = "SOURCE_DATE_EPOCH"
        if options.buildArguments[epoch] == nil { options.buildArguments[epoch] = StoreOptions.variable(epoch) }
        for text in input.labels {
            let (name, value) = try Self.assignment(text, "--label")
            options.labels[name] = value ?? ""
        }
        options.platform = try platforms().first
        for text in input.buildContexts {
            var (name, context) = try NamedContext.parse(text)
            if case .directory(let path, _) = context {
                guard BuildInput.isDirectory(path) else { throw BuildError.contextNotFound(path, name: name) }
                context = .directory(path: path, ignore: try BuildInput.ignoreRules(of: path))
            }
            options.namedContexts[name] = context
        }
        options.steps = try steps.settings()
        options.entitlements = try Entitlements(parsing: steps.allowed)
        switch execution.network {
        case "default": options.network = .host
        case "host":
            options.network = .host
            // As buildx: who asks for it here has allowed it.
            options.entitlements.insert(.hostNetwork)
        case "none": options.network = .none
        case let other:
            throw BuildError.invalidArgument(
                "--network", other, "there is no such network", hint: "one of: default, host, none")
        }
    }

    /// `NAME=VALUE`; the value is `nil` where there is no `=`.
    private static func assignment(_ text: String, _ option: String) throws(BuildError) -> (String, String?) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else {
            throw .invalidArgument(option, text, "it has no name", hint: "the form is NAME=VALUE")
        }
        return (name, parts.count == 2 ? parts[1] : nil)
    }

    private static func reference(_ text: String) throws(BuildError) -> ImageReference {
        do throws(ImageReference.Invalid) { return try ImageReference(parsing: text) } catch {
            throw .invalidImageReference(text, error)
        }
    }

    /// The variables of this process.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }
}
