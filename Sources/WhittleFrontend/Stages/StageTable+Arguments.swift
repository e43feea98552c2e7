internal import WhittleDockerfile
internal import WhittleGraph

extension StageTable {
    /// A warning for each build argument that no ARG declares, neither of the file nor of a trigger: most are typing
    /// errors, and the build would go on with a default.
    func undeclaredArguments(_ globals: GlobalVariables) -> [BuildWarning] {
        var declared = globals.names
        for command in stages.flatMap(\.commands) {
            guard case .arg(let declarations) = command.instruction.kind else { continue }
            declared.formUnion(declarations.map(\.name.text))
        }
        return options.buildArguments.keys.sorted()
            .filter { !declared.contains($0) && !BuildOptions.isPredefined($0) }
            .map { .unusedArgument($0, known: declared) }
    }
}
