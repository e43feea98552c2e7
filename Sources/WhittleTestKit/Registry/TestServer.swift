internal import Synchronization
internal import SystemPackage

#if canImport(Glibc)
    internal import Glibc
#endif

/// What a ``TestServer`` answers.
struct TestResponse: Sendable {
    var status: Int
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    var end = End.whole

    /// How the answer ends.
    enum End: Sendable {
        case whole
        case cut(after: Int)
        case pieces(of: Int)
        case silence
        case disconnect
    }
}

/// HTTP/1.1 over plain sockets: one thread for new connections, and one for each connection.
final class TestServer: Sendable {
    let port: UInt16
    private let listener: CInt
    private let state = Mutex(State())

    private struct State {
        var isStopped = false
        var connections: Set<CInt> = []
    }

    private static let headLimit = 64 << 10

    /// Takes a free port of 127.0.0.1.
    init() throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &size) == 0
            }
        }
        guard result else {
            let error = Errno(rawValue: errno)
            close(listener)
            throw error
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Makes a socket file.
    init(socketPath path: String) throws {
        let listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard path.utf8.count < buffer.count else { return false }
            buffer.copyBytes(from: path.utf8)
            return true
        }
        let result =
            fits
            && withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(listener, 64) == 0
                }
            }
        guard result else {
            let error = fits ? Errno(rawValue: errno) : .fileNameTooLong
            close(listener)
            throw error
        }
        self.listener = listener
        port = 0
    }

    /// Answers requests with what `handler` gives, until ``stop()``.
    ///
    /// - Parameter readsBodies: whether requests are answered when their bodies are there, or at once.
    func start(
        readsBodies: Bool = true, _ handler: @escaping @Sendable (TestRegistry.Request) -> TestResponse
    ) {
        Self.startThread {
            while true {
                let connection = accept(self.listener, nil, nil)
                guard connection >= 0 else {
                    // The peer may be gone already, or descriptors may be short for a moment.
                    if self.state.withLock({ $0.isStopped }) { break } else { continue }
                }
                let isStopped = self.state.withLock { state in
                    if !state.isStopped { state.connections.insert(connection) }
                    return state.isStopped
                }
                guard !isStopped else {
                    close(connection)
                    break
                }
                Self.startThread {
                    self.serve(connection, readsBodies, handler)
                    self.state.withLock { _ = $0.connections.remove(connection) }
                    close(connection)
                }
            }
            close(self.listener)
        }
    }

    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            // Wakes accept(2) and all reads; the threads close what they own.
            shutdown(listener, CInt(SHUT_RDWR))
            for connection in state.connections { shutdown(connection, CInt(SHUT_RDWR)) }
        }
    }

    private func serve(
        _ connection: CInt, _ readsBodies: Bool, _ handler: (TestRegistry.Request) -> TestResponse
    ) {
        var buffer: [UInt8] = []
        while let request = read(from: connection, &buffer, readsBodies) {
            let response = handler(request)
            guard send(response, to: connection, isHead: request.method == "HEAD") else { return }
        }
    }

    // MARK: Reading

    private func read(
        from connection: CInt, _ buffer: inout [UInt8], _ readsBodies: Bool
    ) -> TestRegistry.Request? {
        var end: Int?
        while end == nil {
            guard buffer.count < Self.headLimit else { return nil }
            // A TLS handshake begins with 0x16: this server has no TLS.
            if buffer.first == 0x16 { return nil }
            end = Self.endOfHead(buffer)
            if end == nil, !fill(&buffer, from: connection) { return nil }
        }
        guard let end else { return nil }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
        buffer.removeFirst(end)
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        var body: [UInt8] = []
        if readsBodies {
            guard let read = self.body(from: connection, &buffer, headers) else { return nil }
            body = read
        }
        let target = first[1].split(separator: "?", maxSplits: 1)
        return TestRegistry.Request(
            method: String(first[0]), path: String(target.first ?? "/"),
            query: target.count > 1 ? String(target[1]) : "", headers: headers, body: body)
    }

    /// The body of a request, by its length or in chunks.
    private func body(
        from connection: CInt, _ buffer: inout [UInt8], _ headers: [String: String]
    ) -> [UInt8]? {
        guard headers["transfer-encoding"] == "chunked" else {
            let length = headers["content-length"].flatMap { Int($0) } ?? 0
            return take(length, from: connection, &buffer)
        }
        var body: [UInt8] = []
        while true {
            var line: [UInt8] = []
            while line.suffix(2) != [13, 10] {
                guard let byte = take(1, from: connection, &buffer) else { return nil }
                line += byte
            }
            guard let size = Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16),
                let chunk = take(size, from: connection, &buffer), take(2, from: connection, &buffer) != nil
            else { return nil }
            if size == 0 { return body }
            body += chunk
        }
    }

    private func take(_ count: Int, from connection: CInt, _ buffer: inout [UInt8]) -> [UInt8]? {
        while buffer.count < count { guard fill(&buffer, from: connection) else { return nil } }
        let taken = Array(buffer[..<count])
        buffer.removeFirst(count)
        return taken
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }

    private func fill(_ buffer: inout [UInt8], from connection: CInt) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(connection, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer.append(contentsOf: chunk[..<count])
        return true
    }

    // MARK: Writing

    /// Returns whether the connection can go on.
    private func send(_ response: TestResponse, to connection: CInt, isHead: Bool) -> Bool {
        switch response.end {
        case .whole, .cut, .pieces: break
        case .disconnect: return false
        case .silence:
            // Ends when the client or `stop` closes the connection.
            var byte: UInt8 = 0
            _ = recv(connection, &byte, 1, 0)
            return false
        }
        var head = "HTTP/1.1 \(response.status) Status\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        if case .pieces = response.end {
            head += "Transfer-Encoding: chunked\r\n"
        } else if response.headers["Content-Length"] == nil {
            head += "Content-Length: \(response.body.count)\r\n"
        }
        guard sendAll(Array((head + "\r\n").utf8)[...], to: connection) else { return false }
        if isHead { return true }
        if case .cut(let count) = response.end {
            _ = sendAll(response.body.prefix(count), to: connection)
            return false
        }
        guard case .pieces(let count) = response.end else { return sendAll(response.body[...], to: connection) }
        var pieces: [UInt8] = []
        for start in stride(from: 0, to: response.body.count, by: count) {
            let piece = response.body[start..<min(start + count, response.body.count)]
            pieces += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        return sendAll((pieces + Array("0\r\n\r\n".utf8))[...], to: connection)
    }

    private func sendAll(_ bytes: ArraySlice<UInt8>, to connection: CInt) -> Bool {
        bytes.withUnsafeBytes { raw in
            var rest = raw[...]
            while !rest.isEmpty {
                let count = Glibc.send(
                    connection, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    // MARK: Threads

    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        // SAFETY: one reference goes into the thread, which takes it back.
        let job = Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, job.toOpaque())
        if result == 0 { pthread_detach(thread) } else { job.release() }
    }
}
