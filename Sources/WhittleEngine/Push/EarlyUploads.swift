internal import WhittleCore
internal import WhittleExport
internal import WhittleFrontend
internal import WhittleGraph
internal import WhittleOCI

/// Begins to push the layers of a build while its other steps still run: those of a base image when it is there, those of
/// steps when their blobs are.
struct EarlyUploads: Sendable {
    /// An output that is pushed.
    private struct Wanted: Sendable {
        let output: ImageStoreOptions
        /// How it wants the layers of steps; `nil` where they are not pushed one by one.
        let form: LayerForm?
        let isBaseKept: Bool
    }

    /// The outputs that a vertex's layer goes to.
    private let wanted: [Digest: [Wanted]]
    private let layers: LayerBlobs
    private let images: ImagePuller
    private let pusher: ImagePusher

    init(_ builds: [PlannedBuild], layers: LayerBlobs, images: ImagePuller, pusher: ImagePusher) {
        var wanted: [Digest: [Wanted]] = [:]
        for build in builds {
            let definition = build.plan.definition
            let outputs = build.target.outputs.pushes.map { output in
                Wanted(
                    output: output,
                    form: build.request.squashes ? nil : LayerForm(output.format, build.epoch),
                    isBaseKept: !output.format.compression.isForced)
            }
            guard !outputs.isEmpty else { continue }
            for vertex in definition.layerChain(of: definition.outputs.first ?? nil) {
                wanted[vertex.digest, default: []] += outputs
            }
        }
        self.wanted = wanted
        self.layers = layers
        self.images = images
        self.pusher = pusher
    }

    /// To be called when the result of a vertex is known.
    func notice(_ vertex: Vertex, _ result: StepResult) async throws {
        for wanted in wanted[vertex.digest] ?? [] {
            if case .source(.image(let image)) = vertex.op {
                if wanted.isBaseKept { try await begin(image, wanted.output) }
            } else if let form = wanted.form, let snapshot = result.snapshot {
                let pusher = pusher
                try await layers.begin(snapshot, form) { layer in
                    guard !layer.record.isEmpty else { return }
                    try await pusher.begin([ExportImage.Layer(layer).descriptor], of: wanted.output)
                }
            }
        }
    }

    private func begin(_ image: ImageSource, _ output: ImageStoreOptions) async throws {
        try images.noteOrigins(of: image)
        let base = try images.layers(of: image)
        let images = images
        try await pusher.begin(base.map(\.descriptor), of: output) { wanted in
            guard let layer = base.first(where: { $0.descriptor.digest == wanted.digest }) else { return }
            try await images.bring(layer, of: image)
        }
    }
}
