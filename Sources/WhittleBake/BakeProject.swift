package import WhittleCore

/// What one or several files say, merged in their order.
package struct BakeProject: Sendable {
    private let declarations: BakeDeclarations
    private let environment: [String: String]
    /// What should be known of the files and stops nothing.
    package let warnings: [String]
    /// The variables of bake files with their values, in order.
    package let variables: [Variable]

    package struct Variable: Hashable, Sendable {
        package let name: String
        package let description: String?
        package let type: String?
        /// `nil` for a list or a map.
        package let value: String?
    }

    /// A group or a target.
    package struct Entry: Hashable, Sendable {
        package let name: String
        package let description: String?
        package let isGroup: Bool
    }

    /// - Parameters:
    ///   - environment: that of the process.
    ///   - dotEnv: the bytes of `.env` in the working directory, for compose files; `nil` where there is none.
    ///   - given: the values of `--var`.
    /// - Throws: `bake-syntax`, `bake-invalid`, `bake-unsupported`, `bake-missing-variable`, `bake-cycle`,
    ///   `yaml-missing`.
    package init(
        _ sources: [BakeSource], environment: [String: String], dotEnv: BakeSource? = nil,
        given: [String: String] = [:],
        platform: Platform = .host
    ) throws(BuildError) {
        if let hcl = sources.first(where: { $0.format == .hcl }) { throw .hclUnsupported(hcl.name) }
        var warnings: [String] = []
        var declarations = BakeDeclarations()
        let compose = sources.filter { $0.format == .compose }
        if !compose.isEmpty {
            var composeEnvironment = environment
            if let dotEnv {
                composeEnvironment.merge(try DotEnv.variables(dotEnv, environment)) { own, _ in own }
            }
            composeEnvironment.merge(given) { $1 }
            let project = try ComposeProject(compose, environment: composeEnvironment)
            try project.add(to: &declarations)
            warnings += project.warnings
        }
        let files = try sources.filter { $0.format == .json }.map { source throws(BuildError) in
            try BakeFile(source)
        }
        var variables = BakeVariables(environment: environment, given: given, platform: platform)
        for file in files { warnings += try file.declare(in: &variables) }
        for file in files { try file.add(to: &declarations, variables) }
        self.variables = try variables.declarations.map { declaration throws(BuildError) in
            Variable(
                name: declaration.name, description: declaration.description, type: declaration.type,
                value: try variables.value(declaration).scalar)
        }
        self.declarations = declarations
        self.environment = environment
        self.warnings = warnings
    }

    /// Everything that can be asked for: groups, then targets, each in the order of the files.
    package var entries: [Entry] {
        declarations.groups.map { Entry(name: $0.name, description: $0.description, isGroup: true) }
            + declarations.targets.map { Entry(name: $0.name, description: $0.description, isGroup: false) }
    }

    /// The targets that `names` ask for, and those that they stand on.
    ///
    /// - Parameters:
    ///   - names: of targets and groups, with `*` and `?`; none for `default`.
    ///   - set: the values of `--set`.
    /// - Throws: `bake-unknown-target`, `bake-cycle`, `bake-invalid-set`.
    package func select(_ names: [String], set: [String] = []) throws(BuildError) -> BakeSelection {
        let overrides = try set.map { text throws(BuildError) in try BakeOverride(parsing: text) }
        for override in overrides
        where !declarations.targets.contains(where: { Glob.matches(override.pattern, $0.name) }) {
            throw .unknownBakeTarget(override.pattern, neededBy: "--set", known: declarations.targets.map(\.name))
        }
        var resolver = BakeResolver(declarations, overrides, environment)
        let names = names.isEmpty ? ["default"] : names
        let selection = try resolver.select(names)
        guard !selection.targets.isEmpty else { throw .emptyBakeGroup(names) }
        return selection
    }
}

/// Targets to build together.
package struct BakeSelection: Sendable {
    /// Every target after those that it stands on, else in the order in which they were asked for.
    package let targets: [BakeTarget]
    /// The groups that were asked for, and `default` for what the command line names, with what they have.
    package let groups: [String: [String]]
}
