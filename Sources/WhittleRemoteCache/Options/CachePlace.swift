package import WhittleCore

/// Where a cache is kept.
package enum CachePlace: Hashable, Sendable {
    case registry(RegistryCache)
    case local(LocalCache)
    /// In the configuration of the image that is built.
    case inline
    case gitHub(GitHubCache)
    case s3(S3Cache)
}

/// `type=registry`.
package struct RegistryCache: Hashable, Sendable {
    /// The name as given.
    package var reference: String
    /// Plain HTTP and unknown certificates are accepted.
    package var isInsecure: Bool

    package init(reference: String, isInsecure: Bool = false) {
        self.reference = reference
        self.isInsecure = isInsecure
    }
}

/// `type=local`: an OCI layout.
package struct LocalCache: Hashable, Sendable {
    package var directory: String
    /// The name of the cache in the layout.
    package var tag: String
    /// The manifest to read in place of the one with the tag.
    package var digest: Digest?
    /// What nothing in the directory refers to any more is removed.
    package var resets: Bool

    package init(directory: String, tag: String = "latest", digest: Digest? = nil, resets: Bool = false) {
        self.directory = directory
        self.tag = tag
        self.digest = digest
        self.resets = resets
    }
}

/// `type=gha`: GitHub's cache service, or one that speaks its protocol.
package struct GitHubCache: Sendable {
    /// Separates caches of one branch.
    package var scope = "buildkit"
    /// Where protocol version 1 is served, from `url` or `$ACTIONS_CACHE_URL`.
    package var url: String?
    /// Where protocol version 2 is served, from `url_v2` or `$ACTIONS_RESULTS_URL`.
    package var urlV2: String?
    package var token: Redacted<String>?
    /// 1 or 2.
    package var version = 1
    package var timeout: Duration = .seconds(600)
    /// `OWNER/NAME` and a token for GitHub's own API, which can list what is there.
    package var repository: String?
    package var repositoryToken: Redacted<String>?

    package init() {}
}

/// `type=s3`.
package struct S3Cache: Sendable {
    package var bucket: String
    package var region: String
    package var prefix = ""
    package var manifestsPrefix = "manifests/"
    package var blobsPrefix = "blobs/"
    /// The first is read; all are written.
    package var names = ["buildkit"]
    package var endpointURL: String?
    package var usesPathStyle = false
    package var accessKeyID: String?
    package var secretAccessKey: Redacted<String>?
    package var sessionToken: Redacted<String>?
    package var uploadParallelism = 4
    /// How old a blob may be before it is touched, so that a rule of the bucket does not remove what is in use.
    package var touchRefresh: Duration = .seconds(86_400)

    package init(bucket: String, region: String) {
        self.bucket = bucket
        self.region = region
    }
}

extension GitHubCache: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.scope == right.scope && left.url == right.url && left.urlV2 == right.urlV2 && left.version == right.version
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(scope) }
}

extension S3Cache: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.bucket == right.bucket && left.prefix == right.prefix && left.names == right.names
            && left.endpointURL == right.endpointURL
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(bucket) }
}

extension CachePlace {
    /// What messages call it: `the registry cache 'REF'`.
    package var name: String {
        switch self {
        case .registry(let registry): "the registry cache '\(registry.reference)'"
        case .local(let local): "the local cache '\(local.directory)'"
        case .inline: "the inline cache"
        case .gitHub(let gitHub): "the GitHub cache '\(gitHub.scope)'"
        case .s3(let s3): "the S3 cache '\(s3.bucket)/\(s3.prefix)\(s3.names.first ?? "")'"
        }
    }
}
