import Testing
import WhittleBake
import WhittleCore
import WhittleOCI

/// Bake files in JSON: merging, inheritance, variables, `--set`, and what is refused.
@Suite("Bake files")
struct BakeProjectTests {
    static func project(
        _ files: String..., environment: [String: String] = [:], given: [String: String] = [:]
    ) throws -> BakeProject {
        try BakeProject(
            files.enumerated().map { BakeSource(name: "\($0.offset).json", bytes: Array($0.element.utf8)) },
            environment: environment, given: given)
    }

    /// The resolved target, on one line.
    static func json(_ project: BakeProject, _ name: String, set: [String] = []) throws -> String {
        let selection = try project.select([name], set: set)
        let target = try #require(selection.targets.first { $0.name == name })
        return target.json.text(as: .compact)
    }

    @Test("a target has a context and a Dockerfile, and is printed in buildx's order")
    func printing() throws {
        let project = try Self.project(
            """
            {"target": {"app": {"tags": ["app", "app"], "output": ["type=docker", "out", {"type": "oci", "dest": "x,y"}],
            "args": {"B": "2", "A": 1, "C": null}, "secret": ["id=key,src=key.txt"], "ssh": ["default", "x=a,b"],
            "cache-from": ["user/app:cache"], "no-cache": "true"}}}
            """)
        #expect(
            try Self.json(project, "app")
                == #"{"context":".","dockerfile":"Dockerfile","args":{"A":"1","B":"2"},"tags":["app"],"#
                + #""cache-from":[{"ref":"user/app:cache","type":"registry"}],"secret":[{"id":"key","src":"key.txt"}],"#
                + #""ssh":[{"id":"default"},{"id":"x","paths":["a","b"]}],"#
                + #""output":[{"type":"docker"},{"dest":"out","type":"local"},{"dest":"x,y","type":"oci"}],"no-cache":true}"#
        )
        let output = try #require(project.select(["app"]).targets[0].outputs?.last)
        #expect(output.text == #"type=oci,"dest=x,y""#)
    }

    @Test("later files win: maps are merged, tags replaced, cache sources continued")
    func merging() throws {
        let project = try Self.project(
            #"{"target": {"a": {"args": {"X": "1", "Y": "1"}, "tags": ["a"], "cache-from": ["c1"], "context": "one"}}}"#,
            #"{"target": {"a": {"args": {"Y": "2"}, "tags": ["b"], "cache-from": ["c2"]}}}"#)
        let target = try project.select(["a"]).targets[0]
        #expect(target.arguments == ["X": "1", "Y": "2"])
        #expect(target.tags == ["b"] && target.context == "one")
        #expect(target.cacheFrom?.map { $0["ref"] } == ["c1", "c2"])
    }

    static let family = """
        {"target": {
          "base": {"args": {"X": "base", "Y": "base"}, "platforms": ["linux/amd64"]},
          "mid": {"inherits": ["base"], "args": {"X": "mid"}, "dockerfile": "m"},
          "other": {"args": {"Y": "other"}, "dockerfile": "o"},
          "app": {"inherits": ["mid", "other"], "args": {"Z": "app"}}}}
        """

    @Test("inheritance goes in order, the target itself last")
    func inheritance() throws {
        let target = try Self.project(Self.family).select(["app"]).targets[0]
        #expect(target.arguments == ["X": "mid", "Y": "other", "Z": "app"])
        #expect(target.dockerfile == "o" && target.platforms == ["linux/amd64"])
        #expect(target.inherits.isEmpty)
    }

    @Test(
        "--set changes targets by name and pattern, and what is inherited",
        arguments: [
            ([], #"["X": "mid"]"#, "o", ["linux/amd64"]),
            (["app.args.X=set"], #"["X": "set"]"#, "o", ["linux/amd64"]),
            (["*.dockerfile=all"], #"["X": "mid"]"#, "all", ["linux/amd64"]),
            (["mid.args.X=m2"], #"["X": "m2"]"#, "o", ["linux/amd64"]),
            (["a?p.platform=linux/arm64"], #"["X": "mid"]"#, "o", ["linux/arm64"]),
            (["app.platform+=linux/arm64"], #"["X": "mid"]"#, "o", ["linux/amd64", "linux/arm64"]),
            (["app.args.X"], #"["X": "env"]"#, "o", ["linux/amd64"]),
            (["app.args.UNSET"], #"["X": "mid"]"#, "o", ["linux/amd64"]),
        ])
    func overrides(_ set: [String], _ x: String, _ dockerfile: String, _ platforms: [String]) throws {
        let target = try Self.project(Self.family, environment: ["X": "env"]).select(["app"], set: set).targets[0]
        #expect("\(target.arguments.filter { $0.key == "X" })" == x)
        #expect(target.dockerfile == dockerfile && target.platforms == platforms)
        #expect(target.arguments["UNSET"] == nil)
    }

    @Test(
        "--set that cannot be understood",
        arguments: [
            ("app", "names no target and key"), ("app.contxt=x", "there is no key 'contxt'"),
            ("app.args=x", "'args' needs a name"), ("app.context.x=y", "'context' has no members"),
            ("app.context", "it has no value"), ("app.context+=x", "no list to add to"),
            ("app.no-cache=maybe", "'no-cache' is true or false"),
        ])
    func wrongOverrides(_ set: String, _ message: String) throws {
        let project = try Self.project(Self.family)
        let error = #expect(throws: BuildError.self) { try project.select(["app"], set: [set]) }
        #expect(error?.code.rawValue == "bake-invalid-set")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("variables: defaults, the environment, --var; one that stands on another; a whole text keeps its kind")
    func variables() throws {
        let text = #"""
            {"variable": {"TAG": {"default": "1.${MINOR}", "description": "the tag"}, "MINOR": {"default": 0},
                          "FRESH": {"default": true}, "NONE": {}},
             "repository": "example",
             "target": {"app": {"tags": ["${repository}/app:${TAG}"], "no-cache": "${FRESH}",
                                "args": {"D": "$${TAG} %%{x}", "N": "${NONE}"}}}}
            """#
        let plain = try Self.project(text)
        #expect(try plain.select(["app"]).targets[0].tags == ["example/app:1.0"])
        #expect(try plain.select(["app"]).targets[0].noCache == true)
        #expect(try plain.select(["app"]).targets[0].arguments == ["D": "${TAG} %{x}", "N": ""])
        #expect(plain.variables.map(\.value) == ["1.0", "0", "true", "", "example"])
        let changed = try Self.project(text, environment: ["MINOR": "7", "FRESH": "false"], given: ["MINOR": "8"])
        #expect(try changed.select(["app"]).targets[0].tags == ["example/app:1.8"])
        #expect(try changed.select(["app"]).targets[0].noCache == false)
    }

    @Test("groups name targets and groups; without a name it is 'default'; patterns name several")
    func groups() throws {
        let project = try Self.project(
            """
            {"group": {"default": {"targets": ["b", "more"]}, "more": {"targets": ["a", "b"]}},
             "target": {"a": {}, "b": {}, "c": {}, "c2": {}}}
            """)
        #expect(try project.select([]).targets.map(\.name) == ["b", "a"])
        #expect(try project.select([]).groups == ["default": ["b", "more"], "more": ["a", "b"]])
        #expect(try project.select(["c*"]).targets.map(\.name) == ["c", "c2"])
        #expect(try project.select(["c", "a"]).groups == ["default": ["a", "c"]])
    }

    @Test("what a context stands for comes first, and is only built")
    func links() throws {
        let project = try Self.project(
            #"{"target": {"app": {"contexts": {"base": "target:base"}}, "base": {"output": ["type=docker"]}}}"#)
        let linked = try project.select(["app"])
        #expect(linked.targets.map(\.name) == ["base", "app"])
        #expect(linked.targets.map(\.isLinked) == [true, false])
        #expect(linked.targets[0].outputs?.map(\.text) == ["type=cacheonly"])
        let both = try project.select(["app", "base"])
        #expect(both.targets.map(\.isLinked) == [false, false])
        #expect(both.targets[0].outputs?.map(\.text) == ["type=docker"])
    }

    @Test(
        "what is wrong in a file",
        arguments: [
            (#"{"target": {"app": {"#, "bake-syntax", "0.json", "unexpected end"),
            (#"{"target": {"app": {"context": ["x"]}}}"#, "bake-invalid", "target.app.context", "found a list"),
            (#"{"target": {"app": {"contxt": "x"}}}"#, "bake-invalid", "target.app.contxt", "no 'contxt'"),
            (#"{"target": {"app": {"pull": "yes"}}}"#, "bake-invalid", "target.app.pull", "true or false"),
            (#"{"target": {"a b": {}}}"#, "bake-invalid", "target.a b", "cannot be the name"),
            (#"{"targets": {"app": {}}}"#, "bake-invalid", "targets", "no block"),
            (#"{"target": {"app": {"matrix": {"v": ["1"]}}}}"#, "bake-unsupported", "target.app.matrix", "a matrix"),
            (#"{"function": {"f": {}}, "target": {}}"#, "bake-unsupported", "function", "a function"),
            (
                #"{"target": {"app": {"args": {"X": "${upper(Y)}"}}}}"#, "bake-unsupported", "target.app.args.X",
                "the expression '${upper(Y)}'"
            ),
            (
                #"{"variable": {"TAG": {}}, "target": {"app": {"tags": ["${TAGG}"]}}}"#, "bake-missing-variable",
                "target.app.tags[0]", "no variable 'TAGG'"
            ),
            (
                #"{"variable": {"A": {"default": "${B}"}, "B": {"default": "${A}"}}, "target": {}}"#, "bake-cycle",
                "'A' → 'B' → 'A'", "circle"
            ),
            (#"{"target": {"app": {"inherits": ["bas"]}, "base": {}}}"#, "bake-unknown-target", "'bas'", "'app' names"),
            (
                #"{"target": {"app": {"inherits": ["b"]}, "b": {"inherits": ["app"]}}}"#, "bake-cycle",
                "'app' → 'b' → 'app'", "the inherits go in a circle"
            ),
            (
                #"{"target": {"app": {"contexts": {"x": "target:b"}}, "b": {"contexts": {"y": "target:app"}}}}"#,
                "bake-cycle", "'app' → 'b' → 'app'", "the contexts go in a circle"
            ),
            (#"{"target": {"ap": {}}}"#, "bake-unknown-target", "'app'", "no target or group"),
        ])
    func errors(_ text: String, _ code: String, _ place: String, _ message: String) throws {
        let error = #expect(throws: BuildError.self) { try Self.project(text).select(["app"]) }
        #expect(error?.code.rawValue == code)
        #expect(error?.message.contains(place) == true && error?.message.contains(message) == true, "\(error!)")
    }

    @Test("an unknown target has a near name, a syntax error its line, and HCL the way to JSON")
    func hints() throws {
        let unknown = #expect(throws: BuildError.self) { try Self.project(Self.family).select(["ap"]) }
        #expect(unknown?.hint == "did you mean 'app'?")
        let syntax = #expect(throws: BuildError.self) { try Self.project("{\n  \"target\": {,\n}") }
        #expect(syntax?.location?.range.start == SourcePosition(line: 2, column: 14))
        let hcl = #expect(throws: BuildError.self) {
            try BakeProject([BakeSource(name: "docker-bake.hcl", bytes: [])], environment: [:])
        }
        #expect(hcl?.hint?.contains("docker buildx bake -f docker-bake.hcl --print") == true)
    }
}
