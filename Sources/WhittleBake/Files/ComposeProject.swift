internal import WhittleCore

/// Compose files, merged: the services that are built, as targets.
struct ComposeProject {
    let warnings: [String]
    private let targets: [BakeTarget]

    /// The target of a service: a service's name may have dots, a target's not.
    static func targetName(_ service: String) -> String { String(service.map { $0 == "." ? "_" : $0 }) }

    /// - Throws: `bake-syntax`, `bake-invalid`, `bake-unsupported`, `bake-missing-variable`, `yaml-missing`.
    init(_ sources: [BakeSource], environment: [String: String]) throws(BuildError) {
        var interpolation = ComposeInterpolation(environment: environment)
        var merged: (value: BakeValue, source: BakeSource)?
        for source in sources {
            let root = ValueReader(value: try YAMLDocument.parse(source), path: "", source: source)
            _ = try root.members()
            if let include = root["include"] { throw include.unsupported("including other files") }
            guard root["services"] != nil else {
                throw .invalidBake(source.name, "", "there are no services in it", at: nil)
            }
            let value = try ComposeMerge.normalised(root)
            merged = (merged.map { ComposeMerge.merge($0.value, value) } ?? value, source)
        }
        guard let merged else { preconditionFailure("a project of no file") }
        let root = ValueReader(value: merged.value, path: "", source: merged.source)
        let services = try root["services"]?.members() ?? []
        var targets: [BakeTarget] = []
        for (name, service) in services {
            let service = try Self.extended(service, among: services, [name])
            guard let build = service["build"] else { continue }
            try BakeFile.check(Self.targetName(name), service)
            targets.append(
                try Self.target(Self.targetName(name), service, build, secrets: root["secrets"], &interpolation))
        }
        self.targets = targets
        warnings = interpolation.missing.map {
            "the variable '\($0)' of the compose file is not set, and is taken as empty"
        }
    }

    func add(to declarations: inout BakeDeclarations) throws(BuildError) {
        for target in targets { declarations.add(target) }
        declarations.add(
            BakeDeclarations.Group(name: "default", description: nil, targets: targets.map(\.name)))
    }

    /// The service over the one that it extends.
    private static func extended(
        _ service: ValueReader, among services: [(key: String, reader: ValueReader)], _ open: [String]
    ) throws(BuildError) -> ValueReader {
        guard let extends = service["extends"] else { return service }
        if let file = extends["file"] { throw file.unsupported("extending a service of another file") }
        let name: String
        if let text = extends.value.scalar {
            name = text
        } else if let member = extends["service"] {
            name = try member.text()
        } else {
            throw extends.wrong("the name of a service")
        }
        guard !open.contains(name) else { throw .bakeCycle(open + [name], "services that extend each other") }
        guard let base = services.first(where: { $0.key == name })?.reader else {
            throw .unknownBakeTarget(name, neededBy: open.last, known: services.map(\.key))
        }
        let value = ComposeMerge.merge(try extended(base, among: services, open + [name]).value, service.value)
        return ValueReader(value: value, path: service.path, source: service.source)
    }

    // MARK: One service

    private static let ignored: Set<String> = ["isolation", "privileged", "provenance", "sbom", "entitlements"]
    private static let keys = [
        "context", "dockerfile", "dockerfile_inline", "args", "labels", "target", "tags", "platforms", "cache_from",
        "cache_to", "secrets", "ssh", "network", "no_cache", "pull", "shm_size", "extra_hosts", "ulimits",
        "additional_contexts", "privileged", "isolation", "provenance", "sbom", "entitlements",
    ]

    private static func target(
        _ name: String, _ service: ValueReader, _ build: ValueReader, secrets: ValueReader?,
        _ interpolation: inout ComposeInterpolation
    ) throws(BuildError) -> BakeTarget {
        var target = BakeTarget(name: name)
        let build = try interpolation.expanding(build)
        for (key, member) in try build.members() where !member.value.isNull {
            if key == "x-bake" {
                var extra = BakeTarget(name: name)
                for (key, member) in try member.members() {
                    extra.merge(try BakeTarget(name: name, one(key, member)))
                }
                target.merge(extra)
                continue
            }
            try read(key, member, into: &target, secrets, &interpolation)
        }
        // Without a value it is that of the environment.
        if let arguments = build["args"] {
            for (key, value) in try arguments.tableOrPairs() {
                target.arguments[key] = value ?? interpolation.environment[key]
            }
        }
        if target.tags?.isEmpty ?? true, let image = service["image"] {
            let text = try interpolation.expanding(image).text()
            if !text.isEmpty { target.tags = [text] }
        }
        return target
    }

    /// One member of `x-bake`, where a text stands for a list of one.
    private static func one(_ key: String, _ member: ValueReader) -> ValueReader {
        let lists = ["tags", "cache-from", "cache-to", "secret", "ssh", "platforms", "output", "no-cache-filter"]
        var value = member.value
        if lists.contains(key), value.scalar != nil { value = BakeValue(.list([value]), at: value.place) }
        return ValueReader(
            value: BakeValue(.map([BakeValue.Member(key: key, value: value)]), at: member.value.place),
            path: String(member.path.dropLast(key.count + 1)), source: member.source)
    }

    private static func read(
        _ key: String, _ member: ValueReader, into target: inout BakeTarget, _ secrets: ValueReader?,
        _ interpolation: inout ComposeInterpolation
    ) throws(BuildError) {
        switch key {
        case "context": target.context = try member.text()
        case "dockerfile": target.dockerfile = try member.text()
        case "dockerfile_inline": target.dockerfileInline = try member.text()
        case "args": break
        case "labels": target.labels = try member.tableOrPairs().mapValues { $0 ?? "" }
        case "target": target.stage = try member.text()
        case "tags": target.tags = (target.tags ?? []) + (try member.texts())
        case "platforms": target.platforms = (target.platforms ?? []) + (try member.texts())
        case "cache_from":
            target.cacheFrom =
                (target.cacheFrom ?? []) + (try member.entries([("type", "registry")], valueOf: "ref"))
        case "cache_to": target.cacheTo = try member.entries([("type", "registry")], valueOf: "ref")
        case "secrets":
            for element in try member.elements() {
                let entry = try secret(element, secrets, &interpolation)
                target.secrets = (target.secrets ?? []) + [entry]
            }
        case "ssh": target.ssh = try agents(member)
        case "network": target.network = try member.text()
        case "no_cache": target.noCache = try member.flag()
        case "pull": target.pull = try member.flag()
        case "shm_size": target.sharedMemory = try member.text()
        case "extra_hosts":
            for (host, address) in try member.tableOrPairs(separators: ["=", ":"]) {
                target.extraHosts[host] = address ?? ""
            }
        case "ulimits": target.limits = try limits(member)
        case "additional_contexts":
            for (name, value) in try member.tableOrPairs() {
                guard let value else { throw member.wrong("NAME=VALUE") }
                target.contexts[name] =
                    value.hasPrefix("service:") || value.hasPrefix("target:")
                    ? "target:" + targetName(String(value.drop { $0 != ":" }.dropFirst())) : value
            }
        case let key where ignored.contains(key) || key.hasPrefix("x-"): break
        default:
            throw .invalidBake(
                member.source.name, member.path, "a build has no '\(key)'",
                hint: NearestName.of(key, among: keys).map { "did you mean '\($0)'?" }, at: member.location)
        }
    }

    /// A secret's name, or a map with `source`, of those that the file has at its top.
    private static func secret(
        _ element: ValueReader, _ secrets: ValueReader?, _ interpolation: inout ComposeInterpolation
    ) throws(BuildError) -> BakeEntry {
        let source = try element.value.scalar == nil ? element["source"]?.text() : nil
        let name = element.value.scalar ?? source ?? ""
        guard let written = secrets?[name] else {
            let known = try secrets?.members().map(\.key) ?? []
            throw .invalidBake(
                element.source.name, element.path, "there is no secret '\(name)' among the file's secrets",
                hint: NearestName.of(name, among: known).map { "did you mean '\($0)'?" }, at: element.location)
        }
        let secret = try interpolation.expanding(written)
        if let external = secret["external"], try external.flag() {
            throw external.unsupported("an external secret", hint: "give it with 'file' or 'environment'")
        }
        var entry = BakeEntry()
        // As docker compose: what the service calls it.
        entry["id"] = try element["target"]?.text() ?? name
        if let file = try secret["file"]?.text() { entry["src"] = file }
        if let variable = try secret["environment"]?.text() { entry["env"] = variable }
        guard entry["src"] != nil || entry["env"] != nil else {
            throw .invalidBake(
                secret.source.name, secret.path, "the secret has neither 'file' nor 'environment'", at: secret.location)
        }
        return entry
    }

    private static func agents(_ reader: ValueReader) throws(BuildError) -> [BakeEntry] {
        if reader.value.scalar != nil { return [BakeTarget.agent(try reader.text())] }
        guard case .map = reader.value.kind else { return try BakeTarget.agents(reader) }
        return try reader.table().sorted { $0.key < $1.key }.map { id, path in
            BakeTarget.agent(path.map { "\(id)=\($0)" } ?? id)
        }
    }

    /// `nofile: 1024`, or a map with `soft` and `hard`.
    private static func limits(_ reader: ValueReader) throws(BuildError) -> [String] {
        var limits: [String] = []
        for (name, limit) in try reader.members() {
            if let number = limit.value.scalar {
                limits.append("\(name)=\(number):\(number)")
                continue
            }
            guard let soft = try limit["soft"]?.text(), let hard = try limit["hard"]?.text() else {
                throw limit.wrong("a number, or 'soft' and 'hard'")
            }
            limits.append("\(name)=\(soft):\(hard)")
        }
        return limits
    }
}
