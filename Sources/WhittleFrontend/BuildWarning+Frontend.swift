internal import WhittleCore
internal import WhittleGraph

extension BuildWarning {
    static func unusedArgument(_ name: String, known: Set<String>) -> BuildWarning {
        let nearest = NearestName.of(name, among: known.sorted()).map { " (did you mean '\($0)'?)" } ?? ""
        return BuildWarning("the build argument '\(name)' is declared by no ARG and does nothing\(nearest)")
    }

    static func possibleComment(_ text: String, instruction: String, at location: SourceLocation) -> BuildWarning {
        BuildWarning(
            "'\(text.prefix(80))' behind \(instruction) is no comment but arguments; a comment needs a line of its own",
            at: location)
    }

    /// An ONBUILD that BuildKit takes as it is, and that no build on the image will get past.
    static func uselessTrigger(_ problem: BuildError) -> BuildWarning {
        let hint = problem.hint.map { " (\($0))" } ?? ""
        return BuildWarning(
            "a build on top of this image will fail at ONBUILD: \(problem.message)\(hint)", at: problem.location)
    }

    /// `taken` is what the path means then, as in BuildKit.
    static func contextEscape(_ path: String, taken: String, at location: SourceLocation) -> BuildWarning {
        BuildWarning(
            "'\(path.prefix(80))' leads out of the build context, and '\(taken.prefix(80))' of the context is taken instead; "
                + "run the build with a directory above as the context, or name the other one with "
                + "--build-context NAME=DIRECTORY and COPY --from=NAME", at: location)
    }

    static func unknownCacheFilter(_ name: String, nearest: String?) -> BuildWarning {
        let suggestion = nearest.map { " (did you mean '\($0)'?)" } ?? ""
        return BuildWarning("--no-cache-filter '\(name)' names no stage\(suggestion)")
    }
}
