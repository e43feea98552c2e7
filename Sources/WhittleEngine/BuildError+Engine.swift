package import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleRuntime

extension BuildError.Code {
    /// The command of a RUN step ended with an exit code other than 0.
    static let stepFailed = Self(rawValue: "step-failed")
    /// A step needs a secret that the build was not given.
    static let secretMissing = Self(rawValue: "secret-missing")
    /// A secret is in what a step wrote, or in the image's configuration.
    static let secretLeak = Self(rawValue: "secret-leak")
    /// The source of a mount does not exist.
    static let mountSourceNotFound = Self(rawValue: "mount-source-not-found")
    /// The directory of a cache mount cannot be made.
    static let cacheMount = Self(rawValue: "cache-mount")
    /// Times are to be rewritten, and nothing says to what.
    static let epochMissing = Self(rawValue: "epoch-missing")
    /// What a failed step left could not be removed.
    static let cleanUp = Self(rawValue: "clean-up")
    /// The build reads files of its context, and has none.
    static let contextMissing = Self(rawValue: "context-missing")
    /// What was given as a context is none, or does not go with the other arguments.
    package static let contextUnusable = Self(rawValue: "context-unusable")
    /// There is no Dockerfile.
    package static let dockerfileNotFound = Self(rawValue: "dockerfile-not-found")
}

extension BuildError {
    package static func contextUnusable(
        _ problem: String, hint: String? = nil, cause: BuildError? = nil
    ) -> BuildError {
        BuildError(
            .contextUnusable, problem,
            hint: hint
                ?? "a context is a directory, '-' for a tar archive or Dockerfile on standard input, or a URL of one",
            cause: cause)
    }

    static func twoDockerfiles(_ name: String) -> BuildError {
        contextUnusable(
            "\(name) is no archive but a Dockerfile, and -f names another one", hint: "leave one of the two out")
    }

    /// - Parameter names: what is at the top of the archive.
    static func dockerfileNotFound(_ path: String, inside context: String, names: [String]) -> BuildError {
        let near =
            NearestName.of(path, among: names) ?? names.first { $0.lowercased().hasPrefix("dockerfile") }
            ?? (names.count == 1 ? names[0] + "/" + path : nil)
        return BuildError(
            .dockerfileNotFound, "looking for '\(printable(path))' in \(context): there is none",
            hint: near.map { "did you mean '-f \(printable($0))'?" } ?? "name it with -f, as a path in the archive")
    }

    static func stepFailed(_ vertex: Vertex, _ op: ExecOp, _ exit: StepExit) -> BuildError {
        let exitCode = exit.code
        let command =
            op.arguments.count == 3 && op.arguments[1] == "-c" ? op.arguments[2] : op.arguments.joined(separator: " ")
        let signal = exitCode > 128 && exitCode <= 128 + 64 ? " (signal \(exitCode - 128))" : ""
        return BuildError(
            .stepFailed, "running '\(shortened(command))': exit code \(exitCode)\(signal)",
            hint: exit.isOutOfMemory
                ? "the step used up the memory that --resource memory gives it: give it more"
                : exitCode == 137 ? "signal 9 often means that the machine ran out of memory" : nil,
            at: vertex.metadata.location)
    }

    /// One line of at most 120 characters.
    static func shortened(_ command: String) -> String {
        let line = command.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 120 ? line.prefix(119) + "…" : line
    }

    static func secretMissing(_ id: String, given: [String], at vertex: Vertex) -> BuildError {
        let near = NearestName.of(id, among: given).map { "did you mean '\($0)'? Otherwise give" } ?? "give"
        return BuildError(
            .secretMissing, "running '\(vertex.metadata.name)': the build was given no secret '\(id)'",
            hint: "\(near) it with --secret id=\(id),src=FILE or id=\(id),env=NAME", at: vertex.metadata.location)
    }

    static func mountSourceNotFound(_ path: String, target: String, at vertex: Vertex) -> BuildError {
        BuildError(
            .mountSourceNotFound, "mounting '\(path)' at '\(target)': there is no such file or directory",
            hint: "'source=' is a path from the root of the stage, image or context that 'from=' names",
            at: vertex.metadata.location)
    }

    static func cacheMount(_ id: String, _ problem: String) -> BuildError {
        BuildError(.cacheMount, "making the cache directory '\(id)': \(problem)")
    }

    static func cleanUp(_ failure: any Error, after error: any Error) -> BuildError {
        BuildError(
            .cleanUp, "cleaning up after a failed step: \((failure as? BuildError)?.message ?? "\(failure)")",
            hint: "the next build removes what was left", cause: error)
    }

    static var epochMissing: BuildError {
        BuildError(
            .epochMissing, "writing layers with 'rewrite-timestamp=true': the build has no epoch",
            hint: "give it with --build-arg SOURCE_DATE_EPOCH=SECONDS, or build with --reproducible")
    }

    static func contextMissing(_ name: String) -> BuildError {
        BuildError(
            .contextMissing,
            name == "context"
                ? "reading the build context: the build has none" : "reading the context '\(name)': the build has none",
            hint: "name a directory after the options: whittle build .")
    }
}
