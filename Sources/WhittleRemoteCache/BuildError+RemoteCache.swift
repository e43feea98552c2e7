package import WhittleCore

extension BuildError.Code {
    /// A `--cache-to` or `--cache-from` value that cannot be understood, or that contradicts itself.
    package static let invalidCacheOption = BuildError.Code(rawValue: "invalid-cache-option")
    /// A valid value that asks for something whittle does not do.
    package static let unsupportedCache = BuildError.Code(rawValue: "unsupported-cache")
    /// What a cache says is not what its format demands.
    package static let malformedCache = BuildError.Code(rawValue: "malformed-cache")
    /// There is no cache, or not the blob, at the place where it should be.
    package static let cacheNotFound = BuildError.Code(rawValue: "cache-not-found")
    /// A cache could not be read or written in time, or its place refuses it.
    package static let cacheUnusable = BuildError.Code(rawValue: "cache-unusable")
}

extension BuildError {
    static func invalidCacheOption(_ option: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.invalidCacheOption, "invalid cache option '\(shortened(option))': \(problem)", hint: hint)
    }

    static func unsupportedCache(_ option: String, _ what: String, hint: String) -> BuildError {
        BuildError(
            .unsupportedCache, "cannot use the cache option '\(shortened(option))': \(what) is not supported",
            hint: hint)
    }

    /// - Parameter problem: what is wrong with the configuration of a cache.
    package static func malformedCache(_ problem: String) -> BuildError {
        BuildError(
            .malformedCache, "cannot read the cache configuration: \(problem)",
            hint: "it is damaged, or another program wrote it; the next build with --cache-to replaces it")
    }

    /// - Parameters:
    ///   - what: `the cache`, or `the blob DIGEST`.
    ///   - place: `'DIR'`, or `the registry cache 'REF'`.
    package static func cacheNotFound(_ what: String, in place: String, hint: String? = nil) -> BuildError {
        BuildError(.cacheNotFound, "looking for \(what) in \(place): it is not there", hint: hint)
    }

    /// - Parameters:
    ///   - action: `reading the registry cache 'REF'`.
    ///   - problem: what was found.
    package static func cacheUnusable(_ action: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.cacheUnusable, "\(action): \(problem)", hint: hint)
    }

    private static func shortened(_ text: String) -> String {
        text.unicodeScalars.count > 200 ? text.prefix(200) + "…" : text
    }
}
