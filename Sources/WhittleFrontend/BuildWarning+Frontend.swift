internal import WhittleCore
internal import WhittleGraph

extension BuildWarning {
    static func undefinedVariable(_ name: String, known: [String], at location: SourceLocation) -> BuildWarning {
        let nearest = NearestName.of(name, among: known).map { " (did you mean '$\($0)'?)" } ?? ""
        return BuildWarning("variable '$\(name)' is not defined\(nearest)", at: location)
    }

    static func undeclaredArgument(_ name: String, known: Set<String>, at location: SourceLocation) -> BuildWarning {
        let nearest = NearestName.of(name, among: known.sorted()).map { " (did you mean '$\($0)'?)" } ?? ""
        return BuildWarning("variable '$\(name)' in FROM is no ARG above the first FROM\(nearest)", at: location)
    }

    static func unusedArgument(_ name: String, known: Set<String>) -> BuildWarning {
        let nearest = NearestName.of(name, among: known.sorted()).map { " (did you mean '\($0)'?)" } ?? ""
        return BuildWarning("the build argument '\(name)' is declared by no ARG and does nothing\(nearest)")
    }

    static func basePlatform(
        _ image: String, found: Platform, wanted: Platform, at location: SourceLocation
    ) -> BuildWarning {
        BuildWarning("base image '\(image)' is for \(found), and the build is for \(wanted)", at: location)
    }

    static func exposedHostPort(_ text: String, at location: SourceLocation) -> BuildWarning {
        BuildWarning(
            "EXPOSE '\(text)': only the container's port counts; addresses and host ports are set when it is run",
            at: location)
    }

    static func possibleComment(_ text: String, instruction: String, at location: SourceLocation) -> BuildWarning {
        BuildWarning(
            "'\(text.prefix(80))' behind \(instruction) is no comment but arguments; a comment needs a line of its own",
            at: location)
    }

    static func unknownCacheFilter(_ name: String, nearest: String?) -> BuildWarning {
        let suggestion = nearest.map { " (did you mean '\($0)'?)" } ?? ""
        return BuildWarning("--no-cache-filter '\(name)' names no stage\(suggestion)")
    }
}
