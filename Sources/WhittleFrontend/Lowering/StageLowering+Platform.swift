internal import WhittleCore

/// How steps say which platform they are for.
extension StageLowering {
    /// `linux/amd64 `, or `linux/amd64->arm64 ` in a stage that sees another target; empty in a build for one platform.
    var platformName: String {
        guard options.showsPlatforms else { return "" }
        let own = state.platform
        guard let target = seenTarget else { return "\(own) " }
        if target.os != own.os { return "\(own)->\(target) " }
        guard target.architecture != own.architecture else { return "\(own) " }
        return "\(own)->\(target.architecture)\(target.variant.isEmpty ? "" : "/" + target.variant) "
    }

    /// The platform that commands of the stage read from `TARGETPLATFORM` or its parts, as far as those are declared.
    private var seenTarget: Platform? {
        if let text = state.environment["TARGETPLATFORM"], let platform = Platform(parsing: text) { return platform }
        let parts = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].map { state.environment[$0] ?? "" }
        guard parts.contains(where: { !$0.isEmpty }) else { return nil }
        return Platform(
            os: parts[0].isEmpty ? state.platform.os : parts[0],
            architecture: parts[1].isEmpty ? state.platform.architecture : parts[1], variant: parts[2])
    }
}
