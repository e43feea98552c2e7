public import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

extension BuildError.Code {
    /// An `--output` value that cannot be understood, or that contradicts itself.
    public static let invalidOutput = BuildError.Code(rawValue: "invalid-output")
    /// A valid `--output` value that asks for something whittle does not do yet.
    public static let unsupportedOutput = BuildError.Code(rawValue: "unsupported-output")
    /// The destination of an output cannot be written to.
    public static let outputDestination = BuildError.Code(rawValue: "output-destination")
    /// The image has a file where the destination of an output has a directory.
    public static let outputConflict = BuildError.Code(rawValue: "output-conflict")
}

extension BuildError {
    static func invalidOutput(_ output: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.invalidOutput, "invalid output '\(shortened(output))': \(problem)", hint: hint)
    }

    static func unknownOutputType(_ type: String, in output: String) -> BuildError {
        let types = ["image", "registry", "oci", "docker", "local", "tar", "cacheonly"]
        return invalidOutput(
            output, "there is no output type '\(shortened(type))'",
            hint: NearestName.of(type, among: types).map { "did you mean 'type=\($0)'?" }
                ?? "the types are \(types.joined(separator: ", "))")
    }

    static func missingOutputType(in output: String) -> BuildError {
        invalidOutput(
            output, "it does not say its type",
            hint: "add one, for example 'type=oci,\(shortened(output))'; for a directory of that name, write "
                + "'./\(shortened(output))'")
    }

    static func unknownOutputKey(_ key: String, type: String, known: [String], in output: String) -> BuildError {
        invalidOutput(
            output, "the \(type) output has no option '\(shortened(key))'",
            hint: NearestName.of(key, among: known).map { "did you mean '\($0)'?" }
                ?? (known.isEmpty ? "it has no options" : "its options are \(known.joined(separator: ", "))"))
    }

    static func unsupportedOutput(_ option: String, in output: String, hint: String? = nil) -> BuildError {
        BuildError(
            .unsupportedOutput, "cannot do output '\(shortened(output))': \(option) is not supported yet", hint: hint)
    }

    static func pushNeedsName() -> BuildError {
        BuildError(
            .invalidOutput, "there is nowhere to push to: the image has no name",
            hint: "give it one that says where it goes: -t REGISTRY/NAME:TAG")
    }

    static func tagByDigest(_ name: ImageReference) -> BuildError {
        BuildError(
            .invalidOutput, "'\(name.familiarName)' has a tag, and 'push-by-digest' pushes none",
            hint: "leave out the tag, or 'push-by-digest'")
    }

    static func outputNeedsDestination(_ output: String, type: String) -> BuildError {
        invalidOutput(output, "the \(type) output needs a destination", hint: "add 'dest=PATH'")
    }

    static func outputToTerminal(_ type: String) -> BuildError {
        BuildError(
            .outputDestination, "refusing to write the \(type) output to a terminal",
            hint: "name a file with 'dest=FILE', or redirect standard output")
    }

    static func severalOutputsToStandardOutput() -> BuildError {
        BuildError(
            .outputDestination, "more than one output would be written to standard output",
            hint: "give all but one of them 'dest=FILE'")
    }

    static func dockerNeedsOnePlatform(
        _ platforms: [Platform], _ destination: ImageLayoutOptions.Destination
    ) -> BuildError {
        let isDaemon = if case .daemon = destination { true } else { false }
        return BuildError(
            .invalidOutput,
            "the docker output holds an image for one platform, and the build is for \(platforms.count): \(list(platforms))",
            hint: "write an index with 'type=oci,dest=FILE', keep it in the store with 'type=image', or build "
                + "\(isDaemon ? "what docker is to run" : "one of them") with --platform=\(platforms[0])")
    }

    static func archiveNeedsDirectories(_ platforms: [Platform]) -> BuildError {
        BuildError(
            .invalidOutput,
            "the tar output cannot hold \(platforms.count) platforms in one directory: \(list(platforms))",
            hint: "leave out 'platform-split=false'; each platform then has a directory of its own")
    }

    static func platformsCollide(_ path: String, _ first: String, _ second: String) -> BuildError {
        BuildError(
            .outputConflict,
            "cannot write output '\(printable(path))' for \(second): \(first) has a file there, and "
                + "'platform-split=false' puts both in one directory",
            hint: "leave out 'platform-split=false', or give the files of each platform a name of their own")
    }

    private static func list(_ platforms: [Platform]) -> String {
        platforms.map { "\($0)" }.joined(separator: ", ")
    }

    static func imageIDFileNeedsImage(_ type: String) -> BuildError {
        BuildError(
            .invalidOutput, "there is no image ID to write: the \(type) output is no image",
            hint: "leave out --iidfile, or choose the output image, oci or docker")
    }

    private static func shortened(_ text: String) -> String {
        text.unicodeScalars.count > 200 ? text.prefix(200) + "…" : text
    }
}
