public import WhittleCore
internal import WhittleDockerfile
internal import WhittleOCI

/// The frontend that a Dockerfile asks for: `# syntax=IMAGE`, or the build argument `BUILDKIT_SYNTAX`, which wins.
///
/// BuildKit pulls the image and runs it. Here the frontend is built in: it is what the image `docker/dockerfile` holds, in
/// any version, so that one is never pulled, and no other can be served.
enum FrontendImage {
    private static let repositories: Set<String> = ["docker/dockerfile", "docker/dockerfile-upstream"]

    /// - Throws: `unsupported-frontend`.
    static func check(_ dockerfile: Dockerfile, _ options: BuildOptions) throws(BuildError) {
        if let given = options.buildArguments["BUILDKIT_SYNTAX"], !given.isEmpty {
            guard isBuiltIn(given) else { throw .unsupportedFrontend(given, argument: true, at: nil) }
            return
        }
        guard let directive = dockerfile.directives.first(where: { $0.name == "syntax" }),
            !isBuiltIn(directive.value.text)
        else { return }
        throw .unsupportedFrontend(
            directive.value.text, argument: false, at: dockerfile.location(of: directive.value.range))
    }

    /// Whether an image, with what may follow its name, is the built-in one.
    private static func isBuiltIn(_ text: String) -> Bool {
        // Arguments behind the name are for the image's own program.
        guard let name = text.split(whereSeparator: \.isWhitespace).first,
            // What is no image name is no known one; the error shows it.
            let reference = try? ImageReference(parsing: name)
        else { return false }
        return reference.registry == ImageReference.defaultRegistry && repositories.contains(reference.repository)
    }
}

extension BuildError.Code {
    /// A Dockerfile asks for a frontend image other than docker's own.
    public static let unsupportedFrontend = BuildError.Code(rawValue: "unsupported-frontend")
}

extension BuildError {
    static func unsupportedFrontend(_ image: String, argument: Bool, at location: SourceLocation?) -> BuildError {
        let name = image.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? image
        let near = NearestName.of(name, among: ["docker/dockerfile", "docker/dockerfile:1"])
        let hint =
            if let near {
                "did you mean '\(near)'?"
            } else if argument {
                "leave out BUILDKIT_SYNTAX, or set it to docker/dockerfile:1"
            } else {
                "where the file is an ordinary Dockerfile, remove the line, or pass "
                    + "--build-arg BUILDKIT_SYNTAX=docker/dockerfile:1"
            }
        return BuildError(
            .unsupportedFrontend,
            "the frontend '\(name.prefix(120))'\(argument ? " of BUILDKIT_SYNTAX" : "") cannot be run: whittle has the "
                + "frontend docker/dockerfile built in, and runs no frontend images",
            hint: hint, at: location)
    }
}
