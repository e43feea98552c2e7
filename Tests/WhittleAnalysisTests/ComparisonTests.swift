import Testing
import WhittleCore
import WhittleOCI

@testable import WhittleAnalysis

/// An image out of a configuration and layers of files.
private struct Fixture {
    var configuration = ImageConfiguration(platform: Platform(os: "linux", architecture: "amd64"))
    var layers: [[String: FileEntry]] = [[:]]

    var contents: ImageContents {
        get throws {
            var tree = FileTree()
            var read: [LayerContents] = []
            for (number, layer) in layers.enumerated() {
                var changes: [[UInt8]: LayerContents.Change] = [:]
                for (path, entry) in layer.sorted(by: { $0.key < $1.key }) {
                    try tree.add(entry, at: path.split(separator: "/").map { Array($0.utf8) }, layer: number)
                    changes[Array(path.utf8)] = .entry(entry)
                }
                read.append(LayerContents(diffID: Digest(hashing: "\(layer.hashValue)"), size: 0, changes: changes))
            }
            let image = ImageContents.Image(
                digest: Digest(hashing: ""), configuration: configuration, annotations: [:], layers: read)
            return ImageContents(name: "fixture", image: image, tree: tree)
        }
    }

    func differences(_ other: Fixture, _ ignored: IgnoredFields = IgnoredFields()) throws -> [Difference] {
        ImageComparison.differences(try contents, try other.contents, ignoring: ignored)
    }
}

private func file(_ text: String, mode: UInt16 = 0o644, uid: UInt32 = 0, time: Int64 = 0) -> FileEntry {
    FileEntry(
        kind: .file, permissions: mode, uid: uid, size: Int64(text.utf8.count), modified: Timestamp(seconds: time),
        content: Digest(hashing: text))
}

@Suite("The comparison of two images")
struct ComparisonTests {
    /// What a change of the configuration is told as.
    struct Change: CustomTestStringConvertible, Sendable {
        let fields: [String]
        let change: @Sendable (inout ImageConfiguration) -> Void
        var testDescription: String { fields.joined(separator: " ") }
        init(_ fields: String..., change: @escaping @Sendable (inout ImageConfiguration) -> Void) {
            self.fields = fields
            self.change = change
        }
    }

    static let changes: [Change] = [
        Change("config.architecture") { $0.architecture = "arm64" },
        Change("config.os") { $0.os = "windows" },
        Change("config.variant") { $0.variant = "v3" },
        Change("config.author") { $0.author = "me" },
        Change("config.User") { $0.config.user = "app" },
        Change("config.ExposedPorts 80/tcp") { $0.config.exposedPorts = ["80/tcp"] },
        Change("config.Env A", "config.Env B") { $0.config.environment = ["A=2", "B=1"] },
        Change("config.Entrypoint") { $0.config.entrypoint = ["x"] },
        Change("config.Cmd") { $0.config.command = ["x", ""] },
        Change("config.Volumes /v") { $0.config.volumes = ["/v"] },
        Change("config.WorkingDir") { $0.config.workingDirectory = "/app" },
        Change("config.Labels a") { $0.config.labels = ["a": ""] },
        Change("config.StopSignal") { $0.config.stopSignal = "SIGINT" },
        Change("config.Shell") { $0.config.shell = ["/bin/bash", "-c"] },
        Change("config.OnBuild") { $0.config.onBuild = ["RUN x"] },
        Change("config.Healthcheck") { $0.config.healthcheck = Healthcheck(test: ["NONE"]) },
        Change("config.ArgsEscaped") { $0.config.argsEscaped = true },
        Change("config.Hostname") { $0.config.otherMembers["Hostname"] = "h" },
        Change("config.docker_version") { $0.otherMembers["docker_version"] = "1" },
        Change("history.step 1") { $0.history = [HistoryEntry(createdBy: "RUN x")] },
        // What stands for the same.
        Change { $0.config.entrypoint = [] },
        Change { $0.config.workingDirectory = "/" },
        Change { $0.config.shell = ["/bin/sh", "-c"] },
        Change { $0.config.healthcheck = Healthcheck(test: [], retries: 0) },
        Change { $0.created = Timestamp(seconds: 5) },
        Change { $0.author = "" },
    ]

    @Test("names the field that a configuration differs in", arguments: changes)
    func configuration(change: Change) throws {
        var left = Fixture()
        left.configuration.config.environment = ["A=1"]
        var right = left
        change.change(&right.configuration)
        if change.fields.contains("config.Env A") {
            left.configuration.config.environment = ["A=1"]
        }
        let found = try left.differences(right).map {
            ["\($0.field)", $0.subject].compactMap { $0 }.joined(separator: " ")
        }
        #expect(found == change.fields)
        #expect(try right.differences(left).count == found.count)
    }

    @Test("the order of variables is a difference of its own")
    func order() throws {
        var (left, right) = (Fixture(), Fixture())
        left.configuration.config.environment = ["A=1", "B=2"]
        right.configuration.config.environment = ["B=2", "A=1"]
        let found = try left.differences(right)
        #expect(found.map { "\($0.field)" } == ["config.Env"])
        #expect(found[0].left == ["A=1", "B=2"])
    }

    @Test("files are compared member by member")
    func files() throws {
        var (left, right) = (Fixture(), Fixture())
        left.layers = [["only-left": file("x"), "f": file("1"), "k": file("k"), "l": file("l")]]
        right.layers = [
            [
                "only-right": file("x"), "f": file("12", mode: 0o755, uid: 7), "k": FileEntry(kind: .fifo),
                "l": file("l", time: 9),
            ]
        ]
        var ignored = IgnoredFields()
        try ignored.keepOnly(["files"])
        let found = try left.differences(right, ignored)
        #expect(
            found.map { "\($0.field) \($0.subject ?? "")" } == [
                "files.mode /f", "files.owner /f", "files.content /f", "files.type /k", "files.path /only-left",
                "files.path /only-right",
            ])
        #expect(found[0].left == "0644" && found[0].right == "0755")
        #expect(found[1].right == "7:0")
        #expect(found.last?.change == .added)
        ignored.comparesTimes = true
        #expect(
            try left.differences(right, ignored).contains { $0.field == .init(.files, "time") && $0.subject == "/l" })
    }

    @Test("equal layers at both ends stand for each other")
    func layers() throws {
        var (left, right) = (Fixture(), Fixture())
        left.layers = [["a": file("a")], ["b": file("b")], ["c": file("c")]]
        right.layers = [["a": file("a")], ["b": file("B")], ["n": file("n")], ["c": file("c", time: 4)]]
        var ignored = IgnoredFields()
        try ignored.keepOnly(["layers"])
        let found = try left.differences(right, ignored).map { "\($0.field) \($0.subject ?? "")" }
        #expect(found == ["layers.count ", "layers.entry 2 /b"])
    }

    @Test(
        "what is ignored is not told",
        arguments: [
            ["config"], ["config.env"], ["config.Env.A"], ["config,history"],
        ])
    func ignoring(texts: [String]) throws {
        var (left, right) = (Fixture(), Fixture())
        left.configuration.config.environment = ["A=1"]
        right.configuration.config.environment = ["A=2"]
        var ignored = IgnoredFields()
        for text in texts.flatMap({ $0.split(separator: ",") }) { try ignored.ignore(String(text)) }
        #expect(try left.differences(right, ignored).isEmpty)
        #expect(try left.differences(right).count == 1)
    }

    @Test("patterns of paths leave out files, in layers too")
    func patterns() throws {
        var (left, right) = (Fixture(), Fixture())
        left.layers = [["var/log/a/x": file("1"), "var/log/b": file("1"), "var/lib": file("1")]]
        right.layers = [["var/log/a/x": file("2"), "var/log/b": file("2"), "var/lib": file("2")]]
        var ignored = IgnoredFields()
        try ignored.ignore("files:/var/log/**")
        #expect(try left.differences(right, ignored).map(\.subject) == ["1 /var/lib", "/var/lib"])
    }

    @Test(
        "a field that there is not is an error with a near one",
        arguments: ["files.mod", "confg", "files.nothing", "layers.x"])
    func unknownFields(text: String) {
        var ignored = IgnoredFields()
        #expect(throws: BuildError.self) { try ignored.ignore(text) }
    }
}
