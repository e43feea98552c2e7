import Synchronization
import Testing
import WhittleCore
import WhittleDockerfile
import WhittleFrontend
import WhittleGraph
import WhittleOCI

/// Knows every image but those that are said to be missing, and notes what it was asked.
final class FakeResolver: ImageResolver {
    private let images: [String: ImageConfiguration]
    private let missing: Set<String>
    private let asked = Mutex<[String]>([])

    init(images: [String: ImageConfiguration] = [:], missing: Set<String> = []) {
        self.images = images
        self.missing = missing
    }

    /// What was resolved, as `NAME PLATFORM`, in alphabetical order.
    var requests: [String] { asked.withLock { $0.sorted() } }

    func resolve(_ reference: ImageReference, platform: Platform) async throws -> BaseImage {
        try image(reference.familiarName, shown: reference.description, platform: platform)
    }

    func resolve(_ layout: LayoutReference, platform: Platform) async throws -> BaseImage {
        try image(layout.description, shown: layout.description, platform: platform)
    }

    private func image(_ name: String, shown: String, platform: Platform) throws -> BaseImage {
        asked.withLock { $0.append("\(name) \(platform)") }
        if missing.contains(name) {
            throw BuildError(BuildError.Code(rawValue: "image-not-found"), "no image '\(name)'", hint: "check the name")
        }
        let configuration = images[name] ?? Self.image(name, platform: platform)
        return BaseImage(
            reference: "\(shown)@\(Digest(hashing: "index of \(name)").description.prefix(14))",
            manifestDigest: Digest(hashing: "manifest of \(name) \(platform)"), configuration: configuration)
    }

    /// An image with one layer and a little configuration.
    static func image(
        _ name: String, platform: Platform = .host, change: (inout ImageConfiguration) -> Void = { _ in }
    ) -> ImageConfiguration {
        var image = ImageConfiguration(platform: platform)
        image.diffIDs = [Digest(hashing: "layer of \(name)")]
        image.history = [HistoryEntry(createdBy: "ADD rootfs / # \(name)")]
        image.config.environment = ["PATH=/bin"]
        image.config.command = ["sh"]
        change(&image)
        return image
    }
}

/// A plan with what tests look at.
struct Lowered {
    let plan: BuildPlan
    let resolver: FakeResolver

    var definition: Definition { plan.definition }
    var config: ContainerConfiguration { plan.configuration.config }
    /// The target's layer chain.
    var chain: [Vertex] { definition.layerChain(of: definition.outputs[0]) }
    var chainNames: [String] { chain.map(\.metadata.name) }
    /// All vertices' names.
    var names: [String] { definition.vertices.map(\.metadata.name) }
    /// `created_by` of the history that the build added, empty layers in brackets.
    var history: [String] {
        plan.configuration.history.filter { $0.comment == "buildkit.dockerfile.v0" }.map { entry in
            entry.isEmptyLayer ? "(\(entry.createdBy ?? ""))" : entry.createdBy ?? ""
        }
    }
    var warnings: [String] { plan.warnings.map(\.message) }

    /// The exec ops of the definition in order.
    var execs: [ExecOp] {
        definition.vertices.compactMap { if case .exec(let op) = $0.op { op } else { nil } }
    }

    /// The copies of the definition in order.
    var copies: [CopyAction] {
        definition.vertices.flatMap { vertex -> [CopyAction] in
            guard case .file(let op) = vertex.op else { return [] }
            return op.actions.compactMap { if case .copy(let copy) = $0 { copy } else { nil } }
        }
    }

    /// The vertex whose name ends so.
    func vertex(_ suffix: String) throws -> Vertex {
        try #require(
            definition.vertices.first { $0.metadata.name.hasSuffix(suffix) }, "no step '\(suffix)' in \(names)")
    }

    /// The op that an edge comes from.
    func op(_ edge: Edge) throws -> Op { try #require(definition.vertex(edge.vertex)).op }
}

/// Lowers `text`.
func lower(
    _ text: String, _ options: BuildOptions = BuildOptions(), resolver: FakeResolver = FakeResolver()
) async throws -> Lowered {
    let dockerfile = try Dockerfile(parsing: Array(text.utf8), file: "Dockerfile")
    let plan = try await Frontend(resolver: resolver).plan(dockerfile, options: options)
    return Lowered(plan: plan, resolver: resolver)
}

/// The error that lowering `text` ends with.
func failure(
    of text: String, _ options: BuildOptions = BuildOptions(), resolver: FakeResolver = FakeResolver(),
    sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws -> BuildError {
    let error = await #expect(throws: BuildError.self, sourceLocation: sourceLocation) {
        try await lower(text, options, resolver: resolver)
    }
    return try #require(error)
}

extension BuildError {
    /// `LINE:COLUMN CODE: MESSAGE | HINT`.
    var summary: String {
        let place = location.map { "\($0.range.start.line):\($0.range.start.column) " } ?? ""
        return "\(place)\(code.rawValue): \(message) | \(hint ?? "")"
    }
}
