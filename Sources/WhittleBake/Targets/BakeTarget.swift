/// A target of a bake file, or a service of a compose file: what one build is asked for.
package struct BakeTarget: Hashable, Sendable {
    package var name: String
    package var description: String?
    package var inherits: [String] = []
    package var annotations: [String]?
    package var attest: [BakeEntry]?
    package var context: String?
    /// Named contexts; `target:NAME` is what another target makes.
    package var contexts: [String: String] = [:]
    package var dockerfile: String?
    package var dockerfileInline: String?
    package var arguments: [String: String] = [:]
    package var labels: [String: String] = [:]
    package var tags: [String]?
    package var cacheFrom: [BakeEntry]?
    package var cacheTo: [BakeEntry]?
    package var stage: String?
    package var secrets: [BakeEntry]?
    package var ssh: [BakeEntry]?
    package var platforms: [String]?
    package var outputs: [BakeEntry]?
    package var pull: Bool?
    package var noCache: Bool?
    package var network: String?
    package var noCacheFilter: [String]?
    package var sharedMemory: String?
    package var limits: [String]?
    package var resources: [String: String] = [:]
    package var call: String?
    package var entitlements: [String]?
    package var extraHosts: [String: String] = [:]
    /// It is built because another target stands on it, and not asked for itself.
    package internal(set) var isLinked = false

    init(name: String) { self.name = name }

    /// The members of a target in a bake file.
    static let keys = [
        "description", "inherits", "annotations", "attest", "context", "contexts", "dockerfile", "dockerfile-inline",
        "args", "labels", "tags", "cache-from", "cache-to", "target", "secret", "ssh", "platforms", "output", "pull",
        "no-cache", "network", "no-cache-filter", "shm-size", "ulimits", "resources", "call", "entitlements",
        "extra-hosts",
    ]

    /// The targets that its contexts stand for, by the name of the context.
    package var links: [String: String] {
        contexts.compactMapValues { $0.hasPrefix("target:") ? String($0.dropFirst("target:".count)) : nil }
    }

    /// Lays what `other` says over this: as buildx, lists of tags, platforms, outputs and cache targets are replaced, other
    /// lists are continued, and maps are merged.
    mutating func merge(_ other: BakeTarget) {
        func replace<Value>(_ own: inout Value?, _ new: Value?) { own = new ?? own }
        func append<Value>(_ own: inout [Value]?, _ new: [Value]?) {
            if let new { own = (own ?? []) + new }
        }
        replace(&description, other.description)
        inherits += other.inherits
        append(&annotations, other.annotations)
        append(&attest, other.attest)
        replace(&context, other.context)
        contexts.merge(other.contexts) { $1 }
        replace(&dockerfile, other.dockerfile)
        replace(&dockerfileInline, other.dockerfileInline)
        arguments.merge(other.arguments) { $1 }
        labels.merge(other.labels) { $1 }
        replace(&tags, other.tags)
        append(&cacheFrom, other.cacheFrom)
        replace(&cacheTo, other.cacheTo)
        replace(&stage, other.stage)
        append(&secrets, other.secrets)
        append(&ssh, other.ssh)
        replace(&platforms, other.platforms)
        replace(&outputs, other.outputs)
        replace(&pull, other.pull)
        replace(&noCache, other.noCache)
        replace(&network, other.network)
        append(&noCacheFilter, other.noCacheFilter)
        replace(&sharedMemory, other.sharedMemory)
        append(&limits, other.limits)
        resources.merge(other.resources) { $1 }
        replace(&call, other.call)
        append(&entitlements, other.entitlements)
        extraHosts.merge(other.extraHosts) { $1 }
    }

    /// Fills in what every target has, and takes away what is said twice.
    mutating func complete() {
        func unique<Value: Hashable>(_ values: inout [Value]?) {
            var seen: Set<Value> = []
            values = values?.filter { seen.insert($0).inserted }
        }
        inherits = []
        context = context.flatMap { $0.isEmpty ? nil : $0 } ?? "."
        dockerfile = dockerfile.flatMap { $0.isEmpty ? nil : $0 } ?? "Dockerfile"
        contexts = contexts.filter { !$0.value.isEmpty }
        if network == "host" { entitlements = (entitlements ?? []) + ["network.host"] }
        for path in [\BakeTarget.annotations, \.tags, \.platforms, \.noCacheFilter, \.limits, \.entitlements] {
            unique(&self[keyPath: path])
        }
        for path in [\BakeTarget.attest, \.cacheFrom, \.cacheTo, \.ssh, \.outputs] { unique(&self[keyPath: path]) }
        // Of one id the last counts, in the place of the first.
        var byID: [BakeEntry] = []
        for secret in secrets ?? [] {
            if let position = byID.firstIndex(where: { $0["id"] == secret["id"] }) {
                byID[position] = secret
            } else {
                byID.append(secret)
            }
        }
        if secrets != nil { secrets = byID }
    }
}
