internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleHTTP
internal import WhittleRegistry

/// A Docker daemon on this machine, as something that images are loaded into (Engine API, `POST /images/load`).
struct DockerDaemon: Sendable {
    let socket: DockerSocket

    init(_ socket: DockerSocket) { self.socket = socket }

    /// Finds before a build what would make ``load(_:)`` fail after it.
    ///
    /// - Throws: `docker-unreachable`.
    func check() throws(BuildError) {
        let status: FileStatus
        do throws(Errno) {
            status = try Syscall.status(socket.path, followingLinks: true)
        } catch {
            throw .dockerUnreachable(socket, BuildError.sentence(error))
        }
        guard status.isSocket else { throw .dockerUnreachable(socket, "the file is no socket") }
    }

    /// Sends the archive that `write` writes. It goes as it is made: nothing is kept on the disk, and only a piece of it in
    /// memory.
    ///
    /// - Parameter write: runs on a thread that may block.
    /// - Throws: `docker-unreachable`, `docker-refused`; what `write` throws; `CancellationError`.
    func load(_ write: @escaping @Sendable (OutputSink, Cancellation) throws -> Void) async throws {
        let handoff = ByteHandoff()
        let outcome = await withTaskGroup(of: (isSending: Bool, result: Result<Void, any Error>).self) { group in
            group.addTask { (false, await Self.catching { try await self.make(handoff, write) }) }
            group.addTask {
                let result = await Self.catching { try await self.send(handoff) }
                handoff.close()
                return (true, result)
            }
            var outcome: (sending: Result<Void, any Error>?, writing: Result<Void, any Error>?)
            for await (isSending, result) in group {
                if isSending { outcome.sending = result } else { outcome.writing = result }
            }
            return outcome
        }
        // The error of the exchange says why the writing ended; where the writing failed, it is the same one.
        try outcome.sending?.get()
        try outcome.writing?.get()
    }

    private func make(
        _ handoff: ByteHandoff, _ write: @escaping @Sendable (OutputSink, Cancellation) throws -> Void
    ) async throws {
        let socket = socket
        let sink = OutputSink { bytes throws(BuildError) in
            do throws(ByteHandoff.Closed) { try handoff.write(bytes) } catch {
                throw BuildError.dockerUnreachable(socket, "it stopped reading")
            }
        }
        do {
            try await BlockingPool.shared.runCancellable { try write(sink, $0) }
            handoff.finish(.success(()))
        } catch {
            handoff.finish(.failure(error))
            throw error
        }
    }

    private static func catching(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func send(_ body: ByteHandoff) async throws {
        var request = HTTPRequest(
            "POST", WebAddress(scheme: .http, authority: "localhost", target: "/images/load?quiet=1"),
            headers: [HTTPHeaders.Field("Content-Type", "application/x-tar")])
        request.unixSocket = socket.path
        // Docker unpacks all layers before it answers.
        request.silenceLimit = nil
        request.bodyStream = { try body.read(into: $0) }
        let answer = DockerAnswer()
        let response: HTTPResponse
        do {
            response = try await CurlTransport(userAgent: "whittle").perform(request) { _ in { answer.take($0) } }
        } catch let failure as HTTPFailure {
            throw BuildError.dockerUnreachable(socket, failure.message)
        }
        if let problem = answer.problem(status: response.status) { throw BuildError.dockerRefused(socket, problem) }
    }
}
