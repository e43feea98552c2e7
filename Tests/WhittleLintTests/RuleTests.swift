import Testing
import WhittleCore
import WhittleDockerfile
import WhittleLint
import WhittleOCI

/// When each rule fires, and at which lines.
@Suite("Lint rules")
struct RuleTests {
    /// A Dockerfile with what is found in it.
    struct Example: CustomTestStringConvertible, Sendable {
        let name: String
        let text: String
        let found: [String]
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ found: String...) {
            self.name = name
            self.text = text
            self.found = found
        }
    }

    static let examples: [Example] = [
        Example("upper case in a stage name", "FROM scratch AS Build\n", "StageNameCasing:1"),
        Example("lower-case as behind FROM", "FROM scratch as a\n", "FromAsCasing:1"),
        Example("upper-case AS behind from", "from scratch AS a\n", "FromAsCasing:1"),
        Example("mixed casing of FROM is one finding", "From scratch as a\n", "ConsistentInstructionCasing:1"),
        Example(
            "an empty continued line, at the last line", "FROM scratch\nCOPY a \\\n\n  b \\\n\n /\nCOPY c /\n",
            "NoEmptyContinuation:6"),
        Example(
            "an empty continued line in front of a heredoc", "FROM scratch\nCOPY \\\n\n <<EOF /a\n\nEOF\n",
            "NoEmptyContinuation:4"),
        Example(
            "the casing of most instructions", "FROM scratch\ncopy a /\nCOPY b /\n", "ConsistentInstructionCasing:2"),
        Example("as many lower as upper: upper wins", "from scratch\nCOPY a /\n", "ConsistentInstructionCasing:1"),
        Example("an ARG above FROM has no casing", "arg A=1\nFROM scratch\nCOPY a /\n"),
        Example(
            "two stages of a name", "FROM scratch AS b\nFROM scratch AS B\n", "DuplicateStageName:2",
            "StageNameCasing:2"),
        Example(
            "reserved names", "FROM scratch AS scratch\nFROM scratch AS context\n", "ReservedStageName:1",
            "ReservedStageName:2"),
        Example("a CMD for the shell", "FROM scratch\nCMD run\n", "JSONArgsRecommended:2"),
        Example("an ENTRYPOINT for the shell", "FROM scratch\nENTRYPOINT run\n", "JSONArgsRecommended:2"),
        Example("SHELL makes it a decision", "FROM scratch AS a\nSHELL [\"/bin/bash\", \"-c\"]\nFROM a\nCMD run\n"),
        Example("HEALTHCHECK may be for the shell", "FROM scratch\nHEALTHCHECK CMD run\n"),
        Example("MAINTAINER", "FROM scratch\nMAINTAINER me\n", "MaintainerDeprecated:2"),
        Example(
            "an unknown variable in FROM", "ARG tag=1\nFROM busybox:${tag}${version}\n", "UndefinedArgInFrom:2"),
        Example(
            "an unknown variable in the platform", "FROM --platform=$BULIDPLATFORM scratch\n", "UndefinedArgInFrom:1"),
        Example("an ARG without a value is declared", "ARG DEBUG\nFROM scratch${DEBUG}\n"),
        Example("a relative WORKDIR", "FROM scratch\nWORKDIR app/\nWORKDIR x\n", "WorkdirRelativePath:2"),
        Example("a relative WORKDIR on a stage that has one", "FROM scratch AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n"),
        Example("a WORKDIR by variable", "FROM scratch\nENV D=/srv\nWORKDIR $D\nWORKDIR x\n"),
        Example("an unknown variable", "FROM scratch\nCOPY $foo /\n", "UndefinedVar:2"),
        Example("once in each instruction", "FROM scratch\nCOPY $foo ${foo}x /$foo\n", "UndefinedVar:2"),
        Example("a variable of the stage below", "FROM scratch AS a\nARG f=x\nFROM a\nCOPY $f /\n"),
        Example(
            "a variable of another stage", "FROM scratch AS a\nARG f=x\nFROM scratch\nCOPY $f /\n", "UndefinedVar:4"),
        Example("an ARG without a value is no surprise", "FROM scratch\nARG foo\nCOPY a${foo} /\n"),
        Example("used above its ARG", "FROM scratch\nCOPY $foo /\nARG foo=a\n", "UndefinedVar:2"),
        Example("in ENV of itself", "FROM scratch\nENV PATH=$PAHT:/b\n", "UndefinedVar:2"),
        Example("a shell's own variables", "FROM scratch\nRUN echo $foo\nCMD [\"$foo\"]\n"),
        Example("in a heredoc that is expanded", "FROM scratch\nCOPY <<A <<'B' /\n$x\nA\n$y\nB\n", "UndefinedVar:2-6"),
        Example("in a mount", "FROM scratch\nRUN --mount=type=cache,target=$x true\n", "UndefinedVar:2"),
        Example("with a default, still not defined", "FROM scratch\nUSER ${u:-me}\n", "UndefinedVar:2"),
        Example("EXPOSE may use what is not set", "FROM scratch\nEXPOSE 80 $port\n"),
        Example(
            "several CMD, at those without effect", "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]\n",
            "MultipleInstructionsDisallowed:2", "MultipleInstructionsDisallowed:3"),
        Example(
            "several ENTRYPOINT and HEALTHCHECK",
            "FROM scratch\nENTRYPOINT [\"a\"]\nHEALTHCHECK NONE\nENTRYPOINT [\"a\"]\nHEALTHCHECK NONE\n",
            "MultipleInstructionsDisallowed:2", "MultipleInstructionsDisallowed:3"),
        Example("one CMD in each of two stages", "FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n"),
        Example(
            "ENV without =", "FROM scratch\nENV a b\nLABEL c d\n", "LegacyKeyValueFormat:2", "LegacyKeyValueFormat:3"),
        Example(
            "the platform that is the default", "FROM --platform=$TARGETPLATFORM scratch\n", "RedundantTargetPlatform:1"
        ),
        Example("in braces too", "FROM --platform=${TARGETPLATFORM} scratch\n", "RedundantTargetPlatform:1"),
        Example("the platform of the build", "FROM --platform=$BUILDPLATFORM scratch\n"),
        Example(
            "a constant platform", "FROM --platform=linux/amd64 scratch AS x\n", "FromPlatformFlagConstDisallowed:1"),
        Example("the stage says which", "FROM --platform=linux/amd64 scratch AS build_amd64\n"),
        Example("the stage says which system", "FROM --platform=linux/amd64 scratch AS linux\n"),
        Example(
            "words of secrets in names",
            """
            FROM scratch
            ARG SECRET_PASSPHRASE
            ENV SUPER_Secret=foo sunflower=a
            ENV password=bar secret=baz
            ARG auth
            ENV PUBLIC_KEY= monkey=1 keys=2
            ARG public_token TOKEN_VERSION
            ENV password_file=bar

            """, "SecretsUsedInArgOrEnv:2", "SecretsUsedInArgOrEnv:3", "SecretsUsedInArgOrEnv:4",
            "SecretsUsedInArgOrEnv:4", "SecretsUsedInArgOrEnv:5"),
        Example("an ARG that names no image", "ARG V\nFROM busybox:$V\n", "InvalidDefaultArgInFrom:2"),
        Example("an ARG that is the image", "ARG V=busybox\nFROM $V\n"),
        Example(
            "protocols", "FROM scratch\nEXPOSE 80/TcP 81/TCP 82/udp\n", "ExposeProtoCasing:2", "ExposeProtoCasing:2"),
        Example(
            "addresses and host ports", "FROM scratch\nEXPOSE 127.0.0.1:80:80 [::1]:8080:8080 5000:5000 8000\n",
            "ExposeInvalidFormat:2", "ExposeInvalidFormat:2", "ExposeInvalidFormat:2"),
        Example("experimental rules are silent", "# nothing\nFROM scratch AS a\n"),
        Example(
            "descriptions, where they are asked for",
            """
            # check=experimental=all
            # bar this is the bar
            ARG foo=bar
            # BasE this is the image
            FROM scratch AS base
            # bad
            ARG a=1 b=2
            # b is good

            ARG a=1 b=2
            # any text
            COPY a /

            """, "InvalidDefinitionDescription:3", "InvalidDefinitionDescription:5", "InvalidDefinitionDescription:7"),
        Example(
            "an ONBUILD of the stage below, at FROM", "FROM scratch AS a\nONBUILD COPY $x /\nFROM a AS b\n",
            "UndefinedVar:3"),
        Example("what is wrapped is not judged by itself", "FROM scratch\nONBUILD CMD run\n"),
    ]

    @Test("fire at the right lines", arguments: examples)
    func fires(_ example: Example) {
        #expect(findings(example.text) == example.found)
    }

    @Test("every rule has a text, a name and, but for one, a page")
    func table() {
        #expect(LintRule.allCases.count == 22)
        for rule in LintRule.allCases {
            #expect(!rule.description.isEmpty)
            guard rule != .invalidBaseImagePlatform else { continue }
            let page = rule.url?.dropFirst("https://docs.docker.com/go/dockerfile/rule/".count).dropLast() ?? ""
            // The page has the words of the name.
            #expect(page.filter { $0 != "-" } == rule.name.lowercased())
        }
        #expect(LintRule.invalidBaseImagePlatform.url == nil)
    }

    @Test("suggest the near name")
    func suggestions() throws {
        #expect(
            report("FROM scratch\nARG DIR_ASSETS=a\nCOPY $DIR_ASSET /\n").findings[0].detail.contains(
                "did you mean '$DIR_ASSETS'?"))
        #expect(
            report("FROM --platform=$BULIDPLATFORM scratch\n").findings[0].detail.contains(
                "did you mean 'BUILDPLATFORM'?"))
    }

    @Test("look into the ignore file, unless it has exceptions")
    func ignored() throws {
        func found(_ source: String, _ patterns: [String], keyword: String = "COPY") throws -> [String] {
            let ignore = try IgnorePatterns(patterns)
            return findings("FROM scratch\n\(keyword) \(source) /\n") { $0.ignore = ignore }
        }
        #expect(try found("Dockerfile", ["Dockerfile"]) == ["CopyIgnoredFile:2"])
        #expect(try found("./Dockerfile", ["Dockerfile"], keyword: "ADD") == ["CopyIgnoredFile:2"])
        #expect(try found("a/b/c", ["a"]) == ["CopyIgnoredFile:2"])
        #expect(try found("/a", ["a"]) == ["CopyIgnoredFile:2"])
        #expect(try found("a", ["a", "!a/b"]) == [])
        #expect(try found("b", ["a"]) == [])
        #expect(try found(".", ["a"]) == [])
        #expect(try found(".", ["*"]) == ["CopyIgnoredFile:2"])
        #expect(try found("--from=x a", ["a"]) == [])
        #expect(try found("https://example.org/a", ["**"], keyword: "ADD") == [])
        #expect(try found("https://example.org/a", ["**"]) == [])
    }

    @Test("know what a base image sets, and its platform")
    func baseImages() {
        var image = ImageConfiguration(platform: Platform(os: "linux", architecture: "arm64"))
        image.config.environment = ["GOPATH=/go"]
        image.config.shell = ["/bin/bash", "-c"]
        image.config.onBuild = ["COPY $missing /"]
        image.diffIDs = [Digest(hashing: "layer")]
        let text = "FROM app\nCOPY a $GOPATH\nCOPY a $GOPTH\nCMD run\n"
        #expect(
            findings(text) { $0.images = [0: image] } == [
                "InvalidBaseImagePlatform:1", "UndefinedVar:1", "UndefinedVar:3",
            ])
        // Without the image: what only it could set is found, with words that say so.
        let unknown = report(text).findings.filter { $0.rule == .undefinedVar }
        #expect(unknown.map(\.lines) == [2...2, 3...3])
        #expect(unknown.allSatisfy { $0.detail.contains("the base image 'app' was not looked at") })
        // … but for what everybody knows.
        #expect(
            findings("FROM docker.io/library/golang:1.22@sha256:\(String(repeating: "a", count: 64))\nCOPY a $GOPATH\n")
                == [])
    }
}
