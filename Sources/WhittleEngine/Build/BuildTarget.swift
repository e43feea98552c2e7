internal import WhittleCore
internal import WhittleDockerfile
package import WhittleExport
internal import WhittleFrontend
internal import WhittleGraph

/// One of the targets that are built together.
package struct BuildTarget: Sendable {
    /// What its steps and errors are shown with; `nil` where it is the only one.
    package var name: String?
    package var request: BuildRequest
    package var outputs: OutputPlan
    /// Named contexts that are what another target makes: its position, which is before this one's. The names are those of
    /// ``WhittleFrontend/BuildOptions/namedContexts``.
    package var links: [String: Int]

    package init(name: String? = nil, _ request: BuildRequest, outputs: OutputPlan, links: [String: Int] = [:]) {
        self.name = name
        self.request = request
        self.outputs = outputs
        self.links = links
    }

    /// `error` with the name of the target.
    func describing(_ error: any Error) -> any Error {
        guard let name, let error = error as? BuildError else { return error }
        return BuildError(
            error.code, "target '\(name)': \(error.message)", hint: error.hint, at: error.location, cause: error.cause)
    }

    /// What passes the events of steps that are no vertices on, with the target's name.
    func naming(_ report: @escaping @Sendable (StepEvent) -> Void) -> @Sendable (StepEvent) -> Void {
        guard let name else { return report }
        return { event in report(event.mapStep { Step(internal: Step.name($0.name, of: name)) }) }
    }
}

/// A target with its graph.
struct PlannedBuild: Sendable {
    let target: BuildTarget
    let dockerfile: Dockerfile
    let plan: BuildPlan
    let fetching: Fetching

    var request: BuildRequest { target.request }

    var epoch: BuildEpoch {
        BuildEpoch(
            time: plan.sourceDateEpoch, isReproducible: request.options.isReproducible,
            setsAllTimes: request.setsAllTimes)
    }

    /// The forms in which the layers of the target's own steps are wanted.
    var layerForms: [LayerForm] {
        request.squashes ? [] : target.outputs.imageFormats.map { LayerForm($0, epoch) }
    }

    /// An error of a step, at the word that it is about and with the name of the target.
    func describing(_ error: any Error) -> any Error {
        target.describing(CopySourceLocation.narrowed(error, dockerfile))
    }
}
