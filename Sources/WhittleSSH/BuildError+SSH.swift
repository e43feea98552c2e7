internal import Glibc
package import WhittleCore
internal import WhittleFileSystem

extension BuildError.Code {
    /// An SSH agent cannot be reached, or none can be started.
    static let sshAgentFailed = Self(rawValue: "ssh-agent-failed")
    /// A step or a git repository needs an SSH agent that the build was not given.
    static let sshMissing = Self(rawValue: "ssh-missing")
}

extension BuildError {
    package static func sshAgentFailed(_ id: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.sshAgentFailed, "forwarding the SSH agent '\(printable(id))': \(problem)", hint: hint)
    }

    /// - Parameters:
    ///   - purpose: what is being done: `running '…'`.
    ///   - given: the ids that the build has.
    package static func sshMissing(_ id: String, for purpose: String, given: [String], at location: SourceLocation?)
        -> BuildError
    {
        let near = NearestName.of(id, among: given).map { "did you mean '\($0)'? Otherwise give" } ?? "give"
        let form =
            id == SSHForward.defaultID ? "--ssh default for the agent of $SSH_AUTH_SOCK" : "--ssh \(id)=SOCKET"
        return BuildError(
            .sshMissing, "\(purpose): the build was given no SSH agent '\(printable(id))'",
            hint: "\(near) it with \(form), or --ssh \(id)=KEYFILE", at: location)
    }

    static func reason(_ errno: CInt) -> String { String(cString: strerror(errno)) }
}
