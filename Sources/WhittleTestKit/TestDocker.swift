internal import Synchronization

/// A stand-in for a Docker daemon on a unix socket: takes what is sent to it and answers with what it was told.
package final class TestDocker: Sendable {
    private let received = Mutex<[TestRegistry.Request]>([])
    private let server: TestServer

    /// Listens on a new socket at `path`.
    ///
    /// - Parameters:
    ///   - body: the answer, sent in pieces as docker sends it.
    ///   - disconnects: whether it closes the connection when it has the head of a request.
    package init(
        at path: String, status: Int = 200, body: String = "{\"stream\":\"Loaded image\"}\n", disconnects: Bool = false
    ) throws {
        server = try TestServer(socketPath: path)
        server.start(readsBodies: !disconnects) { [weak self] request in
            self?.received.withLock { $0.append(request) }
            if disconnects { return TestResponse(status: status, end: .disconnect) }
            return TestResponse(status: status, body: Array(body.utf8), end: .pieces(of: 7))
        }
    }

    deinit { server.stop() }

    /// What was sent, with whole bodies.
    package var requests: [TestRegistry.Request] { received.withLock { $0 } }

    /// Closes all connections and takes no more.
    package func stop() { server.stop() }
}
