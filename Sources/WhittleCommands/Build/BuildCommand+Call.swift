internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleEngine
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleLint
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleStore

/// `--check` and `--call`: read the Dockerfile and say something of it. No store is made, and nothing runs.
extension BuildCommand {
    /// What `--call` and `--check` ask for.
    ///
    /// - Throws: `invalid-argument`.
    func callRequest() throws(BuildError) -> CallRequest {
        guard let text = input.call else {
            return input.check ? CallRequest(method: .check, isJSON: false, ignoresStatus: false) : .build
        }
        let request = try CallRequest(parsing: text)
        guard !input.check || request.method == .check else {
            throw .invalidArgument(
                "--call", text, "--check asks for something else", hint: "--check stands for --call=check; keep one")
        }
        return request
    }

    /// Answers on standard output.
    ///
    /// - Parameter given: the files of the build, where the options do not name them.
    /// - Returns: the exit status: 1 where a check found something.
    func answer(_ call: CallRequest, _ given: BuildInput? = nil) async throws -> CInt {
        let input = try (given ?? BuildInput(file: self.input.file, context: context)).withLocalDockerfile()
        var options = BuildOptions()
        options.ignore = input.ignore
        try addOptions(to: &options)
        let source = SourceText(input.dockerfile, file: input.dockerfileName)
        switch call.method {
        case .build: preconditionFailure("a build is no question")
        case .targets:
            let list = TargetList(try Dockerfile(parsing: input.dockerfile, file: input.dockerfileName))
            show(call.isJSON ? list.json.text(as: .pretty()) + "\n" : list.text)
            return EXIT_SUCCESS
        case .outline:
            let dockerfile = try Dockerfile(parsing: input.dockerfile, file: input.dockerfileName)
            let outline = try Outline(dockerfile, try LintRequest(options))
            show(call.isJSON ? outline.json.text(as: .pretty()) + "\n" : outline.text)
            return EXIT_SUCCESS
        case .check: return try await check(source, options, call)
        }
    }

    private func check(_ source: SourceText, _ options: BuildOptions, _ call: CallRequest) async throws -> CInt {
        var request = try LintRequest(options)
        request.looksAtAllStages = true
        let (stages, failure) = try await stages(of: source, options)
        var report = LintReport(source, request.knowing(stages))
        if report.error == nil { report.error = failure ?? report.strictError }
        if call.isJSON {
            show(report.json.text(as: .pretty()) + "\n")
        } else {
            show(report.text)
            if let error = report.error {
                fflush(nil)
                ProgressPrinter.writeToStandardError((report.findings.isEmpty ? "" : "\n") + ErrorText.of(error) + "\n")
            }
        }
        if report.error != nil, !call.isJSON { return EXIT_FAILURE }
        return (report.findings.isEmpty && report.error == nil) || call.ignoresStatus ? EXIT_SUCCESS : EXIT_FAILURE
    }

    /// What the frontend makes of the stages: the base images as far as they are known, and what would fail the build.
    private func stages(of source: SourceText, _ options: BuildOptions) async throws -> ([StageSummary], BuildError?) {
        do {
            let dockerfile = try Dockerfile(parsing: source.bytes, file: source.file)
            var options = options
            if options.target == nil {
                options.additionalTargets = dockerfile.stages.indices.map { "\($0)" }
            }
            let images = BaseImageLookup(
                root: store.directory, asksRegistries: cache.pull,
                settings: { try RegistrySettings.load(environment: Self.environment) })
            return (try await Frontend(resolver: images).plan(dockerfile, options: options).stages, nil)
        } catch let error as BuildError {
            return ([], error)
        }
    }

    private func show(_ text: String) { StandardOutput.write(Array(text.utf8)) }
}

/// Finds base images for checks: in the store by name, where there is a store; in registries where that is asked for. An
/// image that is found nowhere is no error.
struct BaseImageLookup: ImageResolver {
    let root: String
    let asksRegistries: Bool
    let settings: @Sendable () throws -> RegistrySettings

    func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage {
        if asksRegistries {
            return try await image(
                RegistryClient(settings: settings()).source(for: reference), "\(reference)", platform)
        }
        // A store that is not there, or not readable, knows no images.
        guard let layout = StoreLayout(readingAt: root),
            let descriptor = try? ImageNames(layout).descriptor(of: reference)
        else { return .unknown("\(reference)", platform) }
        let location = OCILayoutLocation(directory: root, digest: descriptor.digest)
        // One that the store has for another platform is found by the build.
        let found = try? await image(OCILayoutSource(location), "\(reference)", platform)
        return found ?? .unknown("\(reference)", platform)
    }

    func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage {
        let location = OCILayoutLocation(directory: layout.path, tag: layout.tag, digest: layout.digest)
        return try await image(OCILayoutSource(location), "\(layout)", platform)
    }

    private func image(
        _ source: any WhittleRegistry.ImageSource, _ name: String, _ platform: Platform
    ) async throws -> BaseImage {
        let image = try await source.resolve(platform) { _ in nil }
        return BaseImage(reference: name, manifestDigest: image.descriptor.digest, configuration: image.configuration)
    }
}
