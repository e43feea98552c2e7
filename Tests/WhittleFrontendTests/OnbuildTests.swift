import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("ONBUILD")
struct OnbuildTests {
    private func resolver(_ triggers: [String]) -> FakeResolver {
        FakeResolver(images: ["base:latest": FakeResolver.image("base") { $0.config.onBuild = triggers }])
    }

    @Test("triggers of the base image run first, once, at the FROM")
    func image() async throws {
        let triggers = ["COPY . /src", "RUN make", "ENV A=b", "WORKDIR /src"]
        let lowered = try await lower("FROM base\nRUN own\nONBUILD RUN later", resolver: resolver(triggers))
        #expect(
            lowered.chainNames.dropFirst() == [
                "[2/5] ONBUILD COPY . /src", "[3/5] ONBUILD RUN make", "[4/5] ONBUILD WORKDIR /src", "[5/5] RUN own",
            ])
        #expect(lowered.config.onBuild == ["RUN later"])
        #expect(lowered.config.environment.last == "A=b")
        #expect(lowered.chain[1].metadata.location?.range.start == SourcePosition(line: 1, column: 1))
        #expect(
            lowered.history == [
                "COPY . /src # buildkit", "RUN /bin/sh -c make # buildkit", "(ENV A=b)", "WORKDIR /src",
                "RUN /bin/sh -c own # buildkit",
            ])
    }

    @Test("triggers of a base stage run in the stage on top, and not in the one after")
    func stage() async throws {
        let text = """
            FROM alpine AS base
            ONBUILD RUN trigger
            FROM base AS middle
            RUN middle
            FROM middle
            RUN top
            """
        let lowered = try await lower(text)
        #expect(lowered.execs.compactMap(\.arguments.last) == ["trigger", "middle", "top"])
        #expect(lowered.config.onBuild.isEmpty)
    }

    @Test("a trigger may need stages and images of its own")
    func dependencies() async throws {
        let triggers = ["COPY --from=tools /t /t", "RUN --mount=from=busybox,target=/b true"]
        let lowered = try await lower(
            "FROM alpine AS tools\nRUN tools\nFROM base", resolver: resolver(triggers))
        #expect(lowered.plan.stages.map(\.isBuilt) == [true, true])
        #expect(lowered.resolver.requests.contains("busybox:latest \(Platform.host)"))
    }

    @Test("a heredoc in a trigger is a document")
    func heredoc() async throws {
        let lowered = try await lower("FROM base", resolver: resolver(["RUN <<EOF\necho a\nEOF"]))
        #expect(lowered.execs.last?.arguments == ["/bin/sh", "-c", "echo a\n"])
    }

    @Test(
        "a trigger that cannot run is told at the FROM, with its base",
        arguments: ["FROM x", "NOPE x", "COPY x", "RUN a\nRUN b"])
    func invalid(trigger: String) async throws {
        let error = try await failure(of: "FROM alpine AS a\nFROM base", resolver: resolver([trigger]))
        #expect(
            error.summary.hasPrefix(
                "2:6 invalid-trigger: base 'base' asks to run 'ONBUILD \(trigger.prefix { $0 != "\n" })', which cannot be done"
            ))
        #expect(error.cause != nil)
    }

    @Test("a trigger that copies from its own stage is a circle")
    func circle() async throws {
        let error = try await failure(of: "FROM base AS me", resolver: resolver(["COPY --from=me /a /b"]))
        #expect(error.code.rawValue == "circular-dependency")
    }

    @Test("images that only lend files do not run their triggers")
    func lent() async throws {
        let lowered = try await lower("FROM alpine\nCOPY --from=base /a /b", resolver: resolver(["RUN trigger"]))
        #expect(lowered.execs.isEmpty)
    }
}
