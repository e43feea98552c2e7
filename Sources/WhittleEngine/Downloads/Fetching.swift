internal import WhittleCore
internal import WhittleGitRemote
internal import WhittleGraph
internal import WhittleRegistry
internal import WhittleSSH
internal import WhittleStore

/// What brings things in from elsewhere for one target, with its secrets and agents.
struct Fetching: Sendable {
    var downloads: Downloads
    let repositories: GitRepositories
    let agents: ForwardedAgents
    private let gitAgent: GitAgent

    init(
        _ request: BuildRequest, _ store: BuildStore, settings: @escaping @Sendable () throws -> RegistrySettings,
        report: @escaping @Sendable (StepEvent) -> Void
    ) {
        let agents = ForwardedAgents(request.agents) { try store.scratch.makeDirectory("ssh") }
        let gitAgent = GitAgent(agents)
        downloads = Downloads(
            store: store, settings: settings, secrets: request.secrets, limit: request.layerLimit, report: report)
        repositories = GitRepositories(store.layout, secrets: request.secrets, limit: request.layerLimit) {
            try gitAgent.socket(for: $0)
        }
        self.agents = agents
        self.gitAgent = gitAgent
    }

    /// Ends the agents that were started.
    func close() {
        // Its socket is in the scratch directory, which goes with the process at the latest.
        try? gitAgent.close()
        agents.close()
    }
}
