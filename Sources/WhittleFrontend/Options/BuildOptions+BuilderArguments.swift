internal import WhittleCore
internal import WhittleGraph

/// Build arguments that speak to the builder: `BUILDKIT_…`.
extension BuildOptions {
    private static let builderArguments = [
        "BUILDKIT_BUILD_NAME", "BUILDKIT_CACHE_MOUNT_NS", "BUILDKIT_CONTEXT_KEEP_GIT_DIR", "BUILDKIT_DOCKERFILE_CHECK",
        "BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM", "BUILDKIT_SANDBOX_HOSTNAME", "BUILDKIT_SBOM_SCAN_CONTEXT",
        "BUILDKIT_SBOM_SCAN_STAGE", "BUILDKIT_SYNTAX",
    ]

    /// The host name of steps that `BUILDKIT_SANDBOX_HOSTNAME` asks for.
    var sandboxHostname: String? {
        buildArguments["BUILDKIT_SANDBOX_HOSTNAME"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether `BUILDKIT_MULTI_PLATFORM` asks for an index around the image, although it has one platform.
    public var asksForIndex: Bool { isOn("BUILDKIT_MULTI_PLATFORM") }

    /// About those that do nothing.
    var builderArgumentWarnings: [BuildWarning] {
        var warnings: [BuildWarning] = []
        for name in buildArguments.keys.sorted()
        where name.hasPrefix("BUILDKIT_") && !Self.builderArguments.contains(name) {
            warnings.append(.unknownBuilderArgument(name, known: Self.builderArguments))
        }
        if isOn("BUILDKIT_INLINE_CACHE") { warnings.append(.inlineCache) }
        return warnings
    }

    /// In the spellings that BuildKit takes, those of Go's `strconv.ParseBool`.
    private func isOn(_ name: String) -> Bool {
        ["1", "t", "T", "true", "TRUE", "True"].contains(buildArguments[name] ?? "")
    }
}

extension BuildWarning {
    static func unknownBuilderArgument(_ name: String, known: [String]) -> BuildWarning {
        let nearest = NearestName.of(name, among: known).map { " (did you mean '\($0)'?)" } ?? ""
        return BuildWarning("the builder knows no argument '\(name)'\(nearest)")
    }

    static var inlineCache: BuildWarning {
        BuildWarning(
            "BUILDKIT_INLINE_CACHE has no effect: whittle does not export its cache yet; the image is built without it")
    }
}
