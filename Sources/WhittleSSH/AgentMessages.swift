/// Cuts a stream of the SSH agent protocol into messages.
///
/// Protocol: draft-ietf-sshm-ssh-agent, section 3: a length of four bytes, big-endian, then as many bytes, of which the first
/// is the type.
struct AgentMessages: Sendable {
    /// OpenSSH's own limit for a message.
    static let sizeLimit = 256 << 10

    private var bytes: [UInt8] = []

    /// A message that no agent would take.
    struct TooLong: Error {}

    mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

    /// The next message, length included, or `nil` where more of it is to come.
    ///
    /// - Throws: ``TooLong``, also for one of no bytes, which has no type.
    mutating func next() throws(TooLong) -> [UInt8]? {
        guard bytes.count >= 4 else { return nil }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= Self.sizeLimit else { throw TooLong() }
        guard bytes.count >= 4 + length else { return nil }
        let message = Array(bytes[..<(4 + length)])
        bytes.removeFirst(4 + length)
        return message
    }

    /// Whether a request may reach the agent: those for the list of keys, and for a signature.
    ///
    /// Not passed on is what would change the agent of the user (adding, removing and locking keys), and extensions, of which
    /// nobody knows what they do.
    static func isForwarded(_ message: [UInt8]) -> Bool {
        message.count > 4 && (message[4] == requestIdentities || message[4] == signRequest)
    }

    /// SSH_AGENTC_REQUEST_IDENTITIES.
    private static let requestIdentities: UInt8 = 11
    /// SSH_AGENTC_SIGN_REQUEST.
    private static let signRequest: UInt8 = 13

    /// SSH_AGENT_FAILURE, the answer to what is refused.
    static let failure: [UInt8] = [0, 0, 0, 1, 5]
}
