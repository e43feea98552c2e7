internal import WhittleCore
public import WhittleDockerfile

/// The parameters of one target: what `--call=outline` shows.
public struct Outline: Sendable {
    /// The name of the stage; `nil` where it has none.
    public let name: String?
    /// What the comment above its FROM says.
    public let description: String?
    /// Build arguments in the order of the file.
    public let arguments: [Argument]
    public let secrets: [Mount]
    public let sshSockets: [Mount]
    public let caches: [Mount]
    let source: SourceText

    /// A build argument that makes a difference for the target.
    public struct Argument: Hashable, Sendable {
        public let name: String
        /// `nil` where nothing sets one.
        public let value: String?
        public let description: String?
        public let lines: ClosedRange<Int>
    }

    /// A secret, ssh socket or cache that a step mounts.
    public struct Mount: Hashable, Sendable {
        public let name: String
        /// The build fails without it.
        public let isRequired: Bool
        public let lines: ClosedRange<Int>
    }

    /// Finds the parameters of the target that `request` names.
    ///
    /// - Throws: `no-stages` as the build does, `unknown-target`, `too-many-variables`.
    public init(_ dockerfile: Dockerfile, _ request: LintRequest) throws {
        let expander = LintExpander(dockerfile.escape)
        let globals = try GlobalArguments(dockerfile, request, expander: expander)
        var walk = StageWalk(
            dockerfile, request, globals, expander: expander, list: FindingList(CheckOptions()))
        try walk.walk()
        let target = try walk.links.target(request.target)
        let stage = dockerfile.stages[target]
        name = stage.name
        description = stage.name.flatMap { DeclaredArgument.description(of: $0, in: stage.instruction.comments) }
        source = dockerfile.source
        var collected = Collected()
        for index in Self.order(from: target, walk.links) { collected.add(walk.outlines[index]) }
        arguments = collected.arguments.values.map {
            Argument(name: $0.name, value: $0.value, description: $0.description, lines: $0.lines)
        }.sorted { ($0.lines.lowerBound, $0.name) < ($1.lines.lowerBound, $1.name) }
        secrets = Self.sorted(collected.secrets)
        sshSockets = Self.sorted(collected.sockets)
        caches = Self.sorted(collected.caches)
    }

    /// The target, then the stages below it, then those that they take files from: what comes first decides.
    private static func order(from target: Int, _ links: StageLinks) -> [Int] {
        var order: [Int] = []
        var seen: Set<Int> = []
        var pending = [target]
        while let stage = pending.popLast() {
            guard seen.insert(stage).inserted else { continue }
            order.append(stage)
            pending += links.sources(of: stage).reversed()
            if let base = links.bases[stage] { pending.append(base) }
        }
        return order
    }

    private static func sorted(_ mounts: [String: StageOutline.Needed]) -> [Mount] {
        mounts.map { Mount(name: $0.key, isRequired: $0.value.isRequired, lines: $0.value.lines) }
            .sorted { ($0.lines.lowerBound, $0.name) < ($1.lines.lowerBound, $1.name) }
    }

    /// The parameters of several stages.
    private struct Collected {
        var arguments: [String: DeclaredArgument] = [:]
        var secrets: [String: StageOutline.Needed] = [:]
        var sockets: [String: StageOutline.Needed] = [:]
        var caches: [String: StageOutline.Needed] = [:]

        mutating func add(_ outline: StageOutline) {
            arguments.merge(outline.arguments) { first, _ in first }
            secrets.merge(outline.secrets) { first, _ in first }
            sockets.merge(outline.sockets) { first, _ in first }
            caches.merge(outline.caches) { first, _ in first }
        }
    }
}

/// The targets of a file: what `--call=targets` shows.
public struct TargetList: Sendable {
    /// In the order of the file; the last one is built where none is named.
    public let targets: [Target]
    let source: SourceText

    /// A stage that can be built.
    public struct Target: Hashable, Sendable {
        public let name: String?
        public let isDefault: Bool
        public let description: String?
        /// As FROM has them, not expanded.
        public let base: String
        public let platform: String?
        public let lines: ClosedRange<Int>
    }

    public init(_ dockerfile: Dockerfile) {
        source = dockerfile.source
        targets = dockerfile.stages.map { stage in
            Target(
                name: stage.name, isDefault: stage.index == dockerfile.stages.count - 1,
                description: stage.name.flatMap {
                    DeclaredArgument.description(of: $0, in: stage.instruction.comments)
                }, base: stage.from.image.text, platform: stage.from.platform?.text,
                lines: stage.instruction.raw.lines)
        }
    }
}
