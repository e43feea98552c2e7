internal import ArgumentParser
internal import Glibc
internal import WhittleBake
internal import WhittleCore
internal import WhittleEngine
internal import WhittleExport
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleRegistry
internal import WhittleRuntime
internal import WhittleStore

/// `whittle bake`.
struct BakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bake",
        abstract: "Build the targets of a bake file or a compose file together.",
        discussion: """
            Reads docker-bake.json and compose files. The targets are one build: stages and steps that they share run \
            once, and everything else side by side.
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var input: BakeInputOptions
    @OptionGroup var action: BakeActionOptions
    @OptionGroup var execution: BakeExecutionOptions

    @Argument(
        help: ArgumentHelp(
            "Targets and groups to build, with '*' and '?' for several. Without any: the group or target 'default', which "
                + "for a compose file is every service that is built.", valueName: "target"))
    var targets: [String] = []

    func validate() throws {
        guard execution.jobs.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--jobs takes a number of at least 1")
        }
        guard !action.load || !action.push else { throw ValidationError("--load and --push exclude each other") }
    }

    func run() async throws {
        try await ErrorText.reportingInterruptibly {
            let files = try BakeFiles.read(input.files)
            let project = try BakeProject(
                files.sources, environment: BuildCommand.environment, dotEnv: try BakeFiles.dotEnv(),
                given: try variables())
            let warnings = files.warnings + project.warnings
            if let list = action.list {
                StandardOutput.write(Array(try BakeListing.list(list, of: project).utf8))
                return
            }
            let selection = try project.select(targets, set: overrides)
            guard !action.prints else {
                for warning in warnings { ProgressPrinter.writeToStandardError("warning: \(warning)\n") }
                StandardOutput.write(Array(BakeListing.document(selection).utf8))
                return
            }
            let builds = try selection.targets.map {
                try BakedBuild($0, common: commonOptions, allowed: Set(input.allow))
            }
            if let status = try await answer(builds, warnings) {
                guard status == EXIT_SUCCESS else { throw ExitCode(status) }
                return
            }
            try await show(builds, warnings + builds.flatMap(\.warnings))
        }
    }

    /// - Throws: `invalid-argument`.
    private func variables() throws(BuildError) -> [String: String] {
        var variables: [String: String] = [:]
        for text in input.variables {
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else {
                throw .invalidArgument("--var", text, "it is no NAME=VALUE", hint: "the form is NAME=VALUE")
            }
            variables[String(text[..<mark])] = String(text[text.index(after: mark)...])
        }
        return variables
    }

    /// The values of `--set`, and those that flags stand for.
    private var overrides: [String] {
        var overrides = input.set
        if action.load { overrides.append("*.output=type=docker") }
        if action.push { overrides.append("*.push=true") }
        if action.noCache { overrides.append("*.no-cache=true") }
        if action.pull { overrides.append("*.pull=true") }
        return overrides
    }

    private var commonOptions: [String] {
        var options = ["--root=\(store.directory)", "--runtime=\(execution.runtime)"]
        if let jobs = execution.jobs { options.append("--jobs=\(jobs)") }
        if let size = execution.maxLayerSize { options.append("--max-layer-size=\(size)") }
        if let size = execution.keepStorage { options.append("--keep-storage=\(size)") }
        if action.explain { options.append("--explain") }
        return options
    }

    // MARK: Questions

    /// Answers `--call` and `--check`, and `call` of the targets.
    ///
    /// - Returns: the exit status; `nil` where the targets are to be built.
    private func answer(_ builds: [BakedBuild], _ warnings: [String]) async throws -> CInt? {
        let call = try call()
        let asked = builds.filter { !$0.target.isLinked }
        let calls = try asked.map { try call ?? $0.target.call.map { try CallRequest(parsing: $0) } ?? .build }
        guard calls.contains(where: { $0.method != .build }) else { return nil }
        guard !calls.contains(where: { $0.method == .build }) else {
            throw BuildError.invalidArgument(
                "call", asked.map(\.target.name).joined(separator: " "),
                "some of the targets are to be built, others not",
                hint: "ask for them one after the other, or set --call for all")
        }
        for warning in warnings { ProgressPrinter.writeToStandardError("warning: \(warning)\n") }
        var status = EXIT_SUCCESS
        for (build, call) in zip(asked, calls) {
            if asked.count > 1 { StandardOutput.write(Array("# \(build.target.name)\n".utf8)) }
            status = max(status, try await build.answer(call))
            if asked.count > 1 { StandardOutput.write(Array("\n".utf8)) }
        }
        return status
    }

    private func call() throws(BuildError) -> CallRequest? {
        guard let text = action.call else {
            return action.check ? CallRequest(method: .check, isJSON: false, ignoresStatus: false) : nil
        }
        let request = try CallRequest(parsing: text)
        guard !action.check || request.method == .check else {
            throw .invalidArgument(
                "--call", text, "--check asks for something else", hint: "--check stands for --call=check; keep one")
        }
        return request
    }

    // MARK: Building

    private func show(_ builds: [BakedBuild], _ warnings: [String]) async throws {
        let mode = try action.mode.resolved(isTerminal: isatty(2) == 1, term: StoreOptions.variable("TERM"))
        let printer = ProgressPrinter(
            mode: mode, settings: TerminalProgress.Settings(noColor: action.noColor, variable: StoreOptions.variable),
            listener: WorkflowReport(variable: StoreOptions.variable))
        do {
            try await printer.whileShowing {
                for warning in warnings { printer.handle(.warning(BuildWarning(warning))) }
                try await build(builds, printer)
            }
            printer.conclude(nil)
        } catch {
            printer.conclude(error)
            throw ExitCode(EXIT_FAILURE)
        }
    }

    private func build(_ builds: [BakedBuild], _ printer: ProgressPrinter) async throws {
        if let path = action.metadataFile { try OutputPlan.check(file: path) }
        var targets = try engineTargets(builds)
        targets[0].request.measures = printer.wantsSizes
        let outputs = OutputPlan(outputs: targets.flatMap(\.outputs.outputs))
        try outputs.check(standardOutputIsTerminal: isatty(1) == 1, writesImageID: false)
        let limit = try builds.first?.command.cache.storageLimit()
        try ProcessNamespaces.require()
        let store = try BuildStore(openingAt: store.directory)
        let builder = Builder(
            store: store, settings: { try RegistrySettings.load(environment: BuildCommand.environment) },
            report: { printer.handle($0) })
        let results: [[ExportResult]]
        do {
            results = try await builder.build(targets)
        } catch {
            // The error of the build is the one to show; what stays is swept by the next build.
            try? store.close()
            throw error
        }
        try store.close()
        if let path = action.metadataFile {
            let named = zip(builds, results).filter { !$0.0.target.isLinked }.map {
                (name: $0.target.name, results: $1)
            }
            try AtomicFile.write(ExportResult.metadataFile(ofTargets: named), to: path, isDurable: false)
        }
        try BuildStore.sweep(store)
        if let limit { await StorageCeiling(root: store.layout.root, limit: limit).keep { printer.handle($0) } }
    }

    private func engineTargets(_ builds: [BakedBuild]) throws -> [BuildTarget] {
        let positions = Dictionary(
            uniqueKeysWithValues: builds.enumerated().map { ($0.element.target.name, $0.offset) })
        return try builds.map { build in
            let name = build.target.name
            do {
                // Every target that is linked is among the builds, before this one.
                let links = try build.links().compactMapValues { positions[$0] }
                return BuildTarget(
                    name: builds.count > 1 ? name : nil, try build.request(), outputs: try build.command.outputPlan(),
                    links: links)
            } catch let error as BuildError {
                throw BuildError(
                    error.code, "target '\(name)': \(error.message)", hint: error.hint, at: error.location,
                    cause: error.cause)
            }
        }
    }
}
