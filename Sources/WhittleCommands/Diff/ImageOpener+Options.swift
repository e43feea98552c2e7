internal import WhittleAnalysis
internal import WhittleCore

extension ImageOpener {
    /// What `--platform` says.
    static func platform(_ text: String?) throws(BuildError) -> Platform? {
        guard let text else { return nil }
        guard let platform = Platform(parsing: text) else {
            throw .invalidArgument(
                "--platform", text, "it is no platform", hint: "the form is OS/ARCH[/VARIANT], such as linux/arm64")
        }
        return platform
    }

    /// What `--max-layer-size` says, else `$WHITTLE_MAX_LAYER_SIZE`.
    static func limits(_ layerSize: String?) throws(BuildError) -> ReadingLimits {
        var limits = ReadingLimits()
        let size = try BuildCacheOptions.size(layerSize, "--max-layer-size", or: "WHITTLE_MAX_LAYER_SIZE")
        if let size { limits.layerSize = size }
        return limits
    }
}
