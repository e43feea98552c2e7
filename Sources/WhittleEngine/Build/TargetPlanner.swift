internal import Glibc
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleExport
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleLint
internal import WhittleOCI
internal import WhittleRegistry
internal import WhittleSecrets

/// Makes graphs of the targets of a build, one that another one stands on before it, others side by side.
struct TargetPlanner: Sendable {
    let store: BuildStore
    let images: ImagePuller
    let settings: @Sendable () throws -> RegistrySettings
    let report: @Sendable (StepEvent) -> Void

    /// - Parameter fetching: one for each target.
    /// - Returns: for each target, in their order, one for each of its platforms.
    /// - Throws: `BuildError` of what is wrong in a Dockerfile or a request; `CancellationError`.
    func plan(_ targets: [BuildTarget], _ fetching: [Fetching]) async throws -> [[PlannedBuild]] {
        var targets = targets
        for index in targets.indices {
            do { try await loadContext(of: &targets[index], fetching[index]) } catch {
                throw targets[index].describing(error)
            }
        }
        if targets.count > 1 { LocalNames.assign(to: &targets) }
        var planned: [Int: [PlannedBuild]] = [:]
        while planned.count < targets.count {
            let ready = targets.indices.filter { index in
                planned[index] == nil && targets[index].links.values.allSatisfy { planned[$0] != nil }
            }
            precondition(!ready.isEmpty, "targets that wait for each other")
            let linked = ready.map { Self.link(targets[$0], planned) }
            try await withThrowingTaskGroup(of: (Int, [PlannedBuild]).self) { group in
                for (index, target) in zip(ready, linked) {
                    group.addTask {
                        do { return (index, try await plan(target, fetching[index])) } catch {
                            throw target.describing(error)
                        }
                    }
                }
                for try await (index, builds) in group { planned[index] = builds }
            }
        }
        return targets.indices.compactMap { planned[$0] }
    }

    /// Puts what other targets make in the places of the contexts that they are.
    private static func link(_ target: BuildTarget, _ planned: [Int: [PlannedBuild]]) -> BuildTarget {
        var target = target
        for (name, position) in target.links {
            guard let builds = planned[position] else { preconditionFailure("a target that is not planned") }
            target.request.options.namedContexts[name] = .planned(
                builds.map { PlannedContext(name: $0.target.name ?? "\(position)", plan: $0.plan) })
        }
        return target
    }

    private func loadContext(of target: inout BuildTarget, _ fetching: Fetching) async throws {
        guard let context = target.request.remoteContext else { return }
        let report = target.naming(report)
        var fetching = fetching
        fetching.downloads = Downloads(
            store: store, settings: settings, secrets: target.request.secrets, limit: target.request.layerLimit,
            report: report)
        try await ContextLoader(
            store: store, fetching: fetching, limit: target.request.layerLimit, report: report
        ).load(context, into: &target.request)
    }

    /// Plans a target for each of its platforms, side by side.
    private func plan(_ target: BuildTarget, _ fetching: Fetching) async throws -> [PlannedBuild] {
        Self.announce(target.request, target.naming(report))
        let dockerfile = try Dockerfile(parsing: target.request.dockerfile, file: target.request.dockerfileName)
        let requests = target.request.eachPlatform
        let plans = try await withThrowingTaskGroup(of: (Int, BuildPlan).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await plan(dockerfile, request, target)) }
            }
            var plans: [Int: BuildPlan] = [:]
            for try await (index, plan) in group { plans[index] = plan }
            return requests.indices.compactMap { plans[$0] }
        }
        let annotated = Set(target.outputs.imageFormats.flatMap(\.annotations.platforms))
        let built = plans.map(\.configuration.platform)
        for platform in annotated.subtracting(built).sorted(by: { "\($0)" < "\($1)" }) {
            report(.warning(.annotationForOtherPlatform(platform, built)))
        }
        // Most of what there is to say is the same for all platforms.
        var said: Set<BuildWarning> = []
        for (request, plan) in zip(requests, plans) {
            for warning in try plan.warnings + warnings(of: dockerfile, request, plan)
            where said.insert(warning).inserted {
                report(.warning(warning))
            }
        }
        return zip(requests, plans).map { request, plan in
            var part = target
            part.request = request
            return PlannedBuild(target: part, dockerfile: dockerfile, plan: plan, fetching: fetching)
        }
    }

    private func plan(_ dockerfile: Dockerfile, _ request: BuildRequest, _ target: BuildTarget) async throws
        -> BuildPlan
    {
        let resolver = images.resolver(
            ignoringStoreNames: request.pullsAlways, showingPlatforms: request.options.showsPlatforms)
        let plan = try await EpochPlanner(store: store, images: resolver, report: target.naming(report))
            .plan(dockerfile, request)
        guard plan.sourceDateEpoch != nil || !target.outputs.imageFormats.contains(where: \.rewritesTimes) else {
            throw BuildError.epochMissing
        }
        return plan
    }

    /// Says that the Dockerfile was read, in the words that readers of such logs know.
    private static func announce(_ request: BuildRequest, _ report: (StepEvent) -> Void) {
        let step = Step(internal: "[internal] load build definition from \(request.dockerfileName)")
        let size = ByteCount(request.dockerfile.count)
        report(.started(step))
        report(
            .progress(
                step,
                StepProgress(name: "transferring dockerfile: \(size)", current: .zero, total: nil, isDone: true)))
        report(.finished(step))
    }

    /// What the checks find in the stages that are built, and what there is to say of secrets.
    ///
    /// - Throws: `checks-failed` where the file asks for that, `invalid-check-options`, `secret-leak`.
    private func warnings(
        of dockerfile: Dockerfile, _ request: BuildRequest, _ plan: BuildPlan
    ) throws -> [BuildWarning] {
        let lint = try LintReport(dockerfile, try LintRequest(request.options).knowing(plan.stages))
        let warnings = lint.findings.map { BuildWarning($0, in: dockerfile.source) }
        if let error = lint.strictError {
            for warning in warnings { report(.warning(warning)) }
            throw error
        }
        return warnings + (try secretWarnings(request, plan))
    }

    /// About secrets that cannot be searched for, and the others in what the image says of itself: a build argument may have
    /// carried one there.
    private func secretWarnings(_ request: BuildRequest, _ plan: BuildPlan) throws -> [BuildWarning] {
        guard !request.secrets.isEmpty else { return [] }
        let given = request.secrets.sorted { $0.key < $1.key }.map { NamedSecret(id: $0.key, value: $0.value) }
        let warnings = given.filter(\.isTooShort).map { BuildWarning.shortSecret($0.id) }
        guard let leak = ConfigurationLeak.find(given, in: plan.configuration) else { return warnings }
        guard request.options.allowsSecretLeak else { throw leak }
        return warnings + [BuildWarning(leak.message)]
    }
}

/// What the graph of several targets calls their local directories: one name for each directory.
enum LocalNames {
    static func assign(to targets: inout [BuildTarget]) {
        var names: [String: String] = [:]
        var taken: Set<String> = []
        for index in targets.indices {
            for (name, path) in targets[index].request.localDirectories.sorted(by: { $0.key < $1.key }) {
                let directory = realPath(path)
                let known =
                    names[directory] ?? (taken.contains(name) ? "\(name) in \(directory)" : name)
                names[directory] = known
                taken.insert(known)
                targets[index].request.options.localNames[name] = known
            }
        }
    }

    /// The text itself for what does not exist, which is an error of whoever reads it.
    private static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}

extension BuildWarning {
    static func annotationForOtherPlatform(_ platform: Platform, _ built: [Platform]) -> BuildWarning {
        let names = built.map { "\($0)" }.joined(separator: ", ")
        return BuildWarning("annotations for \(platform) have no effect: the image is for \(names)")
    }
}
