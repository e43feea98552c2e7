public import WhittleCore

/// What decides whether a step's result can be taken from an earlier build: the op, and for each input either what it
/// is or what the op reads of it.
///
/// An input that the op builds on counts with its identity. An input that the op only reads files from counts with the
/// content of just those files, so a stage that ran again and gave the same files changes nothing for its readers
/// (early cut-off).
public struct CacheKey: Hashable, Sendable {
    /// SHA-256 over everything below.
    public let digest: Digest
    /// ``WhittleGraph/Op/keyDigest``.
    public let op: Digest
    /// In the order of the vertex's inputs.
    public let inputs: [Input]

    /// How one input counts.
    public enum Input: Hashable, Sendable {
        case identity(Digest)
        case content(Digest)

        /// The digest, whichever of the two it is.
        public var digest: Digest {
            switch self {
            case .identity(let digest), .content(let digest): digest
            }
        }
    }

    public init(op: Digest, inputs: [Input]) {
        var hasher = SHA256Hasher()
        hasher.update(field: "whittle.key.v1")
        hasher.update(field: op.hex)
        for input in inputs {
            switch input {
            case .identity(let digest):
                hasher.update(field: "identity")
                hasher.update(field: digest.hex)
            case .content(let digest):
                hasher.update(field: "content")
                hasher.update(field: digest.hex)
            }
        }
        digest = hasher.finalize()
        self.op = op
        self.inputs = inputs
    }
}
