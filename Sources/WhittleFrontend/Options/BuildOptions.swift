public import WhittleCore
public import WhittleGraph

/// What a build is asked for besides the Dockerfile.
public struct BuildOptions: Sendable {
    /// The stage to build, by name or number; `nil` for the last one.
    public var target: String?
    /// Further stages that are built too, without being the image.
    public var additionalTargets: [String]
    /// `--build-arg`.
    public var buildArguments: [String: String]
    /// `--label`; they win over the Dockerfile's.
    public var labels: [String: String]
    /// The platform the image is for. `nil` means the one of ``buildPlatform``, and then the image says what its base
    /// image says.
    public var platform: Platform?
    /// The platform that steps run on.
    public var buildPlatform: Platform
    /// Whether steps are shown with the platform of their stage, as they are where a build has several.
    public var showsPlatforms = false
    /// No step takes its result from the cache.
    public var noCache: Bool
    /// Names of stages whose steps do not take their results from the cache.
    public var noCacheFilter: Set<String>
    /// What of the build context does not exist for the build.
    public var ignore: IgnoreRules
    /// `--build-context`, by name. A context replaces the stage or image of its name.
    public var namedContexts: [String: NamedContext]
    /// What the graph calls local directories instead of `context` and the names of named contexts. Where several builds
    /// become one graph, equal directories have to have one name in it, and different ones different names.
    public var localNames: [String: String] = [:]
    /// The network of RUN steps that do not say one.
    public var network: NetworkMode
    /// The `created` time of new history entries. `nil` leaves it to the exporter, unless the build argument
    /// `SOURCE_DATE_EPOCH` says otherwise.
    public var sourceDateEpoch: Timestamp?
    /// Equal inputs make equal images: commands see the epoch as `SOURCE_DATE_EPOCH`, and files of contexts get its time.
    public var isReproducible = false
    /// The epoch of a reproducible build where no `SOURCE_DATE_EPOCH` says one.
    public var fallbackEpoch: Timestamp?
    /// The time of the build context, for `SOURCE_DATE_EPOCH=context`: that of a commit, a download (`Last-Modified`), or the
    /// newest file of an archive. `nil` for a directory of the user's machine, which has none.
    public var contextTime: Timestamp?
    /// A secret in what a step wrote, or in the image's configuration, is a warning instead of an error.
    public var allowsSecretLeak = false
    /// `--allow`.
    public var entitlements = Entitlements()
    /// `--add-host`, `--shm-size`, `--ulimit`.
    public var steps = StepSettings()

    public init(
        target: String? = nil, additionalTargets: [String] = [], buildArguments: [String: String] = [:],
        labels: [String: String] = [:], platform: Platform? = nil, buildPlatform: Platform = .host,
        noCache: Bool = false, noCacheFilter: Set<String> = [], ignore: IgnoreRules = IgnoreRules(),
        namedContexts: [String: NamedContext] = [:], network: NetworkMode = .host, sourceDateEpoch: Timestamp? = nil
    ) {
        self.target = target
        self.additionalTargets = additionalTargets
        self.buildArguments = buildArguments
        self.labels = labels
        self.platform = platform
        self.buildPlatform = buildPlatform
        self.noCache = noCache
        self.noCacheFilter = noCacheFilter
        self.ignore = ignore
        self.namedContexts = namedContexts
        self.network = network
        self.sourceDateEpoch = sourceDateEpoch
    }
}

/// The patterns of an ignore file.
public struct IgnoreRules: Hashable, Sendable {
    /// In file order, in the syntax of `.dockerignore`.
    public var patterns: [String]
    /// The file they are from, for messages; `nil` where there is none.
    public var file: String?

    public init(patterns: [String] = [], file: String? = nil) {
        self.patterns = patterns
        self.file = file
    }
}

extension BuildOptions {
    /// The platform that images are resolved for where FROM does not say one.
    var targetPlatform: Platform { platform ?? buildPlatform }

    /// The proxy settings among the build arguments, as variables in both casings. They reach commands without being
    /// declared, and are no part of keys or history.
    var proxyEnvironment: [String] {
        var values: [String: String] = [:]
        for (name, value) in buildArguments.sorted(by: { $0.key < $1.key }) { values[name.lowercased()] = value }
        return Self.proxyNames.flatMap { name -> [String] in
            guard let value = values[name], !value.isEmpty else { return [] }
            return ["\(name.uppercased())=\(value)", "\(name)=\(value)"]
        }
    }

    private static let proxyNames = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"]

    /// Whether a build argument has a meaning without an ARG.
    static func isPredefined(_ name: String) -> Bool {
        proxyNames.contains(name.lowercased()) || name == "SOURCE_DATE_EPOCH" || name.hasPrefix("BUILDKIT_")
    }

    /// The time that a reproducible build gives to files.
    var fileTime: Timestamp? { isReproducible ? sourceDateEpoch : nil }

    /// Whether the steps of the stage ignore the cache.
    func ignoresCache(stage name: String?) -> Bool {
        if noCache { return true }
        guard let name else { return false }
        return noCacheFilter.contains { $0.lowercased() == name }
    }
}
