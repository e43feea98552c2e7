internal import Synchronization
package import WhittleCore
package import WhittleOCI

/// A small registry on 127.0.0.1 in this process (distribution-spec v1.1), with faults on demand.
///
/// Speaks plain HTTP/1.1. Contents live in memory. Stops when it is released, or at ``stop()``.
package final class TestRegistry: Sendable {
    /// Who may pull.
    package enum Access: Sendable {
        case everybody
        /// Anybody with a token, which anybody gets.
        case anonymousToken
        /// Whoever gives this user's password to the token server, or this identity token.
        case token(user: String, password: String, identityToken: String)
        /// Whoever sends this user's password with each request.
        case basic(user: String, password: String)
    }

    /// What was asked for, in the order of arrival. Broken requests are not noted.
    package struct Request: Sendable {
        package internal(set) var method: String
        package let path: String
        package let query: String
        /// Names in lower case.
        package internal(set) var headers: [String: String]
        package internal(set) var body: [UInt8]
    }

    struct State {
        var blobs: [Digest: [UInt8]] = [:]
        /// `REPOSITORY:TAG` and `REPOSITORY@DIGEST`.
        var manifests: [String: (bytes: [UInt8], mediaType: MediaType)] = [:]
        var faults: [PendingFault] = []
        var requests: [Request] = []
        var tokens: Set<String> = []
        var tokenCount = 0
        /// Unfinished uploads by name.
        var uploads: [String: [UInt8]] = [:]
        var uploadCount = 0
        /// Repositories that a blob may be mounted from.
        var mountable: [Digest: Set<String>] = [:]
        /// Whether answers say that the list of referrers is kept.
        var keepsReferrers = false
    }

    struct PendingFault {
        let fault: TestRegistryFault
        let path: String
        let method: String?
        var left: Int
    }

    let state = Mutex(State())
    let access: Access
    private let server: TestServer

    /// Starts a registry on a free port.
    package init(_ access: Access = .everybody) throws {
        self.access = access
        server = try TestServer()
        server.start { [weak self] request in self?.answer(request) ?? TestResponse(status: 503) }
    }

    deinit { server.stop() }

    /// Closes all connections and takes no more.
    package func stop() { server.stop() }

    /// `127.0.0.1:PORT`.
    package var host: String { "127.0.0.1:\(server.port)" }

    /// All requests so far.
    package var requests: [Request] { state.withLock { $0.requests } }

    /// Forgets all requests, so that a test sees only its own.
    package func forgetRequests() { state.withLock { $0.requests = [] } }

    /// From now on every token is refused, until a new one is fetched.
    package func revokeTokens() { state.withLock { $0.tokens = [] } }

    /// Lets the next `times` requests whose path contains `path`, of `method` if one is given, go wrong.
    package func inject(_ fault: TestRegistryFault, on path: String, method: String? = nil, times: Int = 1) {
        state.withLock { $0.faults.append(PendingFault(fault: fault, path: path, method: method, left: times)) }
    }

    /// Lets blobs be mounted from `repository`.
    package func allowMount(of digest: Digest, from repository: String) {
        state.withLock { _ = $0.mountable[digest, default: []].insert(repository) }
    }

    /// From now on answers to manifests with a subject say that the list of referrers is kept.
    package func keepReferrers() { state.withLock { $0.keepsReferrers = true } }

    /// A blob that is there.
    package func blob(_ digest: Digest) -> [UInt8]? { state.withLock { $0.blobs[digest] } }

    /// The manifest or index `REPOSITORY:TAG` or `REPOSITORY@DIGEST`.
    package func manifest(_ name: String) -> [UInt8]? { state.withLock { $0.manifests[name]?.bytes } }

    // MARK: Contents

    /// Keeps a blob, in every repository.
    @discardableResult
    package func add(blob bytes: [UInt8], as mediaType: MediaType = .ociLayer) -> Descriptor {
        let descriptor = Descriptor(of: bytes, as: mediaType)
        state.withLock { $0.blobs[descriptor.digest] = bytes }
        return descriptor
    }

    /// Keeps a manifest or index under its digest, and under `tag` where one is given.
    @discardableResult
    package func add(
        manifest bytes: [UInt8], as mediaType: MediaType, repository: String, tag: String? = nil
    ) -> Descriptor {
        let descriptor = Descriptor(of: bytes, as: mediaType)
        state.withLock { state in
            state.manifests["\(repository)@\(descriptor.digest)"] = (bytes, mediaType)
            if let tag { state.manifests["\(repository):\(tag)"] = (bytes, mediaType) }
        }
        return descriptor
    }

    /// Keeps an image with these layers, which are taken to be uncompressed.
    ///
    /// - Parameter configure: changes the configuration before it is kept.
    /// - Returns: the manifest's descriptor with the platform, as it would stand in an index.
    @discardableResult
    package func add(
        image repository: String, tag: String? = nil, platform: Platform = .host, layers: [[UInt8]] = [],
        configure: (inout ImageConfiguration) -> Void = { _ in }
    ) -> Descriptor {
        var configuration = ImageConfiguration(platform: platform)
        let descriptors = layers.map { add(blob: $0) }
        configuration.diffIDs = descriptors.map { $0.digest }
        configure(&configuration)
        let config = add(blob: configuration.encoded(), as: .ociConfiguration)
        let manifest = Manifest(config: config, layers: descriptors)
        var descriptor = add(manifest: manifest.encoded(), as: .ociManifest, repository: repository, tag: tag)
        descriptor.platform = platform
        return descriptor
    }

    /// Keeps an index of these manifests.
    @discardableResult
    package func add(index manifests: [Descriptor], repository: String, tag: String? = nil) -> Descriptor {
        add(manifest: Index(manifests: manifests).encoded(), as: .ociIndex, repository: repository, tag: tag)
    }
}

/// Something that goes wrong once.
package enum TestRegistryFault: Sendable {
    /// The connection ends after this many bytes of the body.
    case cut(after: Int)
    /// The body is another one; the length is that one's.
    case body([UInt8])
    /// The last byte of the body is another one.
    case corruption
    /// The answer has this status and nothing else of what was asked for.
    case status(Int, headers: [String: String] = [:], body: String = "")
    /// The answer never comes.
    case silence
    /// The answer points to another address: an absolute URL.
    case redirect(String)
    /// A header is replaced, or left out where the value is empty.
    case header(String, String)
    /// The body comes in pieces of so many bytes, without a length (`Transfer-Encoding: chunked`), and may end
    /// too early without a sign of it.
    case pieces(of: Int, upTo: Int = .max)
    /// A range that was asked for is not heeded: the whole blob comes, with status 200.
    case ignoredRange
    /// The connection is closed without an answer.
    case disconnect
    /// Of the request's body only this much arrives; then the connection is closed.
    case cutRequest(after: Int)
}
