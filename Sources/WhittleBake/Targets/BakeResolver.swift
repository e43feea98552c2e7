internal import WhittleCore

/// Finds the targets that names mean: groups, what targets inherit, and what their contexts stand on.
struct BakeResolver {
    private let declarations: BakeDeclarations
    private let overrides: [BakeOverride]
    private let environment: [String: String]
    private var resolved: [String: BakeTarget] = [:]
    private var groups: [String: [String]] = [:]

    init(_ declarations: BakeDeclarations, _ overrides: [BakeOverride], _ environment: [String: String]) {
        self.declarations = declarations
        self.overrides = overrides
        self.environment = environment
    }

    mutating func select(_ names: [String]) throws(BuildError) -> BakeSelection {
        let names = Array(try names.map { name throws(BuildError) in try matching(name) }.joined())
        var asked: [String] = []
        for name in names { try expand(name, for: nil, into: &asked, []) }
        var order: [String] = []
        for name in asked { try link(name, for: nil, into: &order, []) }
        if names != ["default"] || declarations.group("default") == nil {
            groups["default"] = (groups["default"] ?? []) + names.filter { $0 != "default" || groups["default"] == nil }
        }
        var seen: Set<String> = []
        if let targets = groups["default"] { groups["default"] = targets.filter { seen.insert($0).inserted }.sorted() }
        let targets = order.compactMap { name in
            resolved[name].map { target in
                var target = target
                guard !asked.contains(name) else { return target }
                target.isLinked = true
                target.outputs = [BakeEntry(parsing: "type=cacheonly", valueOf: "type")].compactMap { $0 }
                return target
            }
        }
        return BakeSelection(targets: targets, groups: groups)
    }

    private func matching(_ name: String) throws(BuildError) -> [String] {
        // As compose services with a dot, which targets cannot have.
        let name = ComposeProject.targetName(name)
        guard Glob.isPattern(name) else { return [name] }
        let found = declarations.names.filter { Glob.matches(name, $0) }
        guard !found.isEmpty else { throw .unknownBakeTarget(name, known: declarations.names) }
        return found
    }

    /// The targets of a group, and of the groups in it.
    private mutating func expand(
        _ name: String, for user: String?, into asked: inout [String], _ open: [String]
    ) throws(BuildError) {
        guard !open.contains(name) || declarations.target(name) != nil else {
            throw .bakeCycle(open.drop { $0 != name } + [name], "groups")
        }
        guard let group = declarations.group(name), !open.contains(name) else {
            guard declarations.target(name) != nil else {
                throw .unknownBakeTarget(name, neededBy: user, known: declarations.names)
            }
            if !asked.contains(name) { asked.append(name) }
            return
        }
        groups[name] = group.targets
        for target in group.targets { try expand(target, for: name, into: &asked, open + [name]) }
    }

    /// Puts a target behind those that it stands on.
    private mutating func link(
        _ name: String, for user: String?, into order: inout [String], _ open: [String]
    ) throws(BuildError) {
        guard !open.contains(name) else { throw .bakeCycle(open.drop { $0 != name } + [name], "contexts") }
        guard !order.contains(name) else { return }
        let target = try target(name, for: user)
        for (_, linked) in target.links.sorted(by: { $0.key < $1.key }) {
            try link(linked, for: name, into: &order, open + [name])
        }
        order.append(name)
    }

    private mutating func target(_ name: String, for user: String?) throws(BuildError) -> BakeTarget {
        if let target = resolved[name] { return target }
        var target = try inherited(name, for: user, [])
        target.complete()
        resolved[name] = target
        return target
    }

    private func inherited(_ name: String, for user: String?, _ open: [String]) throws(BuildError) -> BakeTarget {
        guard !open.contains(name) else { throw .bakeCycle(open.drop { $0 != name } + [name], "inherits") }
        guard let own = declarations.target(name) else {
            throw .unknownBakeTarget(name, neededBy: user, known: declarations.targets.map(\.name))
        }
        var target = BakeTarget(name: name)
        for parent in own.inherits { target.merge(try inherited(parent, for: name, open + [name])) }
        target.merge(own)
        try BakeOverride.apply(overrides, to: &target, environment: environment)
        return target
    }
}
