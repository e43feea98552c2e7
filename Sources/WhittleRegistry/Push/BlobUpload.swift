internal import Synchronization
internal import WhittleCore
internal import WhittleHTTP
internal import WhittleOCI

/// Brings one blob into one repository: performs what ``UploadState`` decides.
struct BlobUpload: Sendable {
    let connection: RegistryConnection
    let blob: PushBlob
    /// Gives an upload that was opened before, if there is one that nobody uses.
    let spareUpload: @Sendable () -> WebAddress?
    let report: @Sendable (PushEvent) -> Void

    /// A registry may copy and check a large blob before it answers.
    private static let silenceLimit = Duration.seconds(300)
    /// How often progress is told, in bytes.
    private static let reportInterval: Int64 = 256 << 10

    /// What the last request came to.
    private enum Result {
        case answered(HTTPResponse, RegistryComplaint)
        case failed(HTTPFailure)
    }

    /// Asks, mounts or sends until the registry has the blob.
    ///
    /// - Parameter isForced: sends it even where the registry says that it has it.
    /// - Throws: `registry-unauthorized`, `push-refused`, `digest-mismatch`, `registry-failed` and the like; what opening
    ///   the blob throws; `CancellationError`.
    func run(isForced: Bool = false) async throws -> PushOutcome {
        let registry = connection.endpoint.reference.registry
        let own = connection.endpoint.reference.repository
        let origins = blob.origins.filter { $0.registry == registry && $0.repository != own }.map(\.repository)
        var state = UploadState(
            size: blob.descriptor.size, origins: Array(origins.prefix(3)), policy: connection.policy, isForced: isForced
        )
        var step = state.start
        var upload: WebAddress?
        while true {
            if step.wait > .zero { try await connection.time.sleep(step.wait) }
            let result: Result
            do {
                result = try await perform(step.action, at: upload)
            } catch let failure as HTTPFailure {
                try Task.checkCancellation()
                result = .failed(failure)
            }
            let action = step.action
            step = state.handle(try event(of: result, action, &upload), jitter: connection.time.jitter())
            switch step.action {
            case .finish(let outcome): return outcome
            case .fail: throw error(result)
            case .failDamaged: throw BuildError.blobRefused(blob.descriptor.digest, by: place, complaint(result))
            default: break
            }
        }
    }

    private var place: String { "\(connection.endpoint)" }

    // MARK: Requests

    private func perform(_ action: UploadState.Action, at upload: WebAddress?) async throws -> Result {
        let digest = blob.descriptor.digest
        switch action {
        case .look: return try await send { connection.request("HEAD", "blobs/\(digest)") }
        case .begin(let origin?):
            let query = "?mount=\(WebAddress.encode("\(digest)"))&from=\(WebAddress.encode(origin))"
            do {
                return try await send(otherRepository: origin) { Self.beginning(connection, query) }
            } catch let error as BuildError where error.code == .registryUnauthorized {
                // No token for the other repository: then it is not mounted from there.
                return .answered(HTTPResponse(status: 403, headers: HTTPHeaders()), RegistryComplaint([]))
            }
        case .begin(nil):
            if let spare = spareUpload() {
                let field = HTTPHeaders.Field("Location", spare.url)
                return .answered(HTTPResponse(status: 202, headers: HTTPHeaders([field])), RegistryComplaint([]))
            }
            return try await send { Self.beginning(connection, "") }
        case .sendAll:
            return try await send {
                try await sending("PUT", Self.closing(upload, digest), 0..<blob.descriptor.size, isPart: false)
            }
        case .sendPart(let range):
            return try await send { try await sending("PATCH", upload, range, isPart: true) }
        case .close:
            return try await send {
                try request("PUT", Self.closing(upload, digest), body: [])
            }
        case .ask: return try await send { try request("GET", upload, body: nil) }
        case .finish, .fail, .failDamaged: preconditionFailure("nothing to perform")
        }
    }

    private func send(
        otherRepository: String? = nil, _ make: () async throws -> HTTPRequest
    ) async throws -> Result {
        let ignored = BodyBuffer(limit: BodyBuffer.errorLimit)
        let (response, complaint) = try await connection.attempt(
            make, actions: "pull,push", otherRepository: otherRepository, receive: { ignored.sink(for: $0) })
        return .answered(response, complaint)
    }

    /// Opens an upload.
    static func beginning(_ connection: RegistryConnection, _ query: String) -> HTTPRequest {
        var request = connection.request("POST", "blobs/uploads/\(query)")
        request.body = []
        return request
    }

    /// The address that ends an upload; what the registry put into the query stays.
    private static func closing(_ upload: WebAddress?, _ digest: Digest) -> WebAddress? {
        guard var address = upload else { return nil }
        address.target += (address.target.contains("?") ? "&" : "?") + "digest=\(WebAddress.encode("\(digest)"))"
        return address
    }

    private func request(_ method: String, _ address: WebAddress?, body: [UInt8]?) throws -> HTTPRequest {
        guard let address else { preconditionFailure("an upload without a place") }
        var request = HTTPRequest(method, address, body: body, security: connection.security)
        request.silenceLimit = Self.silenceLimit
        return request
    }

    private func sending(
        _ method: String, _ address: WebAddress?, _ range: Range<Int64>, isPart: Bool
    ) async throws -> HTTPRequest {
        var request = try request(method, address, body: nil)
        request.headers = [HTTPHeaders.Field("Content-Type", "application/octet-stream")]
        if isPart {
            request.headers.append(HTTPHeaders.Field("Content-Range", "\(range.lowerBound)-\(range.upperBound - 1)"))
        }
        request.bodySize = Int64(range.count)
        request.bodyStream = metered(try await blob.open(range.lowerBound), range)
        return request
    }

    /// `source` up to the end of `range`, with its progress told.
    private func metered(_ source: @escaping ByteSource, _ range: Range<Int64>) -> ByteSource {
        let descriptor = blob.descriptor
        let position = Mutex((current: range.lowerBound, reported: range.lowerBound))
        report(.sent(descriptor, ByteCount(range.lowerBound)))
        return { buffer in
            let left = range.upperBound - position.withLock { $0.current }
            guard left > 0 else { return 0 }
            let count = try source(UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(min(left, 1 << 30)))))
            guard count > 0 else { throw BuildError.blobCut(descriptor, at: range.upperBound - left) }
            let told: Int64? = position.withLock { position in
                position.current += Int64(count)
                let isDue = position.current - position.reported >= Self.reportInterval
                guard isDue || position.current == range.upperBound else { return nil }
                position.reported = position.current
                return position.current
            }
            if let told { report(.sent(descriptor, ByteCount(told))) }
            return count
        }
    }

    // MARK: Answers

    private func event(
        of result: Result, _ action: UploadState.Action, _ upload: inout WebAddress?
    ) throws -> UploadState.Event {
        switch result {
        case .failed(let failure): return .failed(failure.kind)
        case .answered(let response, let complaint):
            var answer = UploadState.Answer(status: response.status, codes: complaint.codes)
            answer.retryAfter = connection.retryAfter(of: response)
            guard response.isSuccess else { return .answered(answer) }
            try check(response.headers["Docker-Content-Digest"], action)
            if let location = response.headers["Location"] {
                // Relative to the request, and every answer may name a new place.
                let base = upload ?? connection.request("POST", "blobs/uploads/").address
                if let next = connection.place(location, from: base) {
                    upload = next
                    answer.hasLocation = true
                }
            }
            answer.leastPart = response.headers["OCI-Chunk-Min-Length"].flatMap { Int64($0) }
            answer.received = response.headers["Range"].flatMap { Self.received($0) }
            return .answered(answer)
        }
    }

    /// Bytes before the end of `[bytes=]0-LAST`. `0-0` is what registries say of an upload without any.
    private static func received(_ range: String) -> Int64? {
        guard let dash = range.lastIndex(of: "-"), let last = Int64(range[range.index(after: dash)...]), last >= 0
        else { return nil }
        return last == 0 ? 0 : last + 1
    }

    /// - Throws: `digest-mismatch` where the registry says that it has something else.
    private func check(_ announced: String?, _ action: UploadState.Action) throws {
        switch action {
        case .look, .sendAll, .close: break
        default: return
        }
        guard let found = announced.flatMap({ try? Digest(parsing: $0) }), found != blob.descriptor.digest else {
            return
        }
        throw BuildError.registryKeptAnother(
            "blob \(blob.descriptor.digest.short)", at: place, expected: blob.descriptor.digest, found: found)
    }

    private func complaint(_ result: Result) -> RegistryComplaint {
        if case .answered(_, let complaint) = result { complaint } else { RegistryComplaint([]) }
    }

    private func error(_ result: Result) -> BuildError {
        switch result {
        case .failed(let failure): .registry(place, authority: connection.endpoint.authority, failure)
        case .answered(let response, _) where response.isSuccess:
            .senselessAnswer(place, "status \(response.status) without a place to upload to")
        case .answered(let response, let complaint):
            .push(
                "blob \(blob.descriptor.digest.short)", to: connection.endpoint, status: response.status, complaint)
        }
    }
}
