import Testing
import WhittleCore
import WhittleEngine

@testable import WhittleCommands

@Suite("Arguments of whittle run")
struct RunArgumentTests {
    struct Accepted: CustomTestStringConvertible, Sendable {
        let text: String
        let mount: ContainerMount
        var testDescription: String { text }
    }

    static let volumes = [
        Accepted(
            text: "/a:/b", mount: .bind(source: "/a", target: "/b", isReadOnly: false, createsSource: true)),
        Accepted(
            text: "/a:/b:ro,Z", mount: .bind(source: "/a", target: "/b", isReadOnly: true, createsSource: true)),
        Accepted(
            text: "./a:/b",
            mount: .bind(source: StoreOptions.absolute("./a"), target: "/b", isReadOnly: false, createsSource: true)),
        Accepted(text: "cache:/b:rw", mount: .volume(name: "cache", target: "/b", isReadOnly: false)),
        Accepted(text: "/b", mount: .volume(name: nil, target: "/b", isReadOnly: false)),
    ]

    @Test("--volume: paths, names and options", arguments: volumes)
    func volume(example: Accepted) throws {
        #expect(try MountArgument(volume: example.text).mount == example.mount)
    }

    static let mounts = [
        Accepted(
            text: "type=bind,src=/a,dst=/b,ro",
            mount: .bind(source: "/a", target: "/b", isReadOnly: true, createsSource: false)),
        Accepted(
            text: "type=bind,source=/a,target=/b,readonly=false",
            mount: .bind(source: "/a", target: "/b", isReadOnly: false, createsSource: false)),
        Accepted(text: "source=data,target=/b", mount: .volume(name: "data", target: "/b", isReadOnly: false)),
        Accepted(
            text: "type=tmpfs,destination=/b,tmpfs-size=64m,tmpfs-mode=1770",
            mount: .tmpfs(target: "/b", size: ByteCount(64 << 20), mode: 0o1770)),
    ]

    @Test("--mount: keys and their other names", arguments: mounts)
    func mount(example: Accepted) throws {
        #expect(try MountArgument(mount: example.text).mount == example.mount)
    }

    @Test("--tmpfs: size and mode")
    func tmpfs() throws {
        #expect(
            try MountArgument(tmpfs: "/t:rw,size=1g,mode=700").mount
                == .tmpfs(target: "/t", size: ByteCount(1 << 30), mode: 0o700))
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let option: String
        let text: String
        let message: String
        var testDescription: String { "\(option) \(text)" }
    }

    static let rejected = [
        Rejected(option: "--volume", text: "a:b", message: "the target 'b' is no absolute path below '/'"),
        Rejected(option: "--volume", text: "/a:", message: "it has no source or target"),
        Rejected(option: "--volume", text: "/a:/b:rx", message: "there is no option 'rx'"),
        Rejected(
            option: "--volume", text: "a/b:/c", message: "'a/b' is neither an absolute path nor the name of a volume"),
        Rejected(option: "--mount", text: "type=bind,target=/b", message: "it has no source"),
        Rejected(option: "--mount", text: "type=bind,source=/b", message: "it has no target"),
        Rejected(option: "--mount", text: "type=image,target=/b", message: "there is no type 'image'"),
        Rejected(option: "--mount", text: "type=bind,sourc=/a,target=/b", message: "there is no option 'sourc'"),
        Rejected(option: "--tmpfs", text: "/", message: "the target '/' is no absolute path below '/'"),
        Rejected(option: "--tmpfs", text: "/t:size=lots", message: "'lots' is no size"),
        Rejected(option: "--publish", text: "80:x", message: "it is no port"),
        Rejected(option: "--publish", text: "0", message: "it is no port"),
        Rejected(option: "--publish", text: "90-80", message: "it is no port"),
        Rejected(option: "--publish", text: "80:80/quic", message: "there is no protocol 'quic'"),
        Rejected(
            option: "--publish", text: "127.0.0.1:80:8080",
            message: "the container has the network of this machine, so its port 8080 is 8080 here too"),
        Rejected(option: "--env", text: "=x", message: "it has no name"),
    ]

    @Test("says which part is wrong", arguments: rejected)
    func rejects(example: Rejected) {
        let error = #expect(throws: BuildError.self) {
            switch example.option {
            case "--volume": _ = try MountArgument(volume: example.text)
            case "--mount": _ = try MountArgument(mount: example.text)
            case "--tmpfs": _ = try MountArgument(tmpfs: example.text)
            case "--publish": try PortArgument.check(example.text)
            default: _ = try EnvironmentLine(example.text, example.option)
            }
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "reading '\(example.option) \(example.text)': \(example.message)")
    }

    @Test(
        "--publish takes what is the same port on both sides",
        arguments: ["80", "80:80", "80/udp", "8000-8010:8000-8010", "[::1]:80:80", ":80", "127.0.0.1::80"])
    func ports(text: String) throws { try PortArgument.check(text) }

    @Test("--env-file: comments, blanks, the environment, and line ends of Windows")
    func environmentFile() throws {
        let text = "\u{feff}# no\r\n\r\n  A=1 2\r\nB\r\nC\nD='x'\nE=\n"
        let found = try EnvironmentLine.assignments(inFile: Array(text.utf8)) { $0 == "B" ? "from outside" : nil }
        #expect(found == ["A=1 2", "B=from outside", "D='x'", "E="])
        let error = #expect(throws: BuildError.self) {
            try EnvironmentLine.assignments(inFile: Array("A B=1\n".utf8))
        }
        #expect(error?.message == "reading '--env-file A B': the name of a variable has no blanks")
    }
}
