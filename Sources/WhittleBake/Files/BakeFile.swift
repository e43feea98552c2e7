internal import WhittleCore

/// Groups and targets as files say them, before anything is inherited.
struct BakeDeclarations {
    struct Group {
        let name: String
        var description: String?
        var targets: [String]
    }

    private(set) var groups: [Group] = []
    private(set) var targets: [BakeTarget] = []

    func group(_ name: String) -> Group? { groups.first { $0.name == name } }
    func target(_ name: String) -> BakeTarget? { targets.first { $0.name == name } }

    /// Targets and groups, in the order of the files.
    var names: [String] {
        var seen: Set<String> = []
        return (groups.map(\.name) + targets.map(\.name)).filter { seen.insert($0).inserted }
    }

    mutating func add(_ group: Group) {
        guard let position = groups.firstIndex(where: { $0.name == group.name }) else { return groups.append(group) }
        groups[position].description = group.description ?? groups[position].description
        groups[position].targets += group.targets.filter { !groups[position].targets.contains($0) }
    }

    mutating func add(_ target: BakeTarget) {
        guard let position = targets.firstIndex(where: { $0.name == target.name }) else {
            return targets.append(target)
        }
        targets[position].merge(target)
    }
}

/// A bake file in JSON: blocks `group`, `target`, `variable`, and values beside them.
struct BakeFile {
    private let root: ValueReader

    /// - Throws: `bake-syntax`, `bake-invalid`, `bake-unsupported`.
    init(_ source: BakeSource) throws(BuildError) {
        root = ValueReader(value: try source.json(), path: "", source: source)
        for (key, reader) in try root.members() {
            switch key {
            case "function": throw reader.unsupported("a function")
            case "group", "target", "variable": _ = try Self.blocks(reader)
            default: break
            }
        }
    }

    /// Blocks by label. As HCL has it, a list of maps is the same as one map.
    private static func blocks(_ reader: ValueReader) throws(BuildError) -> [(label: String, body: ValueReader)] {
        func bodies(_ reader: ValueReader) throws(BuildError) -> [ValueReader] {
            if case .list = reader.value.kind { return try reader.elements() }
            return [reader]
        }
        var result: [(label: String, body: ValueReader)] = []
        for part in try bodies(reader) {
            for (label, member) in try part.members() {
                for body in try bodies(member) { result.append((label, body)) }
            }
        }
        return result
    }

    private func blocks(_ key: String) throws(BuildError) -> [(label: String, body: ValueReader)] {
        guard let reader = root[key] else { return [] }
        return try Self.blocks(reader)
    }

    /// Declares the file's variables.
    ///
    /// - Returns: warnings.
    func declare(in variables: inout BakeVariables) throws(BuildError) -> [String] {
        var warnings: [String] = []
        for (name, body) in try blocks("variable") {
            for (key, member) in try body.members() {
                guard ["default", "description", "type", "validation"].contains(key) else {
                    throw .invalidBake(
                        root.source.name, member.path, "a variable has no '\(key)'",
                        hint: NearestName.of(key, among: ["default", "description", "type", "validation"])
                            .map { "did you mean '\($0)'?" }, at: member.location)
                }
            }
            if body["validation"] != nil {
                warnings.append("\(root.source.name): \(body.path).validation is not checked")
            }
            variables.declare(
                BakeVariables.Declaration(
                    name: name, standard: body["default"], description: try body["description"]?.text(),
                    type: try body["type"]?.text(), source: root.source, path: body.path))
        }
        for (key, reader) in try root.members() where !["group", "target", "variable"].contains(key) {
            // Beside blocks stand values, which are variables too.
            if case .map = reader.value.kind {
                let near = NearestName.of(key, among: ["group", "target", "variable"])
                if let near {
                    throw .invalidBake(
                        root.source.name, key, "there is no block '\(key)'", hint: "did you mean '\(near)'?",
                        at: reader.location)
                }
            }
            variables.declare(
                BakeVariables.Declaration(
                    name: key, standard: reader.value.isNull ? nil : reader, description: nil, type: nil,
                    source: root.source, path: key))
        }
        return warnings
    }

    /// Adds the file's groups and targets, with variables replaced.
    func add(to declarations: inout BakeDeclarations, _ variables: BakeVariables) throws(BuildError) {
        for (name, body) in try blocks("group") {
            let body = try variables.expanding(body)
            for (key, member) in try body.members() where !["targets", "description", "name"].contains(key) {
                throw .invalidBake(
                    root.source.name, member.path, "a group has no '\(key)'",
                    hint: NearestName.of(key, among: ["targets", "description"]).map { "did you mean '\($0)'?" },
                    at: member.location)
            }
            declarations.add(
                BakeDeclarations.Group(
                    name: name, description: try body["description"]?.text(),
                    targets: try body["targets"]?.texts() ?? []))
        }
        for (name, body) in try blocks("target") {
            if let matrix = body["matrix"] {
                throw matrix.unsupported(
                    "a matrix of targets", hint: "write the targets out: 'docker buildx bake --print' lists them")
            }
            try Self.check(name, body)
            declarations.add(try BakeTarget(name: name, try variables.expanding(body)))
        }
    }

    /// As buildx: letters, digits, `_` and `-`.
    static func check(_ name: String, _ reader: ValueReader) throws(BuildError) {
        let isValid =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
                    || $0 == 0x2D
            }
        guard isValid else {
            throw .invalidBake(
                reader.source.name, reader.path, "'\(name)' cannot be the name of a target",
                hint: "names have letters, digits, '_' and '-'", at: reader.location)
        }
    }
}
