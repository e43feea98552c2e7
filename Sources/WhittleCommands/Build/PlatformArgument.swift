internal import WhittleCore

/// The values of `--platform`.
enum PlatformArgument {
    /// The platforms that are named, each once, in their order; `local` is this machine's.
    ///
    /// - Parameters:
    ///   - values: each may have several with commas between them.
    ///   - option: what the error calls them.
    /// - Throws: `invalid-argument`.
    static func platforms(
        _ values: [String], named option: String = "--platform"
    ) throws(BuildError) -> [Platform] {
        var platforms: [Platform] = []
        for value in values {
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                let text = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                guard let platform = text == "local" ? .host : Platform(parsing: text) else {
                    throw .invalidArgument(
                        option, value, text.isEmpty ? "a platform is missing" : "'\(text)' is no platform",
                        hint: "the form is OS/ARCH[/VARIANT], such as linux/arm64; several have commas between them")
                }
                if !platforms.contains(platform) { platforms.append(platform) }
            }
        }
        return platforms
    }
}

extension PlatformArgument {
    /// The one platform that an option names.
    ///
    /// - Throws: `invalid-argument`.
    static func platform(_ text: String?) throws(BuildError) -> Platform? {
        guard let text else { return nil }
        let platforms = try platforms([text])
        guard platforms.count == 1 else {
            throw .invalidArgument(
                "--platform", text, "one platform is wanted", hint: "the form is OS/ARCH[/VARIANT], such as linux/arm64"
            )
        }
        return platforms[0]
    }
}

extension BuildCommand {
    /// What the image is for; none where neither the options nor the environment say so.
    ///
    /// - Throws: `invalid-argument`.
    func platforms() throws(BuildError) -> [Platform] {
        guard input.platforms.isEmpty else { return try PlatformArgument.platforms(input.platforms) }
        let name = "DOCKER_DEFAULT_PLATFORM"
        guard let value = StoreOptions.variable(name), !value.isEmpty else { return [] }
        return try PlatformArgument.platforms([value], named: "$\(name)")
    }
}
