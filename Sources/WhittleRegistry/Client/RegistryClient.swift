internal import Synchronization
internal import WhittleCore
package import WhittleHTTP
public import WhittleOCI

/// Reads images from registries (distribution-spec v1.1).
///
/// Safe to use from many tasks at once, and meant to be shared: tokens and connections are used again. Nothing touches
/// the network before an image is asked for.
public final class RegistryClient: Sendable {
    let settings: RegistrySettings
    let http: HTTPClient
    let authenticator: Authenticator
    private let time: HTTPTime
    private let policy: RetryPolicy
    /// How many blobs are pushed at once; more gains nothing where the line or the registry's disk is the limit.
    let transfers = TransferSlots(6)
    /// How each host that allows plain HTTP turned out to talk.
    private let schemes = Mutex<[String: WebAddress.Scheme]>([:])

    /// Manifests and indexes; registries themselves take no more (distribution-spec v1.1, "Pushing Manifests").
    static let manifestLimit = 4 << 20
    /// Configurations; with a long history they have some ten thousand bytes.
    static let configurationLimit = 8 << 20

    /// A client that talks HTTP through libcurl.
    public convenience init(settings: RegistrySettings) {
        self.init(settings: settings, transport: CurlTransport(userAgent: "whittle"))
    }

    /// A client with another transport or clock.
    package init(
        settings: RegistrySettings, transport: any HTTPTransport, time: HTTPTime = .system,
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.settings = settings
        http = HTTPClient(transport: transport)
        self.time = time
        self.policy = policy
        authenticator = Authenticator(http: http, credentials: settings.credentials, time: time)
    }

    /// The image that `reference` names, to be resolved and read.
    ///
    /// - Throws: `registry-blocked`, `ambiguous-image-name`, `malformed-registries-conf`.
    public func source(for reference: ImageReference) throws -> RegistryImageSource {
        let endpoints = try settings.registries.candidates(for: reference).flatMap {
            try settings.registries.endpoints(for: $0)
        }
        return RegistryImageSource(client: self, reference: reference, endpoints: endpoints)
    }

    // MARK: Manifests

    /// A manifest or index as it came, with the digest of its bytes.
    struct Document: Sendable {
        let bytes: [UInt8]
        let descriptor: Descriptor
    }

    private static let accept = HTTPHeaders.Field(
        "Accept", (MediaType.manifests.map { $0.rawValue } + ["*/*;q=0.1"]).joined(separator: ", "))

    /// The digest that `tag` has now at `endpoint`, without fetching the manifest; `nil` where the registry does not say.
    func currentDigest(of tag: String, at endpoint: RegistryEndpoint) async throws -> Digest? {
        let connection = try await connection(to: endpoint)
        let request = connection.request("HEAD", "manifests/\(tag)", headers: [Self.accept])
        let (response, _) = try await connection.send({ request }, receive: { _ in { _ in } })
        guard response.isSuccess else { return nil }
        return response.headers["Docker-Content-Digest"].flatMap { try? Digest(parsing: $0) }
    }

    /// The manifest or index called `selector`: a tag, or the digest that its bytes must have.
    ///
    /// - Throws: `image-not-found`, `digest-mismatch`, `registry-unauthorized` and the like.
    func manifest(_ selector: ManifestSelector, at endpoint: RegistryEndpoint) async throws -> Document {
        let connection = try await connection(to: endpoint)
        let request = connection.request("GET", "manifests/\(selector)", headers: [Self.accept])
        let body = BodyBuffer(limit: Self.manifestLimit)
        let (response, complaint) = try await connection.send({ request }, receive: { body.sink(for: $0) })
        let what = "the manifest '\(selector)'"
        guard response.isSuccess else {
            throw failure(response, complaint, endpoint, what: what) {
                BuildError.imageNotFound(endpoint.reference, tried: ["\(endpoint)"])
            }
        }
        let bytes = body.bytes
        let digest = Digest(hashing: bytes)
        if case .digest(let wanted) = selector, wanted != digest {
            throw BuildError.digestMismatch(what, from: "\(endpoint)", expected: wanted, found: digest)
        }
        if let announced = response.headers["Docker-Content-Digest"].flatMap({ try? Digest(parsing: $0) }),
            announced != digest
        {
            throw BuildError.digestMismatch(what, from: "\(endpoint)", expected: announced, found: digest)
        }
        let type = response.headers["Content-Type"].map { String($0.prefix { $0 != ";" && $0 != " " }) } ?? ""
        return Document(
            bytes: bytes,
            descriptor: Descriptor(mediaType: MediaType(rawValue: type), digest: digest, size: Int64(bytes.count)))
    }

    // MARK: Blobs

    /// Goes on with `download` at `endpoint` until all has come, and verifies it.
    func fetch(_ download: BlobDownload, at endpoint: RegistryEndpoint) async throws {
        let connection = try await connection(to: endpoint)
        let digest = download.descriptor.digest
        let (response, complaint) = try await connection.send(
            {
                connection.request("GET", "blobs/\(digest)", headers: download.rangeHeader.map { [$0] } ?? [])
            },
            progress: { download.received }, isComplete: { _ in download.isComplete },
            receive: { try download.receive($0, from: "\(endpoint)") })
        guard response.isSuccess || download.isComplete else {
            throw failure(response, complaint, endpoint, what: "blob \(digest.short)") {
                BuildError.missingBlob(digest, from: "\(endpoint)")
            }
        }
        try download.verify(from: "\(endpoint)")
    }

    private func failure(
        _ response: HTTPResponse, _ complaint: RegistryComplaint, _ endpoint: RegistryEndpoint, what: String,
        notFound: () -> BuildError
    ) -> BuildError {
        switch response.status {
        case 404: notFound()
        case 401, 403:
            .registryUnauthorized("\(endpoint)", registry: endpoint.reference.registry, complaint)
        case let status: .registry("\(endpoint)", what: what, status: status, complaint)
        }
    }

    // MARK: Connections

    /// How to talk to `endpoint`.
    func connection(to endpoint: RegistryEndpoint) async throws -> RegistryConnection {
        let place = try await place(of: endpoint)
        return RegistryConnection(
            endpoint: endpoint, base: WebAddress(scheme: place.scheme, authority: endpoint.authority, target: "/"),
            security: place.security, http: http, authenticator: authenticator, time: time,
            policy: endpoint.isMirror ? .mirror : policy)
    }

    /// How to talk to the host of `endpoint`.
    func place(of endpoint: RegistryEndpoint) async throws -> (scheme: WebAddress.Scheme, security: TransportSecurity) {
        let allowsInsecure = settings.verifiesTLS.map { !$0 } ?? endpoint.allowsInsecure
        var security =
            try settings.certificateDirectory.map { try CertificateDirectory.security([$0]) }
            ?? CertificateDirectory.security(for: endpoint.authority, in: settings.certificateDirectories)
        security.skipsVerification = allowsInsecure
        return (allowsInsecure ? try await scheme(of: endpoint.authority, security) : .https, security)
    }

    /// How an insecure registry talks: encrypted if it can.
    private func scheme(of authority: String, _ security: TransportSecurity) async throws -> WebAddress.Scheme {
        if let known = schemes.withLock({ $0[authority] }) { return known }
        let address = WebAddress(scheme: .https, authority: authority, target: "/v2/")
        let request = HTTPRequest("GET", address, security: security, timeout: .seconds(15))
        var scheme = WebAddress.Scheme.https
        do {
            _ = try await http.transport.perform(request) { response in
                BodyBuffer(limit: BodyBuffer.errorLimit).sink(for: response)
            }
        } catch is HTTPFailure {
            try Task.checkCancellation()
            scheme = .http
        }
        schemes.withLock { $0[authority] = scheme }
        return scheme
    }
}

/// How a manifest is asked for.
enum ManifestSelector: Hashable, Sendable, CustomStringConvertible {
    case tag(String)
    case digest(Digest)

    var description: String {
        switch self {
        case .tag(let tag): tag
        case .digest(let digest): "\(digest)"
        }
    }
}

extension ImageReference {
    /// The digest where there is one, for it is the stricter.
    var selector: ManifestSelector { digest.map { .digest($0) } ?? .tag(tag ?? "latest") }
}
