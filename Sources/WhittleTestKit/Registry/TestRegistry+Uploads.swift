internal import Synchronization
internal import WhittleCore
internal import WhittleOCI

/// Receiving (distribution-spec v1.1, "Push"): blobs whole and in parts, mounts, manifests.
extension TestRegistry {
    /// The answer to a request that is not for reading; `nil` for one for reading.
    func taken(_ request: Request) -> TestResponse? {
        guard request.path.hasPrefix("/v2/") else { return nil }
        if let (repository, name) = split(request.path, at: "/blobs/uploads/") {
            return upload(request, repository, name)
        }
        if request.method == "PUT", let (repository, name) = split(request.path, at: "/manifests/") {
            return keep(request, repository, name)
        }
        return nil
    }

    private func split(_ path: String, at separator: String) -> (repository: String, name: String)? {
        guard let range = path.lastRange(of: separator) else { return nil }
        return (String(path[..<range.lowerBound].dropFirst("/v2/".count)), String(path[range.upperBound...]))
    }

    private func upload(_ request: Request, _ repository: String, _ name: String) -> TestResponse {
        let query = Self.members(of: request.query)
        switch request.method {
        case "POST":
            if let digest = query["mount"].flatMap({ try? Digest(parsing: $0) }), let from = query["from"],
                state.withLock({ $0.blobs[digest] != nil && $0.mountable[digest]?.contains(from) ?? false })
            {
                return TestResponse(status: 201, headers: ["Docker-Content-Digest": "\(digest)"])
            }
            let number = state.withLock { state in
                state.uploadCount += 1
                state.uploads["\(state.uploadCount)"] = []
                return state.uploadCount
            }
            return progress(repository, "\(number)", received: 0, status: 202)
        case "GET":
            guard let received = state.withLock({ $0.uploads[name]?.count }) else { return unknownUpload() }
            return progress(repository, name, received: received, status: 204)
        case "DELETE":
            return state.withLock { $0.uploads.removeValue(forKey: name) } == nil
                ? unknownUpload() : TestResponse(status: 204)
        case "PATCH", "PUT": return append(request, repository, name, query["digest"])
        default: return TestResponse(status: 405)
        }
    }

    private func append(_ request: Request, _ repository: String, _ name: String, _ digest: String?) -> TestResponse {
        guard query(of: request)["state"] != nil else { return TestResponse(status: 400) }
        let received: Int? = state.withLock { state in
            guard let before = state.uploads[name]?.count else { return nil }
            if let range = request.headers["content-range"], Int(range.prefix { $0 != "-" }) != before { return -1 }
            state.uploads[name]?.append(contentsOf: request.body)
            return before + request.body.count
        }
        guard let received else { return unknownUpload() }
        guard received >= 0 else { return TestResponse(status: 416) }
        guard request.method == "PUT" else { return progress(repository, name, received: received, status: 202) }
        let found = state.withLock { state in
            let bytes = state.uploads.removeValue(forKey: name) ?? []
            let found = Digest(hashing: bytes)
            if "\(found)" == digest { state.blobs[found] = bytes }
            return found
        }
        guard "\(found)" == digest else { return refusal(400, "DIGEST_INVALID", "found \(found)") }
        return TestResponse(status: 201, headers: ["Docker-Content-Digest": "\(found)"])
    }

    private func query(of request: Request) -> [String: String] { Self.members(of: request.query) }

    private func unknownUpload() -> TestResponse { refusal(404, "BLOB_UPLOAD_UNKNOWN", "no such upload") }

    private func progress(_ repository: String, _ name: String, received: Int, status: Int) -> TestResponse {
        TestResponse(
            status: status,
            headers: [
                // Relative, and with a member that has to come back.
                "Location": "/v2/\(repository)/blobs/uploads/\(name)?state=\(received)",
                "Range": "0-\(max(0, received - 1))",
            ])
    }

    private func keep(_ request: Request, _ repository: String, _ name: String) -> TestResponse {
        let parts = (try? Manifest(parsing: request.body)).map { [$0.config] + $0.layers } ?? []
        let missing = state.withLock { state in parts.first { state.blobs[$0.digest] == nil } }
        if let missing { return refusal(400, "MANIFEST_BLOB_UNKNOWN", "\(missing.digest)") }
        let type = MediaType(rawValue: request.headers["content-type"] ?? "")
        let isTag = !name.contains(":")
        let descriptor = add(manifest: request.body, as: type, repository: repository, tag: isTag ? name : nil)
        var headers = ["Docker-Content-Digest": "\(descriptor.digest)", "Location": request.path]
        if let subject = (try? Manifest(parsing: request.body))?.subject, state.withLock({ $0.keepsReferrers }) {
            headers["OCI-Subject"] = "\(subject.digest)"
        }
        return TestResponse(status: 201, headers: headers)
    }

    private func refusal(_ status: Int, _ code: String, _ message: String) -> TestResponse {
        TestResponse(status: status, body: Array(#"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#.utf8))
    }

    private static func members(of query: String) -> [String: String] {
        let pairs = query.split(separator: "&").map { member in
            let parts = member.split(separator: "=", maxSplits: 1).map(String.init)
            return (parts[0], PercentEncoding.decodedText(parts.count > 1 ? parts[1] : "") ?? "")
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
