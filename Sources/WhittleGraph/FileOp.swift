public import WhittleCore

/// Changes files of a base without running anything; the actions apply one after the other.
public struct FileOp: Hashable, Sendable {
    /// The input that is changed, or `nil` for an empty file system.
    public var base: Int?
    public var actions: [FileAction]
    /// The time of everything that is made, and of everything that comes from a directory of the user's machine; what else is
    /// copied keeps its time if it is earlier. `nil` leaves copies as they are, and dates the rest by the inputs.
    public var time: Timestamp?

    public init(base: Int?, actions: [FileAction], time: Timestamp? = nil) {
        self.base = base
        self.actions = actions
        self.time = time
    }
}

/// One change of a ``FileOp``.
public enum FileAction: Hashable, Sendable {
    case copy(CopyAction)
    /// Writes a file, replacing what is there. A path that ends with `/` is an error.
    case makeFile(path: String, contents: [UInt8], mode: UInt16, owner: Owner?)
    /// Makes a directory with missing parents. An existing one is left as it is.
    case makeDirectory(path: String, mode: UInt16, owner: Owner?)
    /// Removes a file or tree; `path` may be a pattern.
    case remove(path: String, allowsMissing: Bool)

    /// The input it reads besides the base.
    public var input: Int? {
        if case .copy(let copy) = self { copy.input } else { nil }
    }
}

/// A user and group given by name or number, resolved in the file system that is changed.
public struct Owner: Hashable, Sendable {
    /// As written: a name or a number.
    public var user: String
    /// As written, or `nil`: then the user's own number is the group too, as for `COPY --chown=1000`.
    public var group: String?

    public init(user: String, group: String?) {
        self.user = user
        self.group = group
    }
}

/// `COPY` or `ADD` of files.
public struct CopyAction: Hashable, Sendable {
    /// The input that the files come from.
    public var input: Int
    /// Paths or patterns (Go's `filepath.Match`) below the input's root.
    public var sources: [String]
    /// Absolute; a trailing slash means a directory.
    public var destination: String
    public var owner: Owner?
    /// Octal or symbolic, as written.
    public var mode: String?
    /// `--parents`: source paths keep their directories, from the root or from a `/./` in them.
    public var keepsParents: Bool
    /// `--exclude`, in order; the syntax of ignore files, relative to the copied directory.
    public var excludePatterns: [String]
    /// `ADD`: an archive among the sources is unpacked instead of copied.
    public var unpacks: UnpackMode
    /// Whether a pattern that matches nothing is accepted.
    public var allowsEmptyWildcard: Bool

    /// When an archive is unpacked.
    public enum UnpackMode: String, Hashable, Sendable {
        case never
        /// A local tar archive, recognised by its contents, possibly compressed.
        case archives
    }

    public init(
        input: Int, sources: [String], destination: String, owner: Owner? = nil, mode: String? = nil,
        keepsParents: Bool = false, excludePatterns: [String] = [], unpacks: UnpackMode = .never,
        allowsEmptyWildcard: Bool = true
    ) {
        self.input = input
        self.sources = sources
        self.destination = destination
        self.owner = owner
        self.mode = mode
        self.keepsParents = keepsParents
        self.excludePatterns = excludePatterns
        self.unpacks = unpacks
        self.allowsEmptyWildcard = allowsEmptyWildcard
    }
}
