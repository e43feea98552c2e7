import Foundation
import Testing
import WhittleCore
import WhittleOCI
import WhittleTestKit

@testable import WhittleRegistry

/// Programs that the tests below need; Debian's packages `docker-registry`, `skopeo` and `openssl` have them.
private let missingPrograms = ["docker-registry", "skopeo", "openssl"].filter { program in
    !["/usr/bin", "/usr/local/bin", "/bin"].contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
}

@Suite(
    "Against Debian's docker-registry", .serialized, .timeLimit(.minutes(2)),
    .enabled(
        if: missingPrograms.isEmpty, "not installed: \(missingPrograms.joined(separator: ", "))"))
struct RealRegistryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("registry") }

    @Test("what skopeo pushes over TLS is pulled, and the registry's own authority is needed for it")
    func encrypted() async throws {
        try makeCertificate()
        let server = try await Server.start(directory, isEncrypted: true)
        defer { server.stop() }
        let layer = noise(2_000_000)
        try pushImage(layer, to: server)

        try FileManager.default.createDirectory(
            atPath: directory("certs.d/\(server.host)"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: directory("ca.pem"), toPath: directory("certs.d/\(server.host)/ca.crt"))
        // Loopback hosts are insecure unless the configuration says otherwise.
        let secure = "[[registry]]\nlocation = '\(server.host)'\ninsecure = false"
        let fixture = try RegistryFixture(configuration: secure, certificates: [directory("certs.d")])
        let source = try fixture.source("\(server.host)/team/app:1")
        let image = try await source.resolve(amd64)
        #expect(image.configuration.config.user == "somebody")
        let collector = Collector()
        try await source.read(image.manifest.layers[0], into: collector.sink)
        #expect(Digest(hashing: collector.bytes) == image.manifest.layers[0].digest)
        #expect(image.configuration.diffIDs == [Digest(hashing: layer)])

        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture(configuration: secure).source("\(server.host)/team/app:1").resolve(amd64)
        }
        #expect(error?.code == .registryUntrusted)
        let lax = try await RegistryFixture().source("\(server.host)/team/app:1").resolve(amd64)
        #expect(lax.descriptor.digest == image.descriptor.digest)
    }

    @Test("a plain registry on this machine needs no configuration, and says what it does not have")
    func plain() async throws {
        let server = try await Server.start(directory, isEncrypted: false)
        defer { server.stop() }
        try pushImage(noise(1000), to: server)
        let source = try RegistryFixture().source("\(server.host)/team/app:1")
        #expect(try await source.resolve(amd64).configuration.config.user == "somebody")
        let error = await #expect(throws: BuildError.self) {
            try await RegistryFixture().source("\(server.host)/team/app:2").resolve(amd64)
        }
        #expect(error?.code == .imageNotFound)
        #expect(error?.message == "image '\(server.host)/team/app:2' not found in \(server.host)/team/app")
    }

    // MARK: Fixtures

    /// An OCI layout with one image, pushed by skopeo.
    private func pushImage(_ layer: [UInt8], to server: Server) throws {
        func add(_ bytes: [UInt8], _ type: MediaType) throws -> Descriptor {
            let descriptor = Descriptor(of: bytes, as: type)
            try directory.write(bytes: bytes, "layout/blobs/sha256/\(descriptor.digest.hex)")
            return descriptor
        }
        var configuration = ImageConfiguration(platform: amd64)
        configuration.config.user = "somebody"
        configuration.diffIDs = [Digest(hashing: layer)]
        let config = try add(configuration.encoded(), .ociConfiguration)
        let manifest = Manifest(config: config, layers: [try add(layer, .ociLayer)])
        var entry = try add(manifest.encoded(), .ociManifest)
        entry.annotations["org.opencontainers.image.ref.name"] = "1"
        try directory.write("layout/oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        try directory.write(bytes: Index(manifests: [entry]).encoded(), "layout/index.json")
        try directory.write("policy.json", #"{"default":[{"type":"insecureAcceptAnything"}]}"#)
        try run(
            "skopeo", "--policy", directory("policy.json"), "copy", "-q", "--dest-tls-verify=false",
            "oci:\(directory("layout")):1", "docker://\(server.host)/team/app:1")
    }

    private func makeCertificate() throws {
        try run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=whittle test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory("key.pem"), "-out", directory("ca.pem"))
    }

    private func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program): \(String(decoding: text, as: UTF8.self))")
    }

    /// A running docker-registry.
    private struct Server {
        let process: Process
        let host: String

        func stop() {
            process.terminate()
            process.waitUntilExit()
        }

        /// Starts it on a free port and waits until it answers.
        static func start(_ directory: TemporaryDirectory, isEncrypted: Bool) async throws -> Server {
            let port = try freePort()
            let tls =
                isEncrypted
                ? "\n  tls:\n    certificate: \(directory("ca.pem"))\n    key: \(directory("key.pem"))" : ""
            let configuration = try directory.write(
                "registry.yml",
                """
                version: 0.1
                storage:
                  filesystem:
                    rootdirectory: \(directory("data"))
                http:
                  addr: 127.0.0.1:\(port)\(tls)
                """)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["docker-registry", "serve", configuration]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            for _ in 0..<500 where process.isRunning {
                if isListening(port) { return Server(process: process, host: "127.0.0.1:\(port)") }
                try await Task.sleep(for: .milliseconds(20))
            }
            process.terminate()
            struct NotStarted: Error {}
            throw NotStarted()
        }

        /// A port that was free a moment ago.
        private static func freePort() throws -> UInt16 {
            let probe = try TestRegistry()
            probe.stop()
            return try #require(UInt16(probe.host.split(separator: ":")[1]))
        }

        private static func isListening(_ port: UInt16) -> Bool {
            let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(probe) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
    }
}
