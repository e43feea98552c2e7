internal import WhittleCore
internal import WhittleOCI

/// The base images of a build, each resolved once.
struct ResolvedImages: Sendable {
    private var images: [ImageRequest: BaseImage] = [:]

    /// Resolves side by side what `wanted` names and is not there yet.
    ///
    /// - Parameter wanted: requests, with the place and the stages for the error.
    mutating func resolve(_ wanted: [Wanted], with resolver: any ImageResolver) async throws {
        var seen: Set<ImageRequest> = []
        let missing = wanted.filter { images[$0.request] == nil && seen.insert($0.request).inserted }
        guard !missing.isEmpty else { return }
        images = try await withThrowingTaskGroup(of: (ImageRequest, BaseImage).self) { group in
            var found = images
            for (started, item) in missing.enumerated() {
                if started >= Self.limit, let (request, image) = try await group.next() { found[request] = image }
                group.addTask { (item.request, try await item.resolve(with: resolver)) }
            }
            for try await (request, image) in group { found[request] = image }
            return found
        }
    }

    /// Requests under way at once: more than this many gain nothing and look like an attack to a registry.
    private static let limit = 16

    subscript(request: ImageRequest) -> BaseImage? { images[request] }

    /// A request with what its error says besides.
    struct Wanted: Sendable {
        let request: ImageRequest
        /// As written in the Dockerfile.
        let name: String
        let location: SourceLocation
        /// One of them may be what was meant. Compared with only where the image is not found.
        let stageNames: [String?]

        func resolve(with resolver: any ImageResolver) async throws -> BaseImage {
            do {
                switch request.source {
                case .reference(let reference):
                    return try await resolver.resolve(reference, platform: request.platform)
                case .layout(let layout):
                    return try await resolver.resolve(layout, platform: request.platform)
                }
            } catch let error as BuildError {
                throw error.aboutBase(
                    name, nearestStage: StageTable.nearestStage(to: name, among: stageNames), at: location)
            }
        }
    }
}

extension StageEntry {
    /// The image that the stage begins with, where it was needed.
    func image(among images: ResolvedImages) -> BaseImage? {
        if case .image(let request) = origin { images[request] } else { nil }
    }
}
