internal import Synchronization
internal import WhittleCore
internal import WhittleOCI

extension TestRegistry {
    /// The answer to one request, faults included.
    func answer(_ request: Request) -> TestResponse {
        let fault = state.withLock { state -> TestRegistryFault? in
            state.requests.append(request)
            let found = state.faults.firstIndex { fault in
                fault.left > 0 && request.path.contains(fault.path) && fault.method ?? request.method == request.method
            }
            guard let index = found else { return nil }
            state.faults[index].left -= 1
            return state.faults[index].fault
        }
        var request = request
        if case .ignoredRange = fault { request.headers["range"] = nil }
        if case .cutRequest(let count) = fault {
            // What was cut is an open upload at most.
            request.method = "PATCH"
            request.body = Array(request.body.prefix(count))
        }
        var response = request.path == "/token" ? token(request) : authorized(request)
        switch fault {
        case nil, .ignoredRange: break
        case .cut(let count): response.end = .cut(after: count)
        case .pieces(let count, let end):
            response.end = .pieces(of: count)
            response.body = Array(response.body.prefix(end))
        case .body(let bytes): response.body = bytes
        case .corruption: if let last = response.body.popLast() { response.body.append(last ^ 1) }
        case .status(let status, let headers, let body):
            response = TestResponse(status: status, headers: headers, body: Array(body.utf8))
        case .silence: response.end = .silence
        case .redirect(let address): response = TestResponse(status: 307, headers: ["Location": address])
        case .header(let name, let value): response.headers[name] = value.isEmpty ? nil : value
        case .disconnect, .cutRequest: response.end = .disconnect
        }
        return response
    }

    private func authorized(_ request: Request) -> TestResponse {
        let given = request.headers["authorization"] ?? ""
        switch access {
        case .everybody: return content(request)
        case .basic(let user, let password):
            if given == "Basic \(Self.base64("\(user):\(password)"))" { return content(request) }
            return denied(["WWW-Authenticate": "Basic realm=\"test\""])
        case .anonymousToken, .token:
            if given.hasPrefix("Bearer "), state.withLock({ $0.tokens.contains(String(given.dropFirst(7))) }) {
                return content(request)
            }
            return denied(["WWW-Authenticate": "Bearer realm=\"http://\(host)/token\",service=\"test registry\""])
        }
    }

    private func denied(_ headers: [String: String]) -> TestResponse {
        TestResponse(
            status: 401, headers: headers,
            body: Array(#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.utf8))
    }

    /// The token server, which belongs to the registry here.
    private func token(_ request: Request) -> TestResponse {
        if case .token(let user, let password, let identityToken) = access {
            let isUser = request.headers["authorization"] == "Basic \(Self.base64("\(user):\(password)"))"
            let form = String(decoding: request.body, as: UTF8.self)
            let isRefresh = request.method == "POST" && form.contains("refresh_token=\(identityToken)&")
            guard isUser || isRefresh else {
                return TestResponse(status: 401, body: Array(#"{"details":"incorrect username or password"}"#.utf8))
            }
        }
        let token = state.withLock { state in
            state.tokenCount += 1
            state.tokens.insert("token-\(state.tokenCount)")
            return "token-\(state.tokenCount)"
        }
        return TestResponse(
            status: 200, headers: ["Content-Type": "application/json"],
            body: Array(#"{"token":"\#(token)","expires_in":300}"#.utf8))
    }

    private func content(_ request: Request) -> TestResponse {
        if let response = taken(request) { return response }
        guard request.method == "GET" || request.method == "HEAD" else { return TestResponse(status: 405) }
        if request.path == "/v2/" { return TestResponse(status: 200, body: Array("{}".utf8)) }
        for kind in ["manifests", "blobs"] {
            guard request.path.hasPrefix("/v2/"), let range = request.path.lastRange(of: "/\(kind)/") else { continue }
            let repository = String(request.path[..<range.lowerBound].dropFirst("/v2/".count))
            let name = String(request.path[range.upperBound...])
            return kind == "blobs" ? blob(name, request) : manifest(repository, name)
        }
        return notFound("NAME_UNKNOWN")
    }

    private func manifest(_ repository: String, _ name: String) -> TestResponse {
        let key = name.contains(":") ? "\(repository)@\(name)" : "\(repository):\(name)"
        guard let found = state.withLock({ $0.manifests[key] }) else { return notFound("MANIFEST_UNKNOWN") }
        return TestResponse(
            status: 200,
            headers: [
                "Content-Type": found.mediaType.rawValue, "Docker-Content-Digest": "\(Digest(hashing: found.bytes))",
            ], body: found.bytes)
    }

    private func blob(_ name: String, _ request: Request) -> TestResponse {
        guard let digest = try? Digest(parsing: name), let bytes = state.withLock({ $0.blobs[digest] }) else {
            return notFound("BLOB_UNKNOWN")
        }
        guard let range = request.headers["range"] else { return TestResponse(status: 200, body: bytes) }
        guard range.hasPrefix("bytes="), range.hasSuffix("-"), let start = Int(range.dropFirst(6).dropLast()),
            start < bytes.count
        else { return TestResponse(status: 416) }
        return TestResponse(
            status: 206, headers: ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"],
            body: Array(bytes[start...]))
    }

    private func notFound(_ code: String) -> TestResponse {
        TestResponse(status: 404, body: Array(#"{"errors":[{"code":"\#(code)","message":"not here"}]}"#.utf8))
    }

    private static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 { result.append(index > group.count ? "=" : alphabet[bits >> (18 - 6 * index) & 63]) }
        }
        return result
    }
}

extension String {
    /// Where the last occurrence of `text` is.
    func lastRange(of text: String) -> Range<Index>? {
        var start = endIndex
        while start > startIndex {
            start = index(before: start)
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
        }
        return nil
    }
}
