internal import Glibc
internal import Synchronization
internal import WhittleCore
package import WhittleFileSystem

/// The SSH agents of one build, by their ids.
package final class ForwardedAgents: Sendable {
    private let forwards: [String: SSHForward]
    private let makeDirectory: @Sendable () throws -> String
    private let agents = Mutex<[String: KeyAgent]>([:])

    /// - Parameter makeDirectory: makes a directory for sockets that nobody else may enter and that goes with the process.
    package init(_ forwards: [String: SSHForward], makeDirectory: @escaping @Sendable () throws -> String) {
        self.forwards = forwards
        self.makeDirectory = makeDirectory
    }

    /// The ids, sorted.
    package var identifiers: [String] { forwards.keys.sorted() }

    /// A socket through which the agent `id` can be used for listing keys and for signing; `nil` where the build has no such
    /// agent. Blocks where an agent has to be started.
    ///
    /// - Parameters:
    ///   - id: empty for the default.
    ///   - owner: whose socket it is, with `mode`.
    /// - Throws: `ssh-agent-failed`, `program-missing`, `file-system`, `CancellationError`.
    package func proxy(
        _ id: String, owner: FileOwner, mode: UInt32, cancellation: Cancellation? = nil
    ) throws -> AgentProxy? {
        let id = id.isEmpty ? SSHForward.defaultID : id
        guard let upstream = try upstream(id, cancellation) else { return nil }
        return try AgentProxy(
            id, upstream: upstream, directory: makeDirectory(), owner: owner, mode: mode)
    }

    private func upstream(_ id: String, _ cancellation: Cancellation?) throws -> String? {
        switch forwards[id] {
        case nil: return nil
        case .agent(let socket): return socket
        case .keys(let keys):
            // Under the lock, so that two steps do not start two agents.
            return try agents.withLock { agents in
                if let agent = agents[id] { return agent.socket }
                let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
                let agent = try KeyAgent(
                    id, keys: keys, directory: makeDirectory(), searchPath: search, cancellation: cancellation)
                agents[id] = agent
                return agent.socket
            }
        }
    }

    /// Ends the agents that were started.
    package func close() {
        agents.withLock { agents in
            for agent in agents.values { agent.end() }
            agents = [:]
        }
    }
}
