public import WhittleCore
public import WhittleGraph
public import WhittleOCI

/// A Dockerfile lowered for one platform: what to build, and what the image will say of itself.
public struct BuildPlan: Sendable {
    /// Output 0 is the target's file system; the additional targets follow in their order.
    public let definition: Definition
    /// One for each output of ``definition``.
    public let targets: [PlannedTarget]
    /// Every stage of the Dockerfile in its order.
    public let stages: [StageSummary]
    /// The base images that the definition's sources are from, each once.
    public let baseImages: [BaseImage]
    public let warnings: [BuildWarning]
    /// The time of the image and its history, where the build fixes one.
    public let sourceDateEpoch: Timestamp?

    /// The image configuration of the target.
    public var configuration: ImageConfiguration { targets[0].configuration }

    /// Names of the local directories that the definition reads: `context` and those of named contexts.
    public var localSources: Set<String> {
        Set(
            definition.vertices.compactMap { vertex in
                if case .source(.local(let local)) = vertex.op { local.name } else { nil }
            })
    }
}

/// A stage that is asked for, with the image it makes.
public struct PlannedTarget: Sendable {
    /// The stage's number.
    public let stage: Int
    /// The final configuration, but for what only the export knows: `diffIDs` are those of the base image, and new
    /// history entries have no time unless the build fixes one.
    ///
    /// The history entries that are not `isEmptyLayer` stand for layers, lowest first: first one for each of `diffIDs`,
    /// then one for each vertex of the definition's layer chain that is not a source.
    public let configuration: ImageConfiguration
}

/// A stage of a Dockerfile as a build sees it.
public struct StageSummary: Hashable, Sendable {
    /// Counted from 0.
    public let index: Int
    /// The name after `AS` in lower case, or `nil`.
    public let name: String?
    /// What FROM names, with variables expanded.
    public let base: String
    /// Whether a target needs the stage.
    public let isBuilt: Bool
    /// The FROM instruction.
    public let location: SourceLocation
    /// The image that the stage begins with; `nil` where it begins with none, and where nothing needs it.
    public let baseImage: BaseImage?
}
