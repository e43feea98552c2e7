import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("Image configuration")
struct ConfigurationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let lines: String
        let expected: @Sendable (inout ContainerConfiguration) -> Void
        let history: [String]
        var testDescription: String { lines.replacing("\n", with: "; ") }
        init(_ lines: String, history: String..., expected: @escaping @Sendable (inout ContainerConfiguration) -> Void)
        {
            self.lines = lines
            self.history = history
            self.expected = expected
        }
    }

    static let cases: [Case] = [
        Case("ENV A=b", history: "(ENV A=b)") { $0.environment.append("A=b") },
        Case("ENV A=\"b c\" D=e\\ f", history: "(ENV A=b c D=e f)") { $0.environment += ["A=b c", "D=e f"] },
        Case("ENV A b c", history: "(ENV A=b c)") { $0.environment.append("A=b c") },
        Case("ENV PATH=/x:$PATH", history: "(ENV PATH=/x:/bin)") { $0.environment = ["PATH=/x:/bin"] },
        Case("ENV A=1 B=2\nENV A=3", history: "(ENV A=1 B=2)", "(ENV A=3)") { $0.environment += ["A=3", "B=2"] },
        Case("LABEL a=b \"c d\"=\"e f\"", history: "(LABEL a=b c d=e f)") { $0.labels = ["a": "b", "c d": "e f"] },
        Case("LABEL a=1\nLABEL a=2", history: "(LABEL a=1)", "(LABEL a=2)") { $0.labels = ["a": "2"] },
        Case("USER app:staff", history: "(USER app:staff)") { $0.user = "app:staff" },
        Case("EXPOSE 3000", history: "(EXPOSE [3000/tcp])") { $0.exposedPorts = ["3000/tcp"] },
        Case("EXPOSE 80/UDP 8000-8002 53/sctp", history: "(EXPOSE [53/sctp 80/udp 8000/tcp 8001/tcp 8002/tcp])") {
            $0.exposedPorts = ["80/udp", "8000/tcp", "8001/tcp", "8002/tcp", "53/sctp"]
        },
        Case("ENV P=\"1 2\"\nEXPOSE $P", history: "(ENV P=1 2)", "(EXPOSE [1/tcp 2/tcp])") {
            $0.environment.append("P=1 2")
            $0.exposedPorts = ["1/tcp", "2/tcp"]
        },
        Case("VOLUME /data /x", history: "(VOLUME [/data /x])") { $0.volumes = ["/data", "/x"] },
        Case("VOLUME [\"/a b\"]", history: "(VOLUME [/a b])") { $0.volumes = ["/a b"] },
        Case("CMD [\"node\", \"a\\\"b\"]", history: "(CMD [\"node\" \"a\\\"b\"])") {
            $0.command = ["node", "a\"b"]
            $0.argsEscaped = true
        },
        Case("CMD node a", history: "(CMD [\"/bin/sh\" \"-c\" \"node a\"])") {
            $0.command = ["/bin/sh", "-c", "node a"]
            $0.argsEscaped = true
        },
        Case("SHELL [\"bash\", \"-c\"]\nCMD a", history: "(SHELL [bash -c])", "(CMD [\"bash\" \"-c\" \"a\"])") {
            $0.shell = ["bash", "-c"]
            $0.command = ["bash", "-c", "a"]
            $0.argsEscaped = true
        },
        Case("ENTRYPOINT [\"/run\"]", history: "(ENTRYPOINT [\"/run\"])") {
            $0.entrypoint = ["/run"]
            $0.command = nil
        },
        Case("ENTRYPOINT run", history: "(ENTRYPOINT [\"/bin/sh\" \"-c\" \"run\"])") {
            $0.entrypoint = ["/bin/sh", "-c", "run"]
            $0.command = nil
        },
        Case("ENTRYPOINT []", history: "(ENTRYPOINT [])") { $0.command = nil },
        Case("CMD [\"a\"]\nENTRYPOINT [\"b\"]", history: "(CMD [\"a\"])", "(ENTRYPOINT [\"b\"])") {
            $0.command = ["a"]
            $0.argsEscaped = true
            $0.entrypoint = ["b"]
        },
        Case("STOPSIGNAL SIGQUIT", history: "(STOPSIGNAL SIGQUIT)") { $0.stopSignal = "SIGQUIT" },
        Case("ENV S=9\nSTOPSIGNAL $S", history: "(ENV S=9)", "(STOPSIGNAL 9)") {
            $0.environment.append("S=9")
            $0.stopSignal = "9"
        },
        Case(
            "HEALTHCHECK NONE",
            history: "(HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0})"
        ) { $0.healthcheck = Healthcheck(test: ["NONE"]) },
        Case(
            "HEALTHCHECK --interval=1m30s --timeout=3s --retries=4 CMD curl -f localhost || exit 1",
            history: "(HEALTHCHECK {Test:[CMD-SHELL curl -f localhost || exit 1] Interval:1m30s Timeout:3s "
                + "StartPeriod:0s StartInterval:0s Retries:4})"
        ) {
            $0.healthcheck = Healthcheck(
                test: ["CMD-SHELL", "curl -f localhost || exit 1"], interval: .seconds(90), timeout: .seconds(3),
                retries: 4)
        },
        Case(
            "HEALTHCHECK --start-period=2h --start-interval=500ms CMD [\"true\", \"x\"]",
            history: "(HEALTHCHECK {Test:[CMD true x] Interval:0s Timeout:0s StartPeriod:2h0m0s StartInterval:500ms "
                + "Retries:0})"
        ) {
            $0.healthcheck = Healthcheck(
                test: ["CMD", "true", "x"], startPeriod: .seconds(7200), startInterval: .milliseconds(500))
        },
        Case("ONBUILD RUN a\nONBUILD COPY b /c") { $0.onBuild = ["RUN a", "COPY b /c"] },
        Case("WORKDIR /app", history: "WORKDIR /app") { $0.workingDirectory = "/app" },
        Case("WORKDIR app", history: "WORKDIR /app") { $0.workingDirectory = "/app" },
        Case("WORKDIR /a/b/\nWORKDIR ../c", history: "WORKDIR /a/b/", "WORKDIR /a/c") { $0.workingDirectory = "/a/c" },
        Case("WORKDIR /", history: "(WORKDIR /)") { $0.workingDirectory = "/" },
        Case("ENV D=x\nWORKDIR /$D/y", history: "(ENV D=x)", "WORKDIR /x/y") {
            $0.environment.append("D=x")
            $0.workingDirectory = "/x/y"
        },
    ]

    @Test("an instruction changes its part of the configuration", arguments: cases)
    func configuration(example: Case) async throws {
        let lowered = try await lower("FROM alpine\n" + example.lines)
        var expected = ContainerConfiguration()
        expected.environment = ["PATH=/bin"]
        expected.command = ["sh"]
        example.expected(&expected)
        #expect(lowered.config == expected)
        #expect(lowered.history == example.history)
    }

    @Test("WORKDIR makes the directory, for the user of its place")
    func workingDirectory() async throws {
        let lowered = try await lower("FROM alpine\nWORKDIR /a/../b/\nUSER app:7\nWORKDIR c")
        let ops = lowered.chain.dropFirst().map(\.op)
        #expect(
            ops == [
                .file(FileOp(base: 0, actions: [.makeDirectory(path: "/b", mode: 0o755, owner: nil)])),
                .file(
                    FileOp(
                        base: 0,
                        actions: [
                            .makeDirectory(path: "/b/c", mode: 0o755, owner: Owner(user: "app", group: "7"))
                        ])),
            ])
        #expect(lowered.chainNames.last == "[3/3] WORKDIR c")
    }

    @Test("MAINTAINER is the author")
    func maintainer() async throws {
        let lowered = try await lower("FROM alpine\nMAINTAINER Ann <ann@example.com>")
        #expect(lowered.plan.configuration.author == "Ann <ann@example.com>")
        #expect(lowered.history == ["(MAINTAINER Ann <ann@example.com>)"])
    }

    @Test("an image from scratch says what docker's says")
    func scratch() async throws {
        let platform = Platform(os: "linux", architecture: "arm", variant: "v6")
        let lowered = try await lower("FROM scratch", BuildOptions(platform: platform))
        #expect(lowered.plan.configuration.platform == platform)
        #expect(lowered.config.workingDirectory == "/")
        #expect(
            lowered.config.environment == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            ])
        #expect(lowered.definition.vertices.isEmpty)
        #expect(lowered.definition.outputs.map { $0 == nil } == [true])
    }

    @Test("the base hands down what an image is made of, and not how it was made itself")
    func inheritance() async throws {
        let base = FakeResolver.image("base") { image in
            image.created = Timestamp(seconds: 1)
            image.author = "Ann"
            image.otherMembers["docker_version"] = "1.0"
            image.otherMembers["os.features"] = ["x"]
            image.config.otherMembers["Hostname"] = "abc"
            image.config.labels = ["base": "1", "both": "base"]
            image.config.user = "app"
        }
        let options = BuildOptions(labels: ["both": "option"])
        let lowered = try await lower(
            "FROM base\nLABEL both=file own=2", options, resolver: FakeResolver(images: ["base:latest": base]))
        let image = lowered.plan.configuration
        #expect(image.created == nil)
        #expect(image.author == "Ann")
        #expect(image.otherMembers.keys == ["os.features"])
        #expect(image.config.otherMembers.isEmpty)
        #expect(image.config.labels == ["base": "1", "both": "option", "own": "2"])
        #expect(image.config.user == "app")
        #expect(image.diffIDs == base.diffIDs)
        #expect(image.history.first?.createdBy == base.history.first?.createdBy)
    }

    @Test("a platform that was asked for is written down; else the base image's stays")
    func platforms() async throws {
        let arm = FakeResolver.image("tools", platform: Platform(os: "linux", architecture: "arm64", variant: "v9"))
        let resolver = FakeResolver(images: ["tools:latest": arm])
        let amd64 = Platform(os: "linux", architecture: "amd64")
        let implicit = try await lower("FROM tools", BuildOptions(buildPlatform: amd64), resolver: resolver)
        #expect(implicit.plan.configuration.platform == arm.platform)
        #expect(implicit.plan.stages[0].baseImage?.configuration == arm)
        let explicit = try await lower("FROM tools", BuildOptions(platform: amd64), resolver: resolver)
        #expect(explicit.plan.configuration.platform == amd64)
    }

    @Test("a base image is resolved for the platform that FROM says")
    func fromPlatform() async throws {
        let options = BuildOptions(
            platform: Platform(os: "linux", architecture: "arm64"),
            buildPlatform: Platform(os: "linux", architecture: "amd64"))
        let text = """
            ARG ARCH=riscv64
            FROM --platform=$BUILDPLATFORM golang AS builder
            RUN build
            FROM --platform=linux/$ARCH tools AS tools
            RUN tools
            FROM alpine
            COPY --from=builder /a /a
            COPY --from=tools /b /b
            COPY --from=busybox /c /c
            """
        #expect(
            try await lower(text, options).resolver.requests == [
                "alpine:latest linux/arm64", "busybox:latest linux/arm64", "golang:latest linux/amd64",
                "tools:latest linux/riscv64",
            ])
    }

    @Test("the epoch dates new history entries", arguments: ["option", "argument", "global"])
    func epoch(from place: String) async throws {
        var options = BuildOptions()
        if place == "option" { options.sourceDateEpoch = Timestamp(seconds: 7) }
        if place == "argument" { options.buildArguments["SOURCE_DATE_EPOCH"] = "7" }
        let global = place == "global" ? "ARG SOURCE_DATE_EPOCH=7\n" : "ARG SOURCE_DATE_EPOCH\n"
        let lowered = try await lower(global + "FROM alpine\nENV A=b\nRUN true", options)
        #expect(lowered.plan.configuration.history.map(\.created?.seconds) == [nil, 7, 7])
    }

    @Test(
        "a reproducible build shows commands the epoch, dates files by it, and has another key; others know nothing of it"
    )
    func reproducible() async throws {
        let text = "FROM alpine\nWORKDIR /app\nCOPY a /a\nRUN true"
        func ops(_ options: BuildOptions, _ text: String = text) async throws -> ([String?], [Timestamp?]) {
            var values: [String?] = []
            var times: [Timestamp?] = []
            for vertex in try await lower(text, options).plan.definition.vertices {
                if case .exec(let exec) = vertex.op {
                    values.append(exec.environment.last { $0.hasPrefix("SOURCE_DATE_EPOCH=") })
                }
                if case .file(let file) = vertex.op { times.append(file.time) }
            }
            return (values, times)
        }
        var options = BuildOptions()
        options.fallbackEpoch = Timestamp(seconds: 9)
        #expect(try await ops(options) == ([nil], [nil, nil]))
        options.isReproducible = true
        let time = Timestamp(seconds: 9)
        #expect(try await ops(options) == (["SOURCE_DATE_EPOCH=9"], [time, time]))
        #expect(try await lower(text, options).plan.sourceDateEpoch == time)
        options.buildArguments["SOURCE_DATE_EPOCH"] = "7"
        #expect(try await ops(options).0 == ["SOURCE_DATE_EPOCH=7"])
        #expect(try await ops(options, "FROM alpine\nENV SOURCE_DATE_EPOCH=5\nRUN true").0 == ["SOURCE_DATE_EPOCH=5"])
        options.buildArguments = [:]
        options.fallbackEpoch = nil
        #expect(try await ops(options) == ([nil], [nil, nil]))
    }
}
