import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("Stages")
struct StageTests {
    private static let threeStages = """
        FROM alpine AS one
        RUN echo one
        FROM debian AS Two
        RUN echo two
        FROM ubuntu
        COPY --from=one /a /b
        """

    @Test("only the stages that the target needs are built, and only their images resolved")
    func pruning() async throws {
        let lowered = try await lower(Self.threeStages)
        #expect(lowered.resolver.requests == ["alpine:latest \(Platform.host)", "ubuntu:latest \(Platform.host)"])
        #expect(lowered.plan.stages.map(\.isBuilt) == [true, false, true])
        #expect(lowered.plan.stages.map(\.name) == ["one", "two", nil])
        #expect(!lowered.names.contains { $0.contains("echo two") })
    }

    @Test(
        "a target is found by name in any casing, and by number",
        arguments: [("one", 0), ("ONE", 0), ("two", 1), ("0", 0), ("2", 2)])
    func target(name: String, index: Int) async throws {
        let lowered = try await lower(Self.threeStages, BuildOptions(target: name))
        #expect(lowered.plan.targets.map(\.stage) == [index])
    }

    @Test("additional targets are further outputs")
    func additionalTargets() async throws {
        let lowered = try await lower(Self.threeStages, BuildOptions(additionalTargets: ["two"]))
        #expect(lowered.plan.targets.map(\.stage) == [2, 1])
        #expect(lowered.definition.outputs.count == 2)
        #expect(
            lowered.definition.layerChain(of: lowered.definition.outputs[1]).last?.metadata.name
                == "[two 2/2] RUN echo two")
    }

    @Test("steps are named as BuildKit names them")
    func names() async throws {
        let text = """
            FROM node:16 AS builder
            WORKDIR /app
            RUN npm ci
            FROM node:16-alpine
            ENV A=b
            COPY --from=builder /app/dist ./dist
            """
        let lowered = try await lower(text)
        let digest = { (name: String) in "\(Digest(hashing: "index of \(name)").description.prefix(14))" }
        #expect(
            Set(lowered.names) == [
                "[builder 1/3] FROM docker.io/library/node:16@\(digest("node:16"))", "[builder 2/3] WORKDIR /app",
                "[builder 3/3] RUN npm ci",
                "[stage-1 1/2] FROM docker.io/library/node:16-alpine@\(digest("node:16-alpine"))",
                "[stage-1 2/2] COPY --from=builder /app/dist ./dist",
            ])
    }

    @Test("a single stage has no name, numbers are as wide as the total, scratch is no step")
    func singleStageNames() async throws {
        let runs = (1...10).map { "RUN echo \($0)" }.joined(separator: "\n")
        let single = try await lower("FROM alpine AS only\n" + runs)
        #expect(single.chainNames.dropFirst().first == "[ 2/11] RUN echo 1")
        #expect(single.chainNames.last == "[11/11] RUN echo 10")
        let scratch = try await lower("FROM scratch\nCOPY a /a\nFROM scratch\nCOPY b /b")
        #expect(scratch.chainNames == ["[stage-1 1/1] COPY b /b"])
    }

    @Test("every step knows its stage, its lines and its history")
    func metadata() async throws {
        let lowered = try await lower("FROM alpine AS base\n\nRUN a && \\\n  b\nCOPY x /y\n")
        let run = try lowered.vertex("RUN a &&   b").metadata
        #expect(run.stage == "base")
        #expect(run.location?.range.start == SourcePosition(line: 3, column: 1))
        #expect(run.location?.range.end.line == 4)
        #expect(run.location?.lines == ["RUN a && \\", "  b"])
        #expect(run.history == "RUN /bin/sh -c a &&   b # buildkit")
    }

    @Test("the target's layers and the history entries that make layers are the same number")
    func alignment() async throws {
        let text = """
            FROM alpine
            ENV A=b
            WORKDIR /app
            WORKDIR /
            COPY --link a /a
            COPY --link --chmod=700 a /b
            ADD x.tar /x
            RUN true
            USER app
            WORKDIR sub
            LABEL a=b
            """
        let lowered = try await lower(text)
        let layers = lowered.plan.configuration.history.filter { !$0.isEmptyLayer }
        #expect(layers.count == lowered.plan.configuration.diffIDs.count + lowered.chain.count - 1)
        #expect(layers.dropFirst().map(\.createdBy) == lowered.chain.dropFirst().map(\.metadata.history))
    }

    @Test("a history that does not fit the base image's layers is made to fit")
    func baseHistory() async throws {
        func entries(_ emptyLayers: [Bool], layers: Int) async throws -> [Bool] {
            let image = FakeResolver.image("base") { image in
                image.diffIDs = (0..<layers).map { Digest(hashing: "\($0)") }
                image.history = emptyLayers.map { HistoryEntry(isEmptyLayer: $0) }
            }
            let lowered = try await lower("FROM base", resolver: FakeResolver(images: ["base:latest": image]))
            return lowered.plan.configuration.history.map(\.isEmptyLayer)
        }
        #expect(try await entries([], layers: 2) == [false, false])
        #expect(try await entries([false, true, false, false], layers: 1) == [false, true, true, true])
        #expect(try await entries([true, false], layers: 2) == [true, false, false])
    }

    @Test("FROM a stage begins with its files, its configuration and its arguments")
    func inheritance() async throws {
        let text = """
            FROM alpine AS base
            ARG SHARED=1
            ENV A=$SHARED
            WORKDIR /srv
            CMD ["base"]
            FROM base
            RUN echo $SHARED
            ENTRYPOINT ["run"]
            """
        let lowered = try await lower(text)
        #expect(lowered.config.environment == ["PATH=/bin", "A=1"])
        #expect(lowered.config.workingDirectory == "/srv")
        #expect(lowered.config.command == nil)
        let exec = try #require(lowered.execs.first)
        #expect(exec.environment.contains("SHARED=1"))
        #expect(exec.workingDirectory == "/srv")
        #expect(lowered.history.contains("RUN |1 SHARED=1 /bin/sh -c echo $SHARED # buildkit"))
    }

    @Test("FROM names stages only above itself, in lower case; --from names all of them in any casing")
    func lookup() async throws {
        let own = try await lower("FROM alpine AS alpine\nRUN true")
        #expect(own.resolver.requests == ["alpine:latest \(Platform.host)"])
        let casing = try await lower("FROM alpine AS Base\nRUN true\nFROM scratch\nCOPY --from=BASE /a /a")
        #expect(casing.plan.stages.map(\.isBuilt) == [true, true])
        let error = try await failure(of: "FROM alpine AS Base\nRUN true\nFROM Base")
        #expect(
            error.summary
                == "3:6 invalid-image-reference: invalid image name 'Base': the repository must be lower case "
                + "| did you mean the stage 'base'?")
    }

    @Test("--from takes a stage's number, an image, a named context and scratch")
    func copySources() async throws {
        let text = """
            FROM alpine AS base
            RUN true
            FROM scratch
            COPY --from=0 /a /a
            COPY --from=busybox:1.36 /b /b
            COPY --from=Busybox /c /c
            COPY --from=files /d /d
            COPY --from=scratch /e /e
            """
        let options = BuildOptions(namedContexts: ["files": .directory(path: "/srv/files", ignore: IgnoreRules())])
        let error = try await failure(of: text, options)
        #expect(error.code.rawValue == "invalid-image-reference")
        let lowered = try await lower(text.replacing("Busybox", with: "busybox:1.36"), options)
        #expect(lowered.plan.localSources == ["files"])
        #expect(lowered.resolver.requests.contains("busybox:1.36 \(Platform.host)"))
        #expect(lowered.names.count { $0.hasPrefix("FROM docker.io/library/busybox:1.36") } == 1)
        #expect(lowered.plan.baseImages.count == 2)
    }

    @Test("equal requests for an image are resolved once, other platforms apart")
    func resolution() async throws {
        let text = """
            FROM --platform=linux/arm64 alpine AS a
            RUN true
            FROM alpine:latest AS b
            RUN false
            FROM docker.io/library/alpine
            COPY --from=a / /
            COPY --from=b / /
            COPY --from=alpine / /
            """
        let lowered = try await lower(text, BuildOptions(buildPlatform: Platform(os: "linux", architecture: "amd64")))
        #expect(lowered.resolver.requests == ["alpine:latest linux/amd64", "alpine:latest linux/arm64"])
    }

    @Test("steps ignore the cache where the build or a filter says so")
    func cacheFilter() async throws {
        func ignoring(_ options: BuildOptions) async throws -> [String] {
            try await lower("FROM alpine AS a\nRUN one\nFROM a AS B\nRUN two\nCOPY x /x", options)
                .definition.vertices.filter(\.metadata.ignoresCache).map { "\($0.metadata.name.suffix(7))" }
        }
        #expect(try await ignoring(BuildOptions()).isEmpty)
        #expect(try await ignoring(BuildOptions(noCache: true)) == ["RUN one", "RUN two", "PY x /x"])
        #expect(try await ignoring(BuildOptions(noCacheFilter: ["b"])) == ["RUN two", "PY x /x"])
        #expect(try await ignoring(BuildOptions(noCacheFilter: ["A"])) == ["RUN one"])
        let unknown = try await lower("FROM alpine AS base", BuildOptions(noCacheFilter: ["bse"]))
        #expect(unknown.warnings == ["--no-cache-filter 'bse' names no stage (did you mean 'base'?)"])
    }

    @Test("unused stages may hold what cannot be built")
    func unusedStages() async throws {
        let text = """
            FROM missing AS unused
            ADD https://example.com/x /x
            COPY --chown=a:b:c x /x
            FROM alpine
            """
        let lowered = try await lower(text, resolver: FakeResolver(missing: ["missing:latest"]))
        #expect(lowered.plan.stages.map(\.isBuilt) == [false, true])
    }

    @Test("a thousand stages in a row are lowered without recursion")
    func manyStages() async throws {
        var text = "FROM scratch AS s0\n"
        for index in 1...1000 { text += "FROM s\(index - 1) AS s\(index)\nRUN \(index)\n" }
        #expect(try await lower(text).chain.count == 1000)
    }
}
