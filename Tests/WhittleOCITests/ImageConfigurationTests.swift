import Testing
import WhittleCore
import WhittleOCI

@Suite("ImageConfiguration")
struct ImageConfigurationTests {
    static let text = """
        {"architecture":"arm","variant":"v7","os":"linux","created":"2023-11-14T22:13:20.5Z","author":"A",
        "docker_version":"20.10","container_config":{"Cmd":["x"]},
        "config":{"User":"app:app","ExposedPorts":{"80/tcp":{},"53/udp":{}},"Env":["PATH=/bin","A=b c"],
        "Entrypoint":[],"Cmd":null,"Volumes":{"/data":{}},"WorkingDir":"/w","Labels":{"l":"1","e":null},
        "StopSignal":"SIGQUIT","Shell":["/bin/bash","-c"],"OnBuild":["RUN x"],"Hostname":"h","ArgsEscaped":true,
        "Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":30000000000,"Timeout":1500000000,"StartPeriod":1,
        "StartInterval":5000000000,"Retries":3}},
        "rootfs":{"type":"layers","diff_ids":["\(Digest(hashing: "1"))","\(Digest(hashing: "2"))"]},
        "history":[{"created":"2023-11-14T22:13:20Z","created_by":"ADD x","comment":"c","author":"B"},
        {"created_by":"CMD","empty_layer":true}]}
        """

    @Test("every member is read")
    func reading() throws {
        let image = try ImageConfiguration(parsing: Array(Self.text.utf8))
        #expect(image.platform.description == "linux/arm/v7")
        #expect(image.created == Timestamp(seconds: 1_700_000_000, nanoseconds: 500_000_000))
        #expect(image.author == "A")
        #expect(image.diffIDs == [Digest(hashing: "1"), Digest(hashing: "2")])
        #expect(image.chainID == ChainID.of(image.diffIDs))
        #expect(image.history.map { $0.isEmptyLayer } == [false, true])
        #expect(image.history.first?.createdBy == "ADD x")
        let config = image.config
        #expect(config.user == "app:app")
        #expect(config.exposedPorts == ["80/tcp", "53/udp"])
        #expect(config.environment == ["PATH=/bin", "A=b c"])
        #expect(config.entrypoint == [])
        #expect(config.command == nil)
        #expect(config.volumes == ["/data"])
        #expect(config.workingDirectory == "/w")
        #expect(config.labels == ["l": "1", "e": ""])
        #expect(config.stopSignal == "SIGQUIT")
        #expect(config.shell == ["/bin/bash", "-c"])
        #expect(config.onBuild == ["RUN x"])
        #expect(config.argsEscaped)
        #expect(
            config.healthcheck
                == Healthcheck(
                    test: ["CMD-SHELL", "true"], interval: .seconds(30), timeout: .milliseconds(1500),
                    startPeriod: .nanoseconds(1), startInterval: .seconds(5), retries: 3))
    }

    @Test("what was read is written again, unknown members too, and stays equal")
    func roundTrip() throws {
        let image = try ImageConfiguration(parsing: Array(Self.text.utf8))
        let written = image.encoded()
        #expect(try ImageConfiguration(parsing: written) == image)
        let json = try JSONValue(parsing: written)
        #expect(json["docker_version"] == "20.10")
        #expect(json["container_config"] == ["Cmd": ["x"]])
        #expect(json["config"]?["Hostname"] == "h")
        #expect(json["config"]?["Entrypoint"] == [])
        #expect(json["config"]?["Cmd"] == nil)
        #expect(json["config"]?["Healthcheck"]?["Interval"] == 30_000_000_000)
        #expect(json["config"]?["ExposedPorts"] == ["80/tcp": [:], "53/udp": [:]])
    }

    @Test("an empty image has the members that the specification requires, and no others")
    func minimal() {
        let image = ImageConfiguration(platform: Platform(os: "linux", architecture: "amd64"))
        #expect(
            image.json.text()
                == #"{"architecture":"amd64","config":{},"os":"linux","rootfs":{"diff_ids":[],"type":"layers"}}"#)
    }

    @Test(
        "a malformed configuration gives an error that names the member",
        arguments: [
            (#"{"os":"linux"}"#, "member 'architecture': missing"),
            (#"{"architecture":"amd64","os":1}"#, "member 'os': expected a string, found a number"),
            (
                #"{"architecture":"a","os":"linux","config":{"Env":"A=b"}}"#,
                "member 'config.Env': expected an array, found a string"
            ),
            (
                #"{"architecture":"a","os":"linux","config":{"Env":["A=b",2]}}"#,
                "member 'config.Env[1]': expected a string, found a number"
            ),
            (
                #"{"architecture":"a","os":"linux","config":{"Volumes":["/x"]}}"#,
                "member 'config.Volumes': expected an object, found an array"
            ),
            (
                #"{"architecture":"a","os":"linux","created":"yesterday"}"#,
                "member 'created': expected a time as RFC 3339 writes it, found 'yesterday'"
            ),
            (
                #"{"architecture":"a","os":"linux","rootfs":{"type":"windows"}}"#,
                "member 'rootfs.type': expected 'layers', found 'windows'"
            ),
            (
                #"{"architecture":"a","os":"linux","rootfs":{"diff_ids":["sha256:xy"]}}"#,
                "member 'rootfs.diff_ids[0]': 'sha256:xy' is no digest: expected 64 hex digits, found 2"
            ),
            (
                #"{"architecture":"a","os":"linux","history":[{"empty_layer":"no"}]}"#,
                "member 'history[0].empty_layer': expected a boolean, found a string"
            ),
        ])
    func rejects(_ text: String, _ message: String) {
        let error = #expect(throws: BuildError.self) { try ImageConfiguration(parsing: Array(text.utf8)) }
        #expect(error?.message == "cannot read the image configuration: \(message)")
        #expect(error?.code == .malformedDocument)
    }

    @Test("a time that the format cannot hold is written as the longest it can")
    func longDurations() {
        var image = ImageConfiguration(platform: .host)
        image.config.healthcheck = Healthcheck(test: ["NONE"], interval: .seconds(Int64.max / 2))
        #expect(image.json["config"]?["Healthcheck"]?["Interval"] == .integer(.max))
    }
}

@Suite("ImageConfiguration.completeHistory()")
struct HistoryCompletionTests {
    private static let step = HistoryEntry(createdBy: "RUN x")
    private static let setting = HistoryEntry(createdBy: "ENV x", isEmptyLayer: true)

    private static func image(layers: Int, _ history: [HistoryEntry]) -> ImageConfiguration {
        var image = ImageConfiguration(platform: .host)
        image.created = Timestamp(seconds: 5)
        image.diffIDs = (0..<layers).map { Digest(hashing: "\($0)") }
        image.history = history
        return image
    }

    @Test("a consistent history stays as it is")
    func consistent() {
        var image = Self.image(layers: 2, [Self.step, Self.setting, Self.step])
        let before = image
        image.completeHistory()
        #expect(image == before)
    }

    @Test("layers without an entry get one, with the image's time")
    func missing() {
        var image = Self.image(layers: 3, [Self.step, Self.setting])
        image.completeHistory()
        let added = HistoryEntry(created: Timestamp(seconds: 5), comment: "layer without history")
        #expect(image.history == [Self.step, Self.setting, added, added])
    }

    @Test("of entries without a layer the newest are marked as empty")
    func surplus() {
        var image = Self.image(layers: 1, [Self.step, Self.step, Self.setting, Self.step])
        image.completeHistory()
        #expect(image.history.map { $0.isEmptyLayer } == [false, true, true, true])
    }
}
