import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("Variables")
struct VariableTests {
    @Test("FROM sees global arguments, with build arguments before defaults")
    func globalArguments() async throws {
        let text = """
            ARG VERSION=16
            ARG IMAGE=node:${VERSION}-alpine
            FROM ${IMAGE}
            """
        #expect(try await lower(text).resolver.requests == ["node:16-alpine \(Platform.host)"])
        let given = try await lower(text, BuildOptions(buildArguments: ["VERSION": "18", "UNUSED": "x"]))
        #expect(given.resolver.requests == ["node:18-alpine \(Platform.host)"])
    }

    @Test("a stage sees a global argument only after declaring it")
    func stageArguments() async throws {
        let text = """
            ARG VERSION=1
            FROM alpine
            ENV BEFORE=x$VERSION
            ARG VERSION
            ENV AFTER=x$VERSION
            """
        let lowered = try await lower(text)
        #expect(lowered.config.environment == ["PATH=/bin", "BEFORE=x", "AFTER=x1"])
        #expect(lowered.history == ["(ENV BEFORE=x)", "(ARG VERSION=1)", "(ENV AFTER=x1)"])
    }

    struct Precedence: Sendable, CustomTestStringConvertible {
        let lines: String
        var arguments: [String: String] = [:]
        let value: String?
        var testDescription: String { lines.replacing("\n", with: "; ") }
    }

    static let precedence: [Precedence] = [
        Precedence(lines: "ARG A", value: nil),
        Precedence(lines: "ARG A=1", value: "1"),
        Precedence(lines: "ARG A=1", arguments: ["A": "2"], value: "2"),
        Precedence(lines: "ARG A", arguments: ["A": "2"], value: "2"),
        Precedence(lines: "ENV A=3", arguments: ["A": "2"], value: "3"),
        Precedence(lines: "ARG A=1\nENV A=3", arguments: ["A": "2"], value: "3"),
        Precedence(lines: "ENV A=3\nARG A", value: "3"),
        Precedence(lines: "ENV A=3\nARG A=1", value: "1"),
        Precedence(lines: "ARG A=1\nARG A", value: "1"),
        Precedence(lines: "ARG A=1\nARG A=2", value: "2"),
        Precedence(lines: "ARG B=1 A=${B}2", value: "12"),
        Precedence(lines: "ARG A='$B \"x\"'", value: "$B \"x\""),
        Precedence(lines: "ARG A=$UNSET", value: ""),
        Precedence(lines: "ARG A=$GLOBAL", value: ""),
        Precedence(lines: "ARG GLOBAL\nARG A=$GLOBAL", value: "g"),
        Precedence(lines: "ARG GLOBAL=own\nARG A=$GLOBAL", value: "own"),
        Precedence(lines: "ENV A=1\nENV A=${A}2 B=$A\nENV A=$B", value: "1"),
        Precedence(lines: "ENV A=${B:-x} B=y", value: "x"),
        Precedence(lines: "ARG A=$TARGETARCH", value: ""),
        Precedence(lines: "ARG TARGETARCH\nARG A=$TARGETARCH", value: "arm64"),
        Precedence(
            lines: "ARG BUILDPLATFORM TARGETPLATFORM\nARG A=$BUILDPLATFORM-$TARGETPLATFORM",
            value: "linux/amd64-linux/arm64"),
        Precedence(lines: "ARG TARGETSTAGE\nARG A=$TARGETSTAGE", value: "default"),
        Precedence(lines: "ARG TARGETARCH=x\nARG A=$TARGETARCH", value: "x"),
        Precedence(lines: "ARG TARGETARCH\nARG A=$TARGETARCH", arguments: ["TARGETARCH": "y"], value: "y"),
    ]

    @Test("a step sees the value that wins", arguments: precedence)
    func winner(example: Precedence) async throws {
        let options = BuildOptions(
            buildArguments: example.arguments, platform: Platform(os: "linux", architecture: "arm64"),
            buildPlatform: Platform(os: "linux", architecture: "amd64"))
        let lowered = try await lower("ARG GLOBAL=g\nFROM alpine\n\(example.lines)\nRUN true", options)
        let environment = try #require(lowered.execs.first).environment
        #expect(environment.filter { $0.hasPrefix("A=") } == example.value.map { ["A=\($0)"] } ?? [])
    }

    @Test("the variables of a stage below an ENV image are the image's")
    func imageOverStageArgument() async throws {
        let text = """
            FROM alpine AS base
            ARG A=argument
            ENV A=image
            ARG A=later
            FROM base
            RUN true
            """
        #expect(try await lower(text).execs.first?.environment.contains("A=image") == true)
    }

    @Test("a build argument changes exactly the steps that see it")
    func keys() async throws {
        let text = """
            FROM alpine
            RUN before
            ARG A
            RUN after
            """
        func digests(_ arguments: [String: String]) async throws -> [Digest] {
            try await lower(text, BuildOptions(buildArguments: arguments)).chain.map(\.digest)
        }
        let plain = try await digests([:])
        let unseen = try await digests(["B": "1"])
        let seen = try await digests(["A": "1"])
        #expect(plain == unseen)
        #expect(plain[0..<2] == seen[0..<2])
        #expect(plain[2] != seen[2])
    }

    @Test("proxies reach steps undeclared, and are no part of keys or history")
    func proxies() async throws {
        let arguments = ["HTTP_PROXY": "http://p:1", "no_proxy": "localhost", "ALL_PROXY": ""]
        let lowered = try await lower("FROM alpine\nRUN true", BuildOptions(buildArguments: arguments))
        let plain = try await lower("FROM alpine\nRUN true")
        let exec = try #require(lowered.execs.first)
        #expect(
            exec.uncachedEnvironment == [
                "HTTP_PROXY=http://p:1", "http_proxy=http://p:1", "NO_PROXY=localhost", "no_proxy=localhost",
            ])
        #expect(exec.environment == ["PATH=/bin"])
        #expect(lowered.chain.map(\.digest) == plain.chain.map(\.digest))
        #expect(lowered.history == ["RUN /bin/sh -c true # buildkit"])
    }

    @Test("a declared argument stands in front of the command in the history, as docker shows it")
    func runHistory() async throws {
        let text = """
            FROM alpine
            ARG A=1
            ARG B
            ARG A=2
            ENV B=env
            RUN true
            """
        #expect(try await lower(text).history.last == "RUN |2 A=2 B=env /bin/sh -c true # buildkit")
    }

    @Test("undefined variables are empty")
    func undefined() async throws {
        let text = """
            FROM alpine
            ENV VERSION=1
            COPY file$VERSOIN /x
            ARG DECLARED
            WORKDIR /a$DECLARED
            USER ${OTHER:-root}
            """
        let lowered = try await lower(text)
        #expect(lowered.copies.first?.sources == ["/file"])
        #expect(lowered.config.workingDirectory == "/a")
    }

    @Test("a build argument that no ARG declares is warned about, with the name that was probably meant")
    func undeclaredArguments() async throws {
        let text = "ARG GLOBAL\nFROM alpine AS other\nARG VERSION=1\nFROM alpine\nARG TARGETARCH\n"
        var options = BuildOptions()
        for name in ["VERSON", "VERSION", "GLOBAL", "TARGETOS", "no_proxy", "HTTPS_PROXY", "BUILDKIT_BUILD_NAME"] {
            options.buildArguments[name] = "v"
        }
        options.buildArguments["SOURCE_DATE_EPOCH"] = "1"
        let lowered = try await lower(text, options)
        #expect(
            lowered.warnings == [
                "the build argument 'VERSON' is declared by no ARG and does nothing (did you mean 'VERSION'?)"
            ])
    }

    @Test("variables that double each other end in an error, not in memory")
    func doubling() async throws {
        let lines = (0..<60).map { _ in "ENV A=$A$A$A$A" }.joined(separator: "\n")
        let error = try await failure(of: "FROM scratch\nENV A=aaaaaaaa\n" + lines)
        #expect(error.code.rawValue == "expansion-too-long")
        let wide =
            "FROM scratch\nENV A=\(String(repeating: "a", count: 100_000))\nENV B="
            + String(repeating: "$A", count: 10_000)
        #expect(try await failure(of: wide).code.rawValue == "expansion-too-long")
        let long = String(repeating: "a", count: 100_000)
        let product = "FROM scratch\nENV A=\(long) B=\(long)\nENV C=${A//a/$B}"
        #expect(try await failure(of: product).code.rawValue == "bad-substitution")
    }

    @Test("the escape directive changes what escapes a variable")
    func escape() async throws {
        let backslash = try await lower("FROM alpine\nENV A=\\$PATH")
        #expect(backslash.config.environment.last == "A=$PATH")
        let backtick = try await lower("# escape=`\nFROM alpine\nENV A=`$PATH B=\\$PATH")
        #expect(backtick.config.environment.suffix(2) == ["A=$PATH", "B=\\/bin"])
    }
}
