internal import WhittleCore
internal import WhittleDockerfile

/// The variables of FROM instructions: the platforms, then every ARG above the first FROM.
struct GlobalVariables {
    /// With their values.
    private(set) var values = VariableList()
    /// The names that ARG declares, with or without a value.
    private(set) var declared: Set<String> = []

    /// - Throws: what is wrong with a default value.
    init(_ dockerfile: Dockerfile, options: BuildOptions, expansion: Expansion) throws {
        let target = options.target ?? dockerfile.stages.last?.name ?? ""
        setPlatforms(options, target: target.isEmpty ? "default" : target)
        for instruction in dockerfile.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                let name = declaration.name.text
                declared.insert(name)
                if let given = options.buildArguments[name] {
                    values[name] = given
                } else if let value = declaration.value {
                    values[name] = try expansion.word(value, variables: values).text
                }
            }
        }
    }

    /// Puts `value` in the place of what an ARG came to.
    mutating func replace(_ name: String, with value: String) { values[name] = value }

    /// Every name that FROM may use without a warning.
    var names: Set<String> { declared.union(values.names) }

    /// A build argument of one of these names wins over the platform.
    private mutating func setPlatforms(_ options: BuildOptions, target: String) {
        let build = options.buildPlatform
        let wanted = options.targetPlatform
        let defaults = [
            ("BUILDPLATFORM", build.description), ("BUILDOS", build.os), ("BUILDOSVERSION", build.osVersion),
            ("BUILDARCH", build.architecture), ("BUILDVARIANT", build.variant),
            ("TARGETPLATFORM", wanted.description), ("TARGETOS", wanted.os), ("TARGETOSVERSION", wanted.osVersion),
            ("TARGETARCH", wanted.architecture), ("TARGETVARIANT", wanted.variant), ("TARGETSTAGE", target),
        ]
        for (name, value) in defaults { values[name] = options.buildArguments[name] ?? value }
    }
}
