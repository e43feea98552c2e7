import Foundation
import Testing
import WhittleCore
import WhittleFileSystem
import WhittleOCI
import WhittleTestKit

@testable import WhittleExport

@Suite("Loading into Docker")
struct DockerDaemonTests {
    static func check(_ socket: DockerSocket) -> BuildError? {
        do throws(BuildError) {
            try DockerDaemon(socket).check()
            return nil
        } catch {
            return error
        }
    }

    @Test("an archive goes to the daemon as it is made")
    func loads() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let daemon = try TestDocker(at: "\(directory)/docker.sock")
            let store = try StoreFixture(in: directory)
            let image = try store.image()
            let name = try ImageReference(parsing: "app:1")
            let plan = try OutputPlan(values: ["type=docker"], tags: [name])
                .reaching(DockerSocket(host: "unix://\(directory)/docker.sock"))
            try plan.check(standardOutputIsTerminal: true, writesImageID: true)
            let result = try await store.exporter(image).write(plan.outputs[0])
            #expect(result.image?.names == [name])
            let request = try #require(daemon.requests.first)
            #expect(request.method == "POST" && request.path == "/images/load" && request.query == "quiet=1")
            #expect(request.headers["content-type"] == "application/x-tar")
            #expect(request.headers["transfer-encoding"] == "chunked")
            try Data(request.body).write(to: URL(fileURLWithPath: "\(directory)/sent.tar"))
            _ = try await store.exporter(image).write(
                ExporterOptions(parsing: "type=docker,name=app:1,dest=\(directory)/file.tar"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/file.tar")) == Data(request.body))
        }
    }

    static let answers: [(Int, String, String?)] = [
        (200, "{\"stream\":\"Loaded image: app:1\\n\"}\n", nil), (200, "", nil),
        (
            200, "{\"stream\":\"x\"}\n{\"errorDetail\":{\"message\":\"no space left\"},\"error\":\"no space\"}\n",
            "no space left"
        ),
        (200, "{\"error\":\"broken\\u001b\"}", "broken\\u{1b}"),
        (500, "{\"message\":\"out of disk\"}\n", "out of disk"),
        (404, "page not found", "it answered with status 404"),
    ]

    @Test("what the daemon says about a failure is the error", arguments: answers)
    func refused(_ example: (status: Int, body: String, problem: String?)) async throws {
        try await withTemporaryDirectoryAsync { directory in
            let socket = DockerSocket(path: "\(directory)/d")
            let daemon = try TestDocker(at: socket.path, status: example.status, body: example.body)
            defer { daemon.stop() }
            func load() async throws {
                try await DockerDaemon(socket).load { sink, _ in
                    try Array("archive".utf8).withUnsafeBytes { try sink.write($0) }
                }
            }
            guard let problem = example.problem else { return try await load() }
            let error = await #expect(throws: BuildError.self) { try await load() }
            #expect(error?.code == .dockerRefused)
            #expect(error?.message == "docker at '\(socket.path)' did not take the image: \(problem)")
        }
    }

    @Test("a failure of the writing ends the exchange and is the error")
    func writingFails() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let socket = DockerSocket(path: "\(directory)/d")
            let daemon = try TestDocker(at: socket.path)
            defer { daemon.stop() }
            let error = await #expect(throws: BuildError.self) {
                try await DockerDaemon(socket).load { sink, _ in
                    try [UInt8](repeating: 1, count: 3 << 20).withUnsafeBytes { try sink.write($0) }
                    throw BuildError(.blobDamaged, "damaged")
                }
            }
            #expect(error?.message == "damaged")
            #expect(daemon.requests.isEmpty)
        }
    }

    @Test("a daemon that goes away ends the writing", .timeLimit(.minutes(1)))
    func goesAway() async throws {
        try await withTemporaryDirectoryAsync { directory in
            let socket = DockerSocket(path: "\(directory)/d")
            let daemon = try TestDocker(at: socket.path, disconnects: true)
            defer { daemon.stop() }
            let error = await #expect(throws: BuildError.self) {
                try await DockerDaemon(socket).load { sink, cancellation in
                    let piece = [UInt8](repeating: 1, count: 1 << 20)
                    while true {
                        try cancellation.check()
                        try piece.withUnsafeBytes { try sink.write($0) }
                    }
                }
            }
            #expect(error?.code == .dockerUnreachable)
        }
    }

    @Test("a daemon that is not there is found before the build")
    func missing() throws {
        try withTemporaryDirectory { directory in
            let missing = Self.check(DockerSocket(path: "\(directory)/none"))
            #expect(missing?.code == .dockerUnreachable)
            #expect(
                missing?.message
                    == "cannot load the image into docker at '\(directory)/none': no such file or directory")
            #expect(missing?.hint?.hasPrefix("start docker, set $DOCKER_HOST") == true)
            try write("x", to: "\(directory)/file")
            #expect(
                Self.check(DockerSocket(path: "\(directory)/file"))?.message.hasSuffix(": the file is no socket")
                    == true)
        }
    }

    @Test("only sockets of this machine are reached", arguments: ["tcp://host:2375", "ssh://host", "unix://", "x"])
    func host(_ host: String) {
        let error = #expect(throws: BuildError.self) { try DockerSocket(host: host) }
        #expect(error?.message == "cannot load the image into docker: $DOCKER_HOST '\(host)' is no unix socket")
    }

    @Test("'type=docker' without a destination, and --load, mean the daemon")
    func options() throws {
        func outputs(_ values: [String], load: Bool = false) throws -> [ExporterOptions] {
            try OutputPlan(values: values, tags: [], loadsIntoDocker: load).outputs
        }
        let docker = ExporterOptions.docker(ImageLayoutOptions(destination: .daemon(.standard)))
        #expect(try outputs(["type=docker"]) == [docker])
        #expect(try outputs([], load: true) == [.image(ImageStoreOptions()), docker])
        #expect(try outputs(["type=docker"], load: true) == [docker])
        #expect(try outputs(["type=docker,dest=-"], load: true).count == 2)
        #expect(try outputs(["type=docker,dest=-"]) != [docker])
    }
}
