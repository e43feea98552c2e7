/// `RUN --mount` as written: fields that may hold variables.
public struct RunMountFlag: Hashable, Sendable {
    /// The `KEY[=VALUE]` fields in their order, keys in lower case.
    public let fields: [Field]
    /// The whole value of the flag.
    public let value: Token

    /// One field of the flag's value.
    public struct Field: Hashable, Sendable {
        /// Lower case.
        public let key: String
        /// Unexpanded; `nil` where there is no `=`.
        public let value: String?
        /// The field as written.
        public let token: Token

        public init(key: String, value: String?, token: Token) {
            self.key = key
            self.value = value
            self.token = token
        }
    }

    public init(fields: [Field], value: Token) {
        self.fields = fields
        self.value = value
    }
}

/// What a `RUN --mount` asks for, after expansion.
public struct RunMount: Hashable, Sendable {
    public let type: Kind
    /// A stage, image or named context for bind and cache mounts; `nil` for the build context.
    public let from: String?
    /// The path inside ``from``, or the identifier of a secret; `nil` where not given.
    public let source: String?
    /// The path in the container; `nil` where not given.
    public let target: String?
    public let isReadOnly: Bool
    /// `id` of a cache, secret or ssh mount; `nil` where not given.
    public let id: String?
    /// `nil` where not given: shared.
    public let sharing: Sharing?
    /// Of a secret or ssh mount: whether the build fails where the client has none.
    public let isRequired: Bool
    /// Largest size of a tmpfs in bytes, 0 for no limit.
    public let sizeLimit: Int64
    public let mode: UInt32?
    public let uid: UInt32?
    public let gid: UInt32?
    /// The variable that holds a secret; empty for the secret's identifier, `nil` where not given.
    public let environmentVariable: String?

    /// `type=`.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case bind
        case cache
        case tmpfs
        case secret
        case ssh
    }

    /// `sharing=`.
    public enum Sharing: String, CaseIterable, Hashable, Sendable {
        case shared
        case `private`
        case locked
    }

    public init(
        type: Kind, from: String? = nil, source: String? = nil, target: String? = nil, isReadOnly: Bool,
        id: String? = nil, sharing: Sharing? = nil, isRequired: Bool = false, sizeLimit: Int64 = 0,
        mode: UInt32? = nil, uid: UInt32? = nil, gid: UInt32? = nil, environmentVariable: String? = nil
    ) {
        self.type = type
        self.from = from
        self.source = source
        self.target = target
        self.isReadOnly = isReadOnly
        self.id = id
        self.sharing = sharing
        self.isRequired = isRequired
        self.sizeLimit = sizeLimit
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.environmentVariable = environmentVariable
    }
}
