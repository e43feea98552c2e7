internal import Glibc
internal import Synchronization
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleGraph
internal import WhittleSSH

/// The SSH agent that git uses in one build: the default one of `--ssh`, through a socket that is made when it is needed.
final class GitAgent: Sendable {
    private let agents: ForwardedAgents
    private let proxy = Mutex<AgentProxy?>(nil)

    init(_ agents: ForwardedAgents) { self.agents = agents }

    /// The path of the socket. Blocks.
    ///
    /// - Throws: `ssh-missing` and those of ``ForwardedAgents``.
    func socket(for source: GitSource) throws -> String {
        try proxy.withLock { proxy in
            if let proxy { return proxy.shortPath }
            guard
                let made = try agents.proxy(
                    SSHForward.defaultID, owner: FileOwner(uid: geteuid(), gid: getegid()), mode: 0o600)
            else {
                throw BuildError.sshMissing(
                    SSHForward.defaultID, for: "reaching '\(BuildError.printable(source.remote))'",
                    given: agents.identifiers, at: nil)
            }
            proxy = made
            return made.shortPath
        }
    }

    /// Removes the socket.
    func close() throws { try proxy.withLock { try $0.take()?.close() } }
}
