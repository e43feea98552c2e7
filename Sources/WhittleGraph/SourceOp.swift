public import WhittleCore

/// Where a source op's file system comes from.
public enum SourceOp: Hashable, Sendable {
    case image(ImageSource)
    case local(LocalSource)
    case http(HTTPSource)
    case git(GitSource)
}

extension SourceOp {
    /// Whether what it gives is known only once it was looked at: such a source has no cache key of its own, and whoever
    /// reads from it is keyed by the content that it reads. A base image is not one: its digest is known beforehand.
    public var isKnownByContent: Bool {
        switch self {
        case .image: false
        case .local, .http, .git: true
        }
    }
}

/// A base image, resolved: everything that identifies its contents is already known.
public struct ImageSource: Hashable, Sendable {
    /// The name as resolved, for people and for the registry: `docker.io/library/node:16`.
    public var reference: String
    public var platform: Platform
    /// Digest of the platform's manifest.
    public var manifestDigest: Digest
    /// The chain ID of all layers (image-spec v1.1, `config.md`, "Layer ChainID"), or `nil` where there are no layers.
    /// Images with equal layers are equal sources.
    public var chainID: Digest?

    public init(reference: String, platform: Platform, manifestDigest: Digest, chainID: Digest?) {
        self.reference = reference
        self.platform = platform
        self.manifestDigest = manifestDigest
        self.chainID = chainID
    }
}

/// A directory of the user's machine: the build context or a named context. It is read in place.
public struct LocalSource: Hashable, Sendable {
    /// `context`, or the name given with `--build-context`; where several builds are one graph, with the directory behind it:
    /// `context in web`. The engine knows the directory.
    public var name: String
    /// Ignore patterns in file order (the syntax of `.dockerignore`); paths that they exclude do not exist.
    public var ignorePatterns: [String]
    /// The file that the patterns are from, for messages; no part of the digest.
    public var ignoreFile: String?

    public init(name: String, ignorePatterns: [String] = [], ignoreFile: String? = nil) {
        self.name = name
        self.ignorePatterns = ignorePatterns
        self.ignoreFile = ignoreFile
    }

    /// What messages call it.
    public var shownName: String {
        name == "context" || name.hasPrefix("context ") ? "the build \(name)" : "the context '\(name)'"
    }
}
