import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph
import WhittleOCI

@Suite("Builds for several platforms")
struct PlatformTests {
    private static let host = Platform(os: "linux", architecture: "amd64")

    private static func options(_ platform: Platform, shows: Bool = true) -> BuildOptions {
        var options = BuildOptions(platform: platform, buildPlatform: host)
        options.showsPlatforms = shows
        return options
    }

    private static let dockerfile = """
        FROM --platform=$BUILDPLATFORM golang AS build
        RUN go mod download
        FROM build AS cross
        ARG TARGETARCH
        ARG TARGETVARIANT
        RUN go build
        FROM build AS named
        ARG TARGETPLATFORM
        RUN echo
        FROM alpine
        COPY --from=cross /app /
        COPY --from=named /app /
        """

    @Test("steps are shown with their stage's platform, and with the target that they see")
    func names() async throws {
        let lowered = try await lower(
            Self.dockerfile, Self.options(Platform(os: "linux", architecture: "arm", variant: "v7")))
        let names = lowered.names.map { $0.prefix { $0 != "@" } }.sorted()
        #expect(
            names == [
                "[linux/amd64 build 1/2] FROM docker.io/library/golang:latest",
                "[linux/amd64 build 2/2] RUN go mod download", "[linux/amd64->arm/v7 cross 1/1] RUN go build",
                "[linux/amd64->arm/v7 named 1/1] RUN echo",
                "[linux/arm/v7 stage-3 1/3] FROM docker.io/library/alpine:latest",
                "[linux/arm/v7 stage-3 2/3] COPY --from=cross /app /",
                "[linux/arm/v7 stage-3 3/3] COPY --from=named /app /",
            ])
        let plain = try await lower(
            Self.dockerfile, Self.options(Platform(os: "linux", architecture: "arm64"), shows: false))
        #expect(plain.names.allSatisfy { !$0.contains("linux/") })
    }

    @Test("what is done on the build platform is one vertex for all targets")
    func shared() async throws {
        let plans = try await [Self.host, Platform(os: "linux", architecture: "arm64")].async { platform in
            try await lower(Self.dockerfile, Self.options(platform)).plan.definition
        }
        let merged = Definition.merging(plans, named: [nil, nil])
        #expect(merged.vertices.count { $0.metadata.name.hasSuffix("RUN go mod download") } == 1)
        #expect(merged.vertices.count { $0.metadata.name.hasSuffix("RUN go build") } == 2)
        #expect(merged.outputs.count == 2)
    }

    @Test("a target that serves as a context is taken in the platform that asks for it")
    func contexts() async throws {
        let platforms = [Self.host, Platform(os: "linux", architecture: "arm64")]
        let bases = try await platforms.async { platform in
            PlannedContext(
                name: "base", plan: try await lower("FROM alpine\nENV AT=$TARGETARCH", Self.options(platform)).plan)
        }
        var options = Self.options(platforms[1])
        options.namedContexts["base"] = .planned(bases)
        let lowered = try await lower("FROM base\nRUN true", options)
        #expect(lowered.plan.configuration.platform == platforms[1])
        #expect(lowered.plan.definition.vertices.contains { $0.digest == bases[1].plan.definition.vertices[0].digest })

        options.platform = Platform(os: "linux", architecture: "s390x")
        #expect(
            try await failure(of: "FROM base", options).summary
                == "1:6 context-platform: the target behind 'base' is not built for linux/s390x | "
                + "its platforms are linux/amd64, linux/arm64; add linux/s390x to them")
        options.namedContexts["base"] = .planned([bases[0]])
        #expect(try await lower("FROM base", options).plan.definition.vertices.count == 1)
    }
}

extension Array {
    /// The results of `body` for each element, one after the other.
    fileprivate func async<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
