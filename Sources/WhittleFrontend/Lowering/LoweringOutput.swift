internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleGraph
internal import WhittleOCI

/// What the lowering of all stages writes to. Lives inside one synchronous call.
final class LoweringOutput {
    var graph = GraphBuilder()
    /// The stages that are lowered, by number.
    var finished: [Int: StageState] = [:]
    private(set) var warnings: [BuildWarning] = []
    private var warned: Set<BuildWarning> = []
    private(set) var baseImages: [BaseImage] = []
    private let localNames: [String: String]
    /// About how many bytes the plan takes, as far as they are not those of the Dockerfile.
    private var size = 0

    /// What a person writes comes to less than a megabyte; small files that refer to themselves come to any size.
    private static let sizeLimit = 256 << 20

    /// Notes bytes that the plan takes.
    func spend(_ bytes: Int) { size += bytes }

    /// - Parameter location: what is being lowered.
    /// - Throws: `too-many-variables`.
    func checkSize(at location: @autoclosure () -> SourceLocation) throws {
        guard size <= Self.sizeLimit else { throw BuildError.planTooLarge(limit: Self.sizeLimit, at: location()) }
    }

    /// - Parameter localNames: see ``BuildOptions/localNames``.
    init(localNames: [String: String]) { self.localNames = localNames }

    /// Notes a warning; one that was given already is not repeated.
    func warn(_ warning: BuildWarning) {
        if warned.insert(warning).inserted { warnings.append(warning) }
    }

    /// The source vertex of an image.
    func source(of image: BaseImage, request: ImageRequest, metadata: VertexMetadata) -> Edge? {
        note(image)
        // An image without layers is an empty file system.
        guard let chain = image.configuration.chainID else { return nil }
        let source = ImageSource(
            reference: image.reference, platform: request.platform, manifestDigest: image.manifestDigest,
            chainID: chain)
        return graph.add(.source(.image(source)), metadata: metadata)
    }

    private func note(_ image: BaseImage) {
        if !baseImages.contains(where: { $0.manifestDigest == image.manifestDigest }) { baseImages.append(image) }
    }

    /// Adds another build; gives the file system of its target.
    func include(_ plan: BuildPlan) -> Edge? {
        for image in plan.baseImages { note(image) }
        return graph.include(plan.definition)[0]
    }

    /// The source vertex of the build context or a named one.
    func source(ofDirectory name: String, ignore: IgnoreRules) -> Edge {
        let source = LocalSource(
            name: localNames[name] ?? name, ignorePatterns: ignore.patterns, ignoreFile: ignore.file)
        let shown = name == "context" ? "[internal] load build context" : "[context \(name)] load from client"
        return graph.add(.source(.local(source)), metadata: VertexMetadata(name: shown))
    }

    /// The source vertex of something that is downloaded.
    ///
    /// - Parameters:
    ///   - contextName: the named context that it is, if it is one.
    ///   - location: the instruction that names it.
    func source(of source: FetchedSource, contextName: String? = nil, at location: SourceLocation? = nil) -> Edge {
        let place = contextName.map { "context \($0)" } ?? "internal"
        let (op, shown): (SourceOp, String) =
            switch source {
            case .http(let source): (.http(source), "download \(source.shownURL)")
            case .git(let source): (.git(source), "load git source \(source.shownAddress)")
            }
        return graph.add(.source(op), metadata: VertexMetadata(name: "[\(place)] \(shown)", location: location))
    }

    /// A vertex for a file system without files, where one must be named.
    func empty() -> Edge {
        graph.add(.file(FileOp(base: nil, actions: [])), metadata: VertexMetadata(name: "[internal] empty file system"))
    }

    /// A file system with one file at `/NAME`.
    func inlineDocument(_ contents: String, name: String, mode: UInt16, at location: SourceLocation) -> Edge {
        let file = FileAction.makeFile(path: "/" + name, contents: Array(contents.utf8), mode: mode, owner: nil)
        return graph.add(
            .file(FileOp(base: nil, actions: [file])),
            metadata: VertexMetadata(name: "[internal] preparing inline document", location: location))
    }
}

/// Something that is brought in from elsewhere and is no image.
enum FetchedSource: Hashable {
    case http(HTTPSource)
    case git(GitSource)
}
