/// Runs a command over a root file system and keeps what it changed there.
public struct ExecOp: Hashable, Sendable {
    /// The command and its arguments; not empty.
    public var arguments: [String]
    /// `NAME=value`, in order; a later one of the same name wins.
    public var environment: [String]
    /// Variables that reach the command but never a cache key or the history: the proxy settings.
    public var uncachedEnvironment: [String]
    /// Absolute.
    public var workingDirectory: String
    /// As written in the image configuration (`app`, `1000:1000`), empty for root.
    public var user: String
    /// The input that is the root file system, or `nil` for an empty one.
    public var rootInput: Int?
    /// In the order they were asked for; a later one may lie below an earlier one.
    public var mounts: [ExecMount]
    public var secretEnvironment: [SecretVariable]
    public var network: NetworkMode
    public var security: SecurityMode
    /// Whether a secret in what the command wrote is a warning instead of a failure. Part of the digest where it is set, so
    /// that no other build takes the result from the cache.
    public var allowsSecretLeak: Bool
    /// Added to `/etc/hosts`, in order.
    public var extraHosts: [HostEntry] = []
    /// The host name that the command sees; `nil` for the usual one.
    public var hostname: String?
    /// The size of `/dev/shm` in bytes; `nil` for the usual 64 MiB.
    public var sharedMemory: Int64?
    /// Each kind once; what is not named is as in this process.
    public var limits: [ResourceLimit] = []
    public var devices: [DeviceRequest] = []

    public init(
        arguments: [String], environment: [String] = [], uncachedEnvironment: [String] = [],
        workingDirectory: String = "/", user: String = "", rootInput: Int?, mounts: [ExecMount] = [],
        secretEnvironment: [SecretVariable] = [], network: NetworkMode = .host, security: SecurityMode = .sandbox,
        allowsSecretLeak: Bool = false
    ) {
        self.arguments = arguments
        self.environment = environment
        self.uncachedEnvironment = uncachedEnvironment
        self.workingDirectory = workingDirectory
        self.user = user
        self.rootInput = rootInput
        self.mounts = mounts
        self.secretEnvironment = secretEnvironment
        self.network = network
        self.security = security
        self.allowsSecretLeak = allowsSecretLeak
    }

    /// Whether the command may be given secrets.
    public var usesSecrets: Bool { !secretIDs.isEmpty }

    /// The secrets that the command is given where the build has them, each once and sorted.
    public var secretIDs: [String] {
        var identifiers = Set(secretEnvironment.map(\.id))
        for case .secret(let secret) in mounts { identifiers.insert(secret.id) }
        return identifiers.sorted()
    }
}

/// The network that a step sees.
public enum NetworkMode: String, Hashable, Sendable {
    case host
    case none
}

/// The rights that a step has.
public enum SecurityMode: String, Hashable, Sendable {
    case sandbox
    case insecure
}

/// Something besides the root file system that a command sees.
public enum ExecMount: Hashable, Sendable {
    /// Part of another result. Writes, where allowed, are dropped after the step.
    case bind(input: Int?, source: String, target: String, isReadOnly: Bool)
    /// A directory that persists between builds; never part of the result.
    case cache(CacheMount)
    /// Empty memory. `size` in bytes, or `nil` for the kernel's default.
    case tmpfs(target: String, size: Int64?)
    case secret(SecretMount)
    /// A socket of an SSH agent of the user.
    case ssh(SSHMount)

    /// The input it is filled from.
    public var input: Int? {
        switch self {
        case .bind(let input, _, _, _): input
        case .cache(let cache): cache.input
        case .tmpfs, .secret, .ssh: nil
        }
    }

    /// Absolute path in the container.
    public var target: String {
        switch self {
        case .bind(_, _, let target, _): target
        case .cache(let cache): cache.target
        case .tmpfs(let target, _): target
        case .secret(let secret): secret.target
        case .ssh(let ssh): ssh.target
        }
    }
}

/// `RUN --mount=type=cache`.
public struct CacheMount: Hashable, Sendable {
    /// The name the directory persists under.
    public var id: String
    public var target: String
    public var sharing: Sharing
    public var isReadOnly: Bool
    /// What a new cache directory starts with, and the path inside it.
    public var input: Int?
    public var source: String
    public var uid: UInt32
    public var gid: UInt32
    public var mode: UInt16

    /// What happens when two steps want the directory at once.
    public enum Sharing: String, Hashable, Sendable {
        /// Both write to it.
        case shared
        /// The second gets a directory of its own.
        case `private`
        /// The second waits.
        case locked
    }

    public init(
        id: String, target: String, sharing: Sharing = .shared, isReadOnly: Bool = false, input: Int? = nil,
        source: String = "/", uid: UInt32 = 0, gid: UInt32 = 0, mode: UInt16 = 0o755
    ) {
        self.id = id
        self.target = target
        self.sharing = sharing
        self.isReadOnly = isReadOnly
        self.input = input
        self.source = source
        self.uid = uid
        self.gid = gid
        self.mode = mode
    }
}

/// A secret as a file on memory.
public struct SecretMount: Hashable, Sendable {
    public var id: String
    public var target: String
    /// Whether the step fails where the build was given no such secret.
    public var isRequired: Bool
    public var uid: UInt32
    public var gid: UInt32
    public var mode: UInt16

    public init(
        id: String, target: String, isRequired: Bool = false, uid: UInt32 = 0, gid: UInt32 = 0, mode: UInt16 = 0o400
    ) {
        self.id = id
        self.target = target
        self.isRequired = isRequired
        self.uid = uid
        self.gid = gid
        self.mode = mode
    }
}

/// `RUN --mount=type=ssh`: a socket through which the command can use keys of an SSH agent.
public struct SSHMount: Hashable, Sendable {
    /// `default` where none is written.
    public var id: String
    public var target: String
    /// Whether the step fails where the build was given no such agent.
    public var isRequired: Bool
    public var uid: UInt32
    public var gid: UInt32
    public var mode: UInt16

    public init(
        id: String = "default", target: String, isRequired: Bool = false, uid: UInt32 = 0, gid: UInt32 = 0,
        mode: UInt16 = 0o600
    ) {
        self.id = id
        self.target = target
        self.isRequired = isRequired
        self.uid = uid
        self.gid = gid
        self.mode = mode
    }
}

/// A secret as an environment variable.
public struct SecretVariable: Hashable, Sendable {
    public var id: String
    public var name: String
    public var isRequired: Bool

    public init(id: String, name: String, isRequired: Bool = false) {
        self.id = id
        self.name = name
        self.isRequired = isRequired
    }
}
