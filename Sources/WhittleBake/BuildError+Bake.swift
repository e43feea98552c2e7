internal import WhittleCore

extension BuildError.Code {
    /// A bake or compose file is no valid document of its format.
    static let bakeSyntax = Self(rawValue: "bake-syntax")
    /// A value in it is not what is expected there.
    static let bakeInvalid = Self(rawValue: "bake-invalid")
    /// It asks for something that whittle does not do.
    static let bakeUnsupported = Self(rawValue: "bake-unsupported")
    /// Nothing is called so.
    static let bakeUnknownTarget = Self(rawValue: "bake-unknown-target")
    /// A target stands on itself.
    static let bakeCycle = Self(rawValue: "bake-cycle")
    /// A variable is not declared, or required and not set.
    static let bakeMissingVariable = Self(rawValue: "bake-missing-variable")
    /// A value of `--set` that cannot be understood.
    static let bakeInvalidSet = Self(rawValue: "bake-invalid-set")
    /// libyaml is not installed.
    static let yamlMissing = Self(rawValue: "yaml-missing")
}

extension BuildError {
    static func bakeSyntax(_ file: String, _ problem: String, at location: SourceLocation?) -> BuildError {
        BuildError(.bakeSyntax, "reading '\(file)': \(problem)", at: location)
    }

    /// - Parameter path: that of the value: `target.app.args`.
    static func invalidBake(
        _ file: String, _ path: String, _ problem: String, hint: String? = nil, at location: SourceLocation?
    ) -> BuildError {
        BuildError(
            .bakeInvalid, "reading '\(file)': \(path.isEmpty ? "" : "\(path): ")\(problem)", hint: hint, at: location)
    }

    static func unsupportedBake(
        _ file: String, _ path: String, _ what: String, hint: String? = nil, at location: SourceLocation?
    ) -> BuildError {
        BuildError(
            .bakeUnsupported, "reading '\(file)': \(path): \(what) is not supported",
            hint: hint ?? "'docker buildx bake --print' writes the same without it", at: location)
    }

    static func hclUnsupported(_ file: String) -> BuildError {
        BuildError(
            .bakeUnsupported, "reading '\(file)': the language HCL is not supported, its JSON form is",
            hint: "'docker buildx bake -f \(file) --print > docker-bake.json' writes it as JSON")
    }

    /// What was asked for are groups without members.
    static func emptyBakeGroup(_ names: [String]) -> BuildError {
        BuildError(
            .bakeUnknownTarget, "'\(names.joined(separator: "', '"))' has no targets",
            hint: "name targets in the group, or on the command line")
    }

    static func unknownBakeTarget(
        _ name: String, neededBy user: String? = nil, known: [String]
    ) -> BuildError {
        BuildError(
            .bakeUnknownTarget,
            "there is no target or group '\(name)'" + (user.map { ", which '\($0)' names" } ?? ""),
            hint: NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
                ?? (known.isEmpty
                    ? "the files have no targets"
                    : "there are \(known.prefix(20).joined(separator: ", "))\(known.count > 20 ? ", …" : "")"))
    }

    /// - Parameter how: `inherits`, `contexts`.
    static func bakeCycle(_ names: [String], _ how: String) -> BuildError {
        BuildError(
            .bakeCycle, "\(names.map { "'\($0)'" }.joined(separator: " → ")): the \(how) go in a circle",
            hint: "take one of them away")
    }

    static func unknownBakeVariable(
        _ name: String, in file: String, _ path: String, known: [String], at location: SourceLocation?
    ) -> BuildError {
        BuildError(
            .bakeMissingVariable, "reading '\(file)': \(path): there is no variable '\(name)'",
            hint: NearestName.of(name, among: known).map { "did you mean '\($0)'?" }
                ?? "declare it: \"variable\": {\"\(name)\": {\"default\": \"\"}}; the environment counts for declared ones",
            at: location)
    }

    static func requiredVariable(
        _ name: String, _ message: String, in file: String, _ path: String, at location: SourceLocation?
    ) -> BuildError {
        BuildError(
            .bakeMissingVariable,
            "reading '\(file)': \(path): the variable '\(name)' is required\(message.isEmpty ? "" : ": \(message)")",
            hint: "set it in the environment, in .env, or with --var \(name)=VALUE", at: location)
    }

    static func invalidSet(_ text: String, _ problem: String, hint: String?) -> BuildError {
        BuildError(.bakeInvalidSet, "reading '--set \(text.prefix(200))': \(problem)", hint: hint)
    }

    static func yamlMissing(_ reason: String, _ file: String) -> BuildError {
        BuildError(
            .yamlMissing, "reading '\(file)': libyaml is needed for YAML: \(reason)",
            hint: "install it: apt-get install libyaml-0-2")
    }
}
