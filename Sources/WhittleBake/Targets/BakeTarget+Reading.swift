internal import WhittleCore

extension BakeTarget {
    /// Reads a target of a bake file, whose variables are replaced already.
    ///
    /// - Throws: `bake-invalid`, `bake-unsupported`.
    init(name: String, _ reader: ValueReader) throws(BuildError) {
        self.init(name: name)
        for (key, member) in try reader.members() where !member.value.isNull { try read(key, member) }
    }

    private mutating func read(_ key: String, _ member: ValueReader) throws(BuildError) {
        switch key {
        case "description": description = try member.text()
        case "inherits": inherits = try member.texts()
        case "annotations": annotations = try member.texts()
        case "attest": attest = try member.entries([], valueOf: "type")
        case "context": context = try member.text()
        case "contexts": contexts = try member.table().compactMapValues { $0 }
        case "dockerfile": dockerfile = try member.text()
        case "dockerfile-inline": dockerfileInline = try member.text()
        case "args": arguments = try member.table().compactMapValues { $0 }
        case "labels": labels = try member.table().compactMapValues { $0 }
        case "tags": tags = try member.texts()
        case "cache-from": cacheFrom = try member.entries([("type", "registry")], valueOf: "ref")
        case "cache-to": cacheTo = try member.entries([("type", "registry")], valueOf: "ref")
        case "target": stage = try member.text()
        case "secret", "secrets": secrets = try member.entries([], valueOf: "id")
        case "ssh": ssh = try Self.agents(member)
        case "platforms": platforms = try member.texts()
        case "output": outputs = try Self.outputs(member)
        case "pull": pull = try member.flag()
        case "no-cache": noCache = try member.flag()
        case "network": network = try member.text()
        case "no-cache-filter": noCacheFilter = try member.texts()
        case "shm-size": sharedMemory = try member.text()
        case "ulimits": limits = try member.texts()
        case "resources": resources = try member.table().compactMapValues { $0 }
        case "call": call = try member.text()
        case "entitlements": entitlements = try member.texts()
        case "extra-hosts": extraHosts = try member.table().compactMapValues { $0 }
        case "matrix", "name":
            throw member.unsupported(
                "a matrix of targets", hint: "write the targets out: 'docker buildx bake --print' lists them")
        case "policy": throw member.unsupported("a policy")
        default:
            throw .invalidBake(
                member.source.name, member.path, "a target has no '\(key)'",
                hint: NearestName.of(key, among: Self.keys).map { "did you mean '\($0)'?" }, at: member.location)
        }
    }

    /// `default`, `ID=PATH[,PATH]`, or a map with `id` and `paths`.
    static func agents(_ reader: ValueReader) throws(BuildError) -> [BakeEntry] {
        try reader.elements().map { element throws(BuildError) in
            guard let text = element.value.scalar else {
                var entry = BakeEntry()
                entry["id"] = try element["id"]?.text() ?? "default"
                if let paths = try element["paths"]?.texts(orOne: true), !paths.isEmpty {
                    entry["paths"] = paths.joined(separator: ",")
                }
                return entry
            }
            return agent(text)
        }
    }

    /// `default` or `ID=PATH[,PATH]`.
    static func agent(_ text: String) -> BakeEntry {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var entry = BakeEntry()
        entry["id"] = parts.first
        if parts.count == 2, !parts[1].isEmpty { entry["paths"] = parts[1] }
        return entry
    }

    /// As `--output` has it: `type=docker`, or a directory, or `-` for a tar.
    static func outputs(_ reader: ValueReader) throws(BuildError) -> [BakeEntry] {
        try reader.entries([("type", "local")], valueOf: "dest").map { entry in
            guard entry["type"] == "local", entry["dest"] == "-" else { return entry }
            var entry = entry
            entry["type"] = "tar"
            return entry
        }
    }
}
