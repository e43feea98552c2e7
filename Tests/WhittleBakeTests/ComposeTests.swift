import Testing
import WhittleBake
import WhittleCore
import WhittleOCI

/// Compose files: YAML, variables, services as targets.
@Suite("Compose files")
struct ComposeTests {
    static func project(
        _ files: String..., environment: [String: String] = [:], dotEnv: String? = nil
    ) throws -> BakeProject {
        try BakeProject(
            files.enumerated().map { BakeSource(name: "\($0.offset).yaml", bytes: Array($0.element.utf8)) },
            environment: environment, dotEnv: dotEnv.map { BakeSource(name: ".env", bytes: Array($0.utf8)) })
    }

    static let services = """
        x-args: &args
          COMMON: "1"
        services:
          db.main:
            build: ./db
            image: example/db:${TAG:-latest}
          web:
            image: unused
            build:
              context: web
              dockerfile: Dockerfile.web
              args:
                <<: *args
                VERSION: 1.10
                FROM_ENV:
              labels: ["a=b"]
              target: prod
              tags: [web:1]
              secrets: [key, {source: token, target: tok}]
              ssh: [default]
              extra_hosts: ["h:10.0.0.1"]
              ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
              additional_contexts: ["db=service:db.main"]
              no_cache: true
              x-bake:
                output: type=docker
          cache: {image: redis}
        secrets:
          key: {file: ./key.txt}
          token: {environment: TOKEN}
        """

    @Test("services that are built are targets, and all of them the default")
    func services() throws {
        let project = try Self.project(Self.services, environment: ["FROM_ENV": "e"])
        let selection = try project.select([])
        #expect(selection.targets.map(\.name) == ["db_main", "web"])
        #expect(selection.groups == ["default": ["db_main", "web"]])
        #expect(
            selection.targets[0].json.text(as: .compact)
                == #"{"context":"./db","dockerfile":"Dockerfile","tags":["example/db:latest"]}"#)
        #expect(
            selection.targets[1].json.text(as: .compact)
                == #"{"context":"web","contexts":{"db":"target:db_main"},"dockerfile":"Dockerfile.web","#
                + #""args":{"COMMON":"1","FROM_ENV":"e","VERSION":"1.10"},"labels":{"a":"b"},"tags":["web:1"],"target":"prod","#
                + #""secret":[{"id":"key","src":"./key.txt"},{"env":"TOKEN","id":"tok"}],"ssh":[{"id":"default"}],"#
                + #""output":[{"type":"docker"}],"no-cache":true,"ulimits":["nofile=10:20","nproc=5:5"],"#
                + #""extra-hosts":{"h":"10.0.0.1"}}"#)
        #expect(try project.select(["db.main"]).targets.map(\.name) == ["db_main"])
    }

    @Test("a second file is laid over the first: maps merged, lists continued")
    func merging() throws {
        let target = try Self.project(
            "services: {a: {image: one, build: {context: x, args: [A=1, B=1], tags: [t1]}}}",
            "services: {a: {image: two, build: {args: {B: 2}, tags: [t2]}}}"
        ).select([]).targets[0]
        #expect(target.context == "x" && target.arguments == ["A": "1", "B": "2"] && target.tags == ["t1", "t2"])
    }

    @Test("a service extends another one of the file")
    func extends() throws {
        let targets = try Self.project(
            "services: {a: {build: {context: x, target: s}}, b: {extends: {service: a}, build: {target: u}, image: b}}"
        ).select(["b"]).targets
        #expect(targets[0].context == "x" && targets[0].stage == "u" && targets[0].tags == ["b"])
    }

    @Test(
        "variables in their forms",
        arguments: [
            ("$A", "a"), ("${A}", "a"), ("x${A}y$A", "xaya"), ("$$A", "$A"), ("${U:-d}", "d"), ("${E:-d}", "d"),
            ("${E-d}", ""), ("${A:-d}", "a"), ("${U-${A}b}", "ab"), ("${A:+yes}", "yes"), ("${U:+yes}", ""),
            ("${E+yes}", "yes"), ("${A?no}", "a"), ("$U", ""), ("${D}", "from a"), ("${Q}", "$A #"), ("${W}", "x y"),
        ])
    func interpolation(_ text: String, _ expected: String) throws {
        let project = try Self.project(
            "services: {s: {build: {context: ., args: {X: \"\(text)\"}}}}", environment: ["A": "a", "E": ""],
            dotEnv: "# comment\nA=no\nexport D=\"from $A\"\nQ='$A #' # quoted\nW = x y # comment\n")
        #expect(try project.select([]).targets[0].arguments["X"] == expected)
        #expect(project.warnings.isEmpty == (text != "$U"))
    }

    @Test(
        "what is wrong in a file",
        arguments: [
            ("services: {a: {build: {contxt: x}}}", "bake-invalid", "services.a.build.contxt", 1),
            ("services:\n  a:\n    build:\n      args: 5\n", "bake-invalid", "services.a.build.args", 4),
            ("services:\n  a:\n    build: {context: \"${X:?set it}\"}\n", "bake-missing-variable", "set it", 3),
            ("services:\n  a:\n\tb: c\n", "bake-syntax", "cannot start any token", 3),
            ("services: {a: *no}", "bake-syntax", "no anchor 'no'", 1),
            ("services: {a: {build: .}, a: {build: .}}", "bake-syntax", "'a' is there twice", 1),
            ("services: {a: {build: {context: !custom x}}}", "bake-syntax", "the tag '!custom'", 1),
            (
                "services: {a: {build: {context: ., secrets: [ke]}}}\nsecrets: {key: {file: k}}", "bake-invalid",
                "'ke'", 1
            ),
            ("include: [x]\nservices: {}", "bake-unsupported", "include", 1),
        ])
    func errors(_ text: String, _ code: String, _ message: String, _ line: Int) throws {
        let error = #expect(throws: BuildError.self) { try Self.project(text).select(["a"]) }
        #expect(error?.code.rawValue == code)
        #expect(error?.message.contains(message) == true, "\(error!)")
        #expect(error?.location?.range.start.line == line)
    }

    @Test("aliases that would grow without bound, and depth, are refused")
    func bombs() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        let bomb = #expect(throws: BuildError.self) { try Self.project(text + "services: {a: *a9}") }
        #expect(bomb?.message.contains("more than 100000 values") == true)
        let deep = String(repeating: "[", count: 80) + String(repeating: "]", count: 80)
        let error = #expect(throws: BuildError.self) { try Self.project("services: {a: \(deep)}") }
        #expect(error?.message.contains("nested deeper than 64") == true)
    }
}
