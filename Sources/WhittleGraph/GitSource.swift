public import WhittleCore

/// A tree of a git repository: one commit of it, or one directory of that commit.
///
/// What the reference means is known only once the repository was asked.
public struct GitSource: Hashable, Sendable {
    /// What git is told: no fragment, no query, no user and password of an `http` address, see ``credentials``.
    public var remote: String
    /// How the repository is reached.
    public var transport: Transport
    /// `USER:PASSWORD` of an `http` address.
    public var credentials: Redacted<String>?
    /// A branch, a tag, a full name (`refs/…`) or a commit; empty for the branch that the repository names (HEAD).
    public var reference: String
    /// The directory that is taken, from the top of the repository and without `/` at its ends; empty for all.
    public var subdirectory: String
    /// A commit, or the beginning of one, in hexadecimal digits, that must be what the reference means.
    public var checksum: String?
    /// Whether `.git` is part of the tree.
    public var keepsRepository: Bool
    /// Whether submodules are fetched too, and theirs.
    public var hasSubmodules: Bool
    /// Whether files have the time at which they were written, and not that of the commit. No part of the digest.
    public var keepsCheckoutTimes: Bool
    /// Whether ``checksum`` is a whole commit that is fetched without asking what the reference means.
    public var isFetchedByCommit: Bool

    /// The way to a repository.
    public enum Transport: String, Hashable, Sendable {
        case http
        case ssh
        /// git's own protocol, which neither encrypts nor authenticates.
        case git
    }

    public init(
        remote: String, transport: Transport, credentials: Redacted<String>? = nil, reference: String = "",
        subdirectory: String = "", checksum: String? = nil, keepsRepository: Bool = false, hasSubmodules: Bool = true,
        keepsCheckoutTimes: Bool = false, isFetchedByCommit: Bool = false
    ) {
        self.remote = remote
        self.transport = transport
        self.credentials = credentials
        self.reference = reference
        self.subdirectory = subdirectory
        self.checksum = checksum
        self.keepsRepository = keepsRepository
        self.hasSubmodules = hasSubmodules
        self.keepsCheckoutTimes = keepsCheckoutTimes
        self.isFetchedByCommit = isFetchedByCommit
    }

    public static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }

    public func hash(into hasher: inout Hasher) { hasher.combine(fields) }

    /// For people: the address with reference and directory, and without what may be secret.
    public var shownAddress: String {
        let fragment = reference + (subdirectory.isEmpty ? "" : ":\(subdirectory)")
        return fragment.isEmpty ? remote : "\(remote)#\(fragment)"
    }

    /// What tells one source from another.
    var fields: [String] {
        [
            remote, transport.rawValue, credentials?.revealed ?? "", reference, subdirectory, checksum ?? "",
            "\(keepsRepository)", "\(hasSubmodules)", "\(keepsCheckoutTimes)", "\(isFetchedByCommit)",
        ]
    }

    /// Whether `text` is the whole name of a commit: 40 or 64 hexadecimal digits in lower case.
    public static func isCommit(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
