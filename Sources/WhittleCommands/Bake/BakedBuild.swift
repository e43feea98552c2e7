internal import ArgumentParser
internal import WhittleBake
internal import WhittleCore
internal import WhittleEngine
internal import WhittleFrontend

/// A target as the command line that builds it: so it means in every respect what `whittle build` does.
struct BakedBuild {
    let target: BakeTarget
    let command: BuildCommand
    /// Where the Dockerfile stands in the bake file.
    private let inline: BuildInput?

    /// - Parameters:
    ///   - common: options of every build.
    ///   - allowed: the values of `--allow`.
    /// - Throws: `not-allowed`, `context-unusable`, what is wrong with a value.
    init(_ target: BakeTarget, common: [String], allowed: Set<String>) throws {
        self.target = target
        for right in target.entitlements ?? [] where !Self.allows(allowed, right) {
            throw BuildError.targetNotAllowed(target.name, right)
        }
        let context = Self.local(target.context ?? ".")
        let dockerfile = target.dockerfile ?? "Dockerfile"
        guard context != "-", dockerfile != "-" else {
            throw BuildError.contextUnusable(
                "standard input cannot be the context or the Dockerfile of the target '\(target.name)'",
                hint: "name a directory or a file")
        }
        inline = try target.dockerfileInline.map { try BuildInput(inline: $0, context: context) }
        var arguments = Self.options(of: target)
        if inline == nil, dockerfile != "Dockerfile" {
            arguments.append("--file=\(Self.path(of: dockerfile, in: context))")
        }
        arguments += common + ["--", context]
        do {
            command = try BuildCommand.parse(arguments)
        } catch {
            throw BuildError.invalidArgument(
                "target", target.name, BuildCommand.message(for: error),
                hint: "correct it in the file that has the target")
        }
    }

    /// The request, without the contexts that are other targets.
    func request() throws -> BuildRequest { try command.request(inline) }

    /// Answers `--call` on standard output; gives the exit status.
    func answer(_ call: CallRequest) async throws -> Int32 { try await command.answer(call, inline) }

    /// The contexts that are other targets, by the names that the engine knows them by.
    ///
    /// - Throws: `invalid-build-context`.
    func links() throws(BuildError) -> [String: String] {
        var links: [String: String] = [:]
        for (name, linked) in target.links {
            links[try NamedContext.name(name, of: "\(name)=target:\(linked)")] = linked
        }
        return links
    }

    /// What the file says and has no effect here.
    var warnings: [String] {
        var texts: [String] = []
        if !(target.cacheFrom ?? []).isEmpty { texts.append("cache-from") }
        if !(target.cacheTo ?? []).isEmpty { texts.append("cache-to") }
        var warnings = texts.map {
            "target '\(target.name)': \($0) has no effect: the cache is in whittle's store on this machine"
        }
        let attested = (target.attest ?? []).filter { $0["disabled"] != "true" }
        if !attested.isEmpty {
            warnings.append("target '\(target.name)': attest has no effect: attestations are not supported yet")
        }
        return warnings
    }

    private static func allows(_ allowed: Set<String>, _ right: String) -> Bool {
        allowed.contains("*") || allowed.contains(right) || right.hasPrefix("device") && allowed.contains("device")
    }

    private static func options(of target: BakeTarget) -> [String] {
        func each(_ option: String, _ values: [String]?) -> [String] { (values ?? []).map { "--\(option)=\($0)" } }
        func pairs(_ option: String, _ values: [String: String]) -> [String] {
            values.sorted { $0.key < $1.key }.map { "--\(option)=\($0.key)=\($0.value)" }
        }
        func one(_ option: String, _ value: String?) -> [String] { value.map { ["--\(option)=\($0)"] } ?? [] }
        let contexts = target.contexts.filter { !$0.value.hasPrefix("target:") }.mapValues { local($0) }
        let agents = (target.ssh ?? []).map { entry in
            (entry["id"] ?? "default") + (entry["paths"].map { "=\($0)" } ?? "")
        }
        var options = pairs("build-context", contexts) + pairs("build-arg", target.arguments)
        options += pairs("label", target.labels) + each("tag", target.tags) + one("target", target.stage)
        options += each("secret", target.secrets?.map(\.text)) + each("ssh", agents)
        if let platforms = target.platforms, !platforms.isEmpty {
            options.append("--platform=\(platforms.joined(separator: ","))")
        }
        options += each("output", target.outputs?.map(\.text)) + one("network", target.network)
        options += each("no-cache-filter", target.noCacheFilter) + each("annotation", target.annotations)
        options += one("shm-size", target.sharedMemory) + each("ulimit", target.limits)
        options += pairs("resource", target.resources) + pairs("add-host", target.extraHosts)
        options += each("allow", target.entitlements)
        if target.pull ?? false { options.append("--pull") }
        if target.noCache ?? false { options.append("--no-cache") }
        return options
    }

    /// Without buildx's mark for paths of the machine that the command runs on.
    private static func local(_ path: String) -> String {
        guard path.hasPrefix("cwd://") else { return path }
        let rest = String(path.dropFirst("cwd://".count))
        return rest.isEmpty ? "." : rest
    }

    /// A Dockerfile's path is that below the context, as in buildx.
    private static func path(of dockerfile: String, in context: String) -> String {
        guard !dockerfile.hasPrefix("cwd://") else { return local(dockerfile) }
        // What is no address is an error of the build, which tells more of it.
        let isRemote = !BuildInput.isDirectory(context) && (try? NamedContext.remote(context)) != nil
        return dockerfile.hasPrefix("/") || context == "." || isRemote ? dockerfile : context + "/" + dockerfile
    }
}

extension BuildError {
    static func targetNotAllowed(_ target: String, _ right: String) -> BuildError {
        BuildError(
            .notAllowed, "target '\(target)' asks for '\(right)', which is not allowed",
            hint: "if you trust the file and its Dockerfiles, add --allow \(right)")
    }
}
