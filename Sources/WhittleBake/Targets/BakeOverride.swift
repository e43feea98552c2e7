internal import WhittleCore

/// A value of `--set`: `TARGET.KEY=VALUE`, `TARGET.args.NAME=VALUE`, with `+=` to add to a list, and with `*`, `?` in the
/// name of the target.
struct BakeOverride {
    let text: String
    let pattern: String
    /// `args`, `output`.
    let key: String
    /// `NAME` behind `args`, `labels`, `contexts`, `extra-hosts`, `resources`, `secret`.
    let member: String?
    let value: String?
    let appends: Bool

    private static let tables = ["args", "labels", "contexts", "extra-hosts", "resources", "secret"]
    private static let lists = [
        "tags", "cache-from", "cache-to", "secrets", "ssh", "platform", "output", "entitlements", "annotations",
        "attest", "no-cache-filter", "ulimits",
    ]
    private static let scalars = [
        "context", "dockerfile", "target", "call", "no-cache", "shm-size", "network", "pull", "push", "load",
    ]

    /// - Throws: `bake-invalid-set`.
    init(parsing text: String) throws(BuildError) {
        self.text = text
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var left = sides.first ?? ""
        appends = sides.count == 2 && left.hasSuffix("+")
        if appends { left.removeLast() }
        value = sides.count == 2 ? sides[1] : nil
        let parts = left.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw .invalidSet(text, "it names no target and key", hint: "the form is TARGET.KEY=VALUE")
        }
        pattern = parts[0]
        key = parts[1] == "platforms" ? "platform" : parts[1]
        let isTable = Self.tables.contains(key)
        guard isTable || Self.lists.contains(key) || Self.scalars.contains(key) else {
            let known = Self.tables + Self.lists + Self.scalars
            throw .invalidSet(
                text, "there is no key '\(key)'",
                hint: NearestName.of(key, among: known).map { "did you mean '\($0)'?" }
                    ?? "it is one of \(known.sorted().joined(separator: ", "))")
        }
        member = parts.count == 3 ? parts[2] : nil
        guard isTable == (member != nil), member != "" else {
            throw .invalidSet(
                text, isTable ? "'\(key)' needs a name" : "'\(key)' has no members",
                hint: isTable ? "the form is TARGET.\(key).NAME=VALUE" : "the form is TARGET.\(key)=VALUE")
        }
        guard value != nil || key == "args" else {
            throw .invalidSet(text, "it has no value", hint: "the form is TARGET.KEY=VALUE")
        }
        guard !appends || Self.lists.contains(key) else {
            throw .invalidSet(text, "'\(key)' is no list to add to", hint: "write '=' instead of '+='")
        }
    }

    /// Changes `target` as the values of `--set` that are for it say, in their order.
    ///
    /// - Throws: `bake-invalid-set`.
    static func apply(
        _ overrides: [BakeOverride], to target: inout BakeTarget, environment: [String: String]
    ) throws(BuildError) {
        var begun: Set<String> = []
        for override in overrides where Glob.matches(override.pattern, target.name) {
            // The first value of a list takes the place of what there was.
            let isFirst = begun.insert(override.key).inserted && !override.appends
            try override.apply(to: &target, replacing: isFirst, environment)
        }
    }

    private func apply(
        to target: inout BakeTarget, replacing: Bool, _ environment: [String: String]
    ) throws(BuildError) {
        func add<Value>(_ values: inout [Value]?, _ value: Value) {
            values = (replacing ? [] : values ?? []) + [value]
        }
        let value = value ?? ""
        func entry(_ lone: [(key: String, value: String)], _ key: String) throws(BuildError) -> BakeEntry {
            guard let entry = BakeEntry(parsing: value, lone: lone, valueOf: key) else {
                throw .invalidSet(text, "the value is no list of KEY=VALUE", hint: nil)
            }
            return entry
        }
        switch key {
        case "args":
            // As buildx: without a value it is that of the environment, and nothing where there is none.
            if let member, let value = self.value ?? environment[member] { target.arguments[member] = value }
        case "labels": if let member { target.labels[member] = value }
        case "contexts": if let member { target.contexts[member] = value }
        case "extra-hosts": if let member { target.extraHosts[member] = value }
        case "resources": if let member { target.resources[member] = value }
        case "secret":
            guard var changed = BakeEntry(parsing: value, valueOf: "src") else {
                throw .invalidSet(text, "the value is no list of KEY=VALUE", hint: nil)
            }
            changed["id"] = member
            target.secrets = (target.secrets ?? []) + [changed]
        case "tags": add(&target.tags, value)
        case "platform": add(&target.platforms, value)
        case "no-cache-filter": add(&target.noCacheFilter, value)
        case "ulimits": add(&target.limits, value)
        case "annotations": target.annotations = (target.annotations ?? []) + [value]
        case "entitlements": target.entitlements = (target.entitlements ?? []) + [value]
        case "attest": target.attest = (target.attest ?? []) + [try entry([], "type")]
        case "cache-from": add(&target.cacheFrom, try entry([("type", "registry")], "ref"))
        case "cache-to": add(&target.cacheTo, try entry([("type", "registry")], "ref"))
        case "secrets": add(&target.secrets, try entry([], "id"))
        case "ssh": add(&target.ssh, BakeTarget.agent(value))
        case "output": add(&target.outputs, try entry([("type", "local")], "dest"))
        case "context": target.context = value
        case "dockerfile": target.dockerfile = value
        case "target": target.stage = value
        case "call": target.call = value
        case "shm-size": target.sharedMemory = value
        case "network": target.network = value
        case "no-cache": target.noCache = try flag()
        case "pull": target.pull = try flag()
        case "push": target.outputs = Self.pushing(target.outputs ?? [], try flag())
        case "load": if try flag() { target.outputs = [try Self.output("docker")] }
        default: preconditionFailure("a key that was not checked")
        }
    }

    /// The outputs with a push or without one, as buildx changes them: an image is pushed; where there is nothing but what
    /// goes to docker, an image is added.
    private static func pushing(_ outputs: [BakeEntry], _ pushes: Bool) -> [BakeEntry] {
        var outputs = pushes ? outputs : outputs.filter { $0["type"] != "registry" }
        for index in outputs.indices where outputs[index]["type"] == "image" {
            outputs[index]["push"] = pushes ? "true" : "false"
        }
        guard pushes, outputs.allSatisfy({ $0["type"] == "docker" }) else { return outputs }
        var added = BakeEntry()
        added["type"] = "image"
        added["push"] = "true"
        return outputs + [added]
    }

    private static func output(_ type: String) throws(BuildError) -> BakeEntry {
        var entry = BakeEntry()
        entry["type"] = type
        return entry
    }

    private func flag() throws(BuildError) -> Bool {
        switch value?.lowercased() {
        case "true", "1", "t": return true
        case "false", "0", "f": return false
        default: throw .invalidSet(text, "'\(key)' is true or false", hint: nil)
        }
    }
}

/// Patterns of target names: `*` is any text, `?` any character.
enum Glob {
    static func isPattern(_ text: String) -> Bool { text.contains("*") || text.contains("?") }

    static func matches(_ pattern: String, _ name: String) -> Bool {
        let (pattern, name) = (Array(pattern), Array(name))
        var (p, n) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = star {
                // The star takes one character more.
                star = (last.pattern, last.name + 1)
                p = last.pattern + 1
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
