import Testing
import WhittleCore
import WhittleDockerfile
import WhittleLint

/// `# check=…`, the build argument, and comments above instructions.
@Suite("Check options")
struct CheckOptionsTests {
    static let doubtful = "FROM scratch as A\nMAINTAINER me\n"

    @Test(
        "skip rules, all of them, or none",
        arguments: [
            ("skip=FromAsCasing", ["StageNameCasing:2", "MaintainerDeprecated:3"]),
            ("skip=FromAsCasing, StageNameCasing", ["MaintainerDeprecated:3"]),
            ("skip=all", []),
            ("skip=all;experimental=all", []),
            ("error=false", ["FromAsCasing:2", "StageNameCasing:2", "MaintainerDeprecated:3"]),
            ("skip=NoSuchRule", ["FromAsCasing:2", "StageNameCasing:2", "MaintainerDeprecated:3"]),
        ])
    func skips(_ options: String, _ expected: [String]) {
        #expect(findings("# check=\(options)\n" + Self.doubtful) == expected)
    }

    @Test("the build argument replaces the directive")
    func argument() {
        let text = "# check=skip=all\n" + Self.doubtful
        #expect(
            findings(text) { $0.arguments[CheckOptions.argument] = "skip=FromAsCasing,StageNameCasing" } == [
                "MaintainerDeprecated:3"
            ])
        #expect(findings(text) { $0.arguments[CheckOptions.argument] = "" }.count == 3)
    }

    @Test("a comment above an instruction silences it alone")
    func local() {
        let text = """
            FROM scratch
            # check=skip=SecretsUsedInArgOrEnv // on purpose
            ENV password=a
            ENV password=b
            # check=skip=all
            ARG token
            # check=skip=MaintainerDeprecated
            ARG token

            """
        #expect(findings(text) == ["SecretsUsedInArgOrEnv:4", "SecretsUsedInArgOrEnv:8"])
        // Rules about the file are not the business of one instruction.
        #expect(findings("FROM scratch AS a\n# check=skip=all\nFROM scratch AS a\n") == ["DuplicateStageName:3"])
    }

    @Test(
        "what cannot be read is an error at its line",
        arguments: [
            ("skip", "'skip' has no value"), ("skp=all", "there is no option 'skp'"),
            ("error=maybe", "'error' is true or false, not 'maybe'"), ("skip=all;", "'' has no value"),
        ])
    func invalid(_ options: String, _ problem: String) throws {
        let error = try #require(report("# check=\(options)\nFROM scratch\n").error)
        #expect(error.code == .invalidCheckOptions)
        #expect(error.message == "reading the check options '\(options)': \(problem)")
        #expect(error.location?.range.start.line == 1)
    }

    @Test("error=true makes findings an error")
    func strict() throws {
        let strict = report("# check=error=true\n" + Self.doubtful)
        let error = try #require(strict.strictError)
        #expect(error.code == .checksFailed)
        #expect(error.message.contains("FromAsCasing, MaintainerDeprecated, StageNameCasing"))
        #expect(report("# check=error=true\nFROM scratch\n").strictError == nil)
        #expect(report(Self.doubtful).strictError == nil)
    }

    @Test("a file that cannot be read to its end is checked up to there")
    func partial() throws {
        let broken = report("FROM scratch AS B\nMAINTAINER me\nCOPY a\nMAINTAINER me\n")
        #expect(broken.findings.map(\.rule) == [.stageNameCasing, .maintainerDeprecated])
        #expect(broken.error?.location?.range.start.line == 3)
        #expect(report("").error != nil)
    }

    @Test("a target limits the check to what it needs")
    func target() {
        let text = "FROM scratch AS a\nCOPY $x /\nFROM scratch AS b\nCOPY $y /\nFROM a AS c\nCOPY $z /\n"
        #expect(findings(text) == ["UndefinedVar:2", "UndefinedVar:4", "UndefinedVar:6"])
        #expect(findings(text) { $0.target = "c" } == ["UndefinedVar:2", "UndefinedVar:6"])
        #expect(findings(text) { $0.looksAtAllStages = false } == ["UndefinedVar:2", "UndefinedVar:6"])
        #expect(report(text) { $0.target = "d" }.error?.code.rawValue == "unknown-target")
    }
}
