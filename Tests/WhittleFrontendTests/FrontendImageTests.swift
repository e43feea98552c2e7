import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph

@Suite("The frontend that a Dockerfile asks for")
struct FrontendImageTests {
    @Test(
        "docker's own is built in",
        arguments: [
            "docker/dockerfile", "docker/dockerfile:1", "docker.io/docker/dockerfile:1.4",
            "docker/dockerfile-upstream:master",
            "index.docker.io/docker/dockerfile:1-labs", "docker/dockerfile:1 --flag",
        ])
    func builtIn(name: String) async throws {
        _ = try await lower("# syntax=\(name)\nFROM alpine")
        _ = try await lower(
            "# syntax=x.test/other\nFROM alpine", BuildOptions(buildArguments: ["BUILDKIT_SYNTAX": name]))
    }

    @Test(
        "another one is refused at the directive",
        arguments: [
            "x.test/docker/dockerfile:1", "docker/buildkit-frontend", "tonistiigi/dockerfile:runmount20180607", "??",
        ])
    func other(name: String) async throws {
        let error = try await failure(of: "# escape=`\n#syntax=\(name)\nFROM alpine")
        #expect(error.code == .unsupportedFrontend)
        #expect(error.location?.range.start == SourcePosition(line: 2, column: 9))
        #expect(error.message.hasPrefix("the frontend '\(name)' cannot be run"))
        let argument = try await failure(
            of: "# syntax=docker/dockerfile:1\nFROM alpine", BuildOptions(buildArguments: ["BUILDKIT_SYNTAX": name]))
        #expect(argument.code == .unsupportedFrontend && argument.location == nil)
    }

    @Test("SOURCE_DATE_EPOCH=context is the context's time, and nothing where it has none")
    func contextEpoch() async throws {
        var options = BuildOptions(buildArguments: ["SOURCE_DATE_EPOCH": "context"])
        let without = try await lower("FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN a", options)
        #expect(without.plan.sourceDateEpoch == nil)
        #expect(without.execs[0].environment.contains("SOURCE_DATE_EPOCH="))
        #expect(without.warnings.contains { $0.hasPrefix("SOURCE_DATE_EPOCH=context has no effect") })
        options.contextTime = Timestamp(seconds: 1_700_000_000)
        let with = try await lower("FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN a", options)
        #expect(with.plan.sourceDateEpoch == Timestamp(seconds: 1_700_000_000))
        #expect(with.execs[0].environment.contains("SOURCE_DATE_EPOCH=1700000000"))
        #expect(with.warnings == [])
        options.buildArguments = [:]
        let global = try await lower(
            "ARG SOURCE_DATE_EPOCH=context\nFROM alpine\nARG SOURCE_DATE_EPOCH\nRUN a", options)
        #expect(global.plan.sourceDateEpoch == options.contextTime)
        #expect(global.execs[0].environment.contains("SOURCE_DATE_EPOCH=1700000000"))
    }

    @Test("an epoch that is none is told, with what was probably meant")
    func invalidEpoch() async throws {
        let error = try await failure(of: "ARG SOURCE_DATE_EPOCH=contxt\nFROM alpine")
        #expect(
            error.summary == "1:23 invalid-source-date-epoch: SOURCE_DATE_EPOCH 'contxt' is no number of seconds "
                + "| did you mean 'context'?")
        for text in ["-1", "1e3", "253402300800", "2024-01-01"] {
            let error = try await failure(of: "FROM alpine", BuildOptions(buildArguments: ["SOURCE_DATE_EPOCH": text]))
            #expect(error.code == .invalidEpoch && error.location == nil)
        }
    }
}
