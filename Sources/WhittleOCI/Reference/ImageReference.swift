public import WhittleCore

/// The name of an image in a registry: `REGISTRY/REPOSITORY[:TAG][@DIGEST]`, normalised as docker does.
///
/// `node` is `docker.io/library/node:latest`. Two references are equal when they mean the same image, however they were
/// written. Grammar: distribution/reference.
public struct ImageReference: Sendable {
    /// The host, with its port where one was given: `docker.io`, `localhost:5000`, `[::1]:5000`.
    public let registry: String
    /// The path in the registry: `library/node`.
    public let repository: String
    /// `nil` only where there is a digest.
    public let tag: String?
    /// Pins the content; the tag, if any, is then only a remark.
    public let digest: Digest?
    /// The name as written, where it did not say a registry: `node`, `team/app`. Such names are looked up in the aliases
    /// and search registries of `containers-registries.conf`.
    public let shortName: String?

    /// The registry of names that do not say one.
    public static let defaultRegistry = "docker.io"

    /// Reads a reference as a person writes it.
    ///
    /// - Throws: ``Invalid`` with the rule that was broken.
    public init(parsing text: some StringProtocol) throws(Invalid) {
        self = try ReferenceParser(String(text)).parse()
    }

    init(registry: String, repository: String, tag: String?, digest: Digest?, shortName: String?) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
        self.shortName = shortName
    }

    /// The same repository, pinned to `digest`; the tag stays as a remark.
    public func pinned(to digest: Digest) -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: tag, digest: digest, shortName: shortName)
    }

    /// The same repository, by `digest` alone.
    public func only(_ digest: Digest) -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: nil, digest: digest, shortName: shortName)
    }

    /// The image of the same tag and digest in another place; used for aliases, mirrors and rewritten prefixes.
    ///
    /// - Throws: ``Invalid`` with the rule that the new place breaks.
    public func relocated(registry: String, repository: String) throws(Invalid) -> ImageReference {
        let place = try ReferenceParser.place(registry: registry[...], path: repository[...])
        return ImageReference(
            registry: place.registry, repository: place.repository, tag: tag, digest: digest, shortName: nil)
    }

    /// `REGISTRY/REPOSITORY`.
    public var name: String { "\(registry)/\(repository)" }

    /// As docker shows it: without `docker.io/` and `library/`, with the tag or digest (`node:16`).
    public var familiarName: String { familiarRepository + suffix }

    /// ``familiarName`` without tag and digest (`node`).
    public var familiarRepository: String {
        guard registry == Self.defaultRegistry else { return name }
        let official = repository.dropFirst("library/".count)
        // `docker.io/library/library/x` must keep its first part, or it would mean another image.
        return repository.hasPrefix("library/") && !official.contains("/") ? String(official) : repository
    }

    private var suffix: String { (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "") }
}

extension ImageReference: CustomStringConvertible {
    /// The full form: `docker.io/library/node:16`.
    public var description: String { name + suffix }
}

extension ImageReference: Hashable {
    /// ``shortName`` does not count: it says how the name was written, not what it means.
    public static func == (left: ImageReference, right: ImageReference) -> Bool {
        (left.registry, left.repository, left.tag, left.digest)
            == (right.registry, right.repository, right.tag, right.digest)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(registry)
        hasher.combine(repository)
        hasher.combine(tag)
        hasher.combine(digest)
    }
}
