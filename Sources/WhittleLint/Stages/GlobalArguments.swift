internal import WhittleCore
internal import WhittleDockerfile

/// The ARG instructions above the first FROM, and the platforms.
struct GlobalArguments {
    /// Of all that have a value.
    private(set) var values: [String: String] = [:]
    /// Those that the file declares, by name.
    private(set) var declared: [String: DeclaredArgument] = [:]

    /// - Parameter usesArguments: whether build arguments count for what the file declares.
    /// - Throws: what is wrong with a default value.
    init(
        _ dockerfile: Dockerfile, _ request: LintRequest, expander: LintExpander, usesArguments: Bool = true
    ) throws {
        setPlatforms(request, target: request.target ?? dockerfile.stages.last?.name ?? "")
        for instruction in dockerfile.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                let name = declaration.name.text
                var argument = DeclaredArgument(name, instruction)
                if usesArguments, let given = request.arguments[name] {
                    argument.value = given
                } else if let token = declaration.value {
                    guard let word = expander.word(token.text, values) else { throw Unexpandable() }
                    argument.value = word.text
                    argument.dependencies = word.used.subtracting([name])
                    if word.used.contains(name), let old = declared[name] {
                        argument.dependencies.formUnion(old.dependencies)
                    }
                }
                if let value = argument.value { values[name] = value }
                declared[name] = argument
            }
        }
    }

    /// A default value cannot be expanded.
    struct Unexpandable: Error {}

    /// Whether FROM may use the variable.
    func isKnown(_ name: String) -> Bool { declared[name] != nil || values[name] != nil }

    /// What FROM may use, in alphabetical order.
    var names: [String] { Set(declared.keys).union(values.keys).sorted() }

    private mutating func setPlatforms(_ request: LintRequest, target: String) {
        for (prefix, platform) in [("BUILD", request.buildPlatform), ("TARGET", request.targetPlatform)] {
            let parts = [
                ("PLATFORM", platform.description), ("OS", platform.os), ("OSVERSION", platform.osVersion),
                ("ARCH", platform.architecture), ("VARIANT", platform.variant),
            ]
            for (name, value) in parts { values[prefix + name] = request.arguments[prefix + name] ?? value }
        }
        values["TARGETSTAGE"] = request.arguments["TARGETSTAGE"] ?? (target.isEmpty ? "default" : target)
    }
}

/// An ARG as an outline tells of it.
struct DeclaredArgument {
    let name: String
    var value: String?
    /// What the comment above says.
    let description: String?
    let lines: ClosedRange<Int>
    /// The global arguments that its default names.
    var dependencies: Set<String> = []

    init(_ name: String, _ instruction: Instruction, value: String? = nil, lines: ClosedRange<Int>? = nil) {
        self.name = name
        self.value = value
        description = Self.description(of: name, in: instruction.comments)
        self.lines = lines ?? instruction.raw.lines
    }

    /// The rest of the first comment that begins with the name.
    static func description(of name: String, in comments: [String]) -> String? {
        guard !name.isEmpty else { return nil }
        return comments.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
