import Testing
import WhittleCore

@testable import WhittleCommands

@Suite("Templates of --format")
struct TemplateTests {
    /// A value with everything that images have.
    static var value: TemplateValue {
        var config = TemplateRecord()
        config.add("Env", .texts(["PATH=/bin", "A=1"]))
        config.add("Cmd", .texts(nil))
        config.add("Labels", .map(["b": .text("2"), "a": .text("1")]))
        config.add("ExposedPorts", .map(["80/tcp": .record(TemplateRecord())]), optional: true)
        config.add("Volumes", .map(nil))
        config.add("Healthcheck", .none, optional: true)
        var record = TemplateRecord()
        record.add("Id", .text("sha256:0123456789ab"))
        record.add("Size", .integer(1234))
        record.add("Name", .text("web app"))
        record.add("IsBig", .bool(true))
        record.add("Config", .record(config))
        return .record(record)
    }

    static func text(_ template: String) throws -> String {
        try Template(parsing: template, hasEscapes: false).text(of: value)
    }

    /// What Go's text/template prints for the same template and value.
    static let rendered: [(String, String)] = [
        ("", ""), ("plain", "plain"), ("{{.Id}}", "sha256:0123456789ab"), ("{{ .ID }}!", "sha256:0123456789ab!"),
        ("{{.Config.Env}}", "[PATH=/bin A=1]"), ("{{.Config.Cmd}}", "[]"), ("{{.Config.Labels}}", "map[a:1 b:2]"),
        ("{{.Config.ExposedPorts}}", "map[80/tcp:{}]"), ("{{.Config.Volumes}}", "map[]"),
        ("{{.Config.Healthcheck}}", "<no value>"), ("{{.IsBig}} {{.Size}}", "true 1234"),
        ("{{index .Config.Labels \"a\"}}{{index .Config.Labels \"none\"}}", "1"), ("{{.Config.Labels.b}}", "2"),
        ("{{index .Config.Env 1}}", "A=1"), ("{{len .Config.Env}}{{len .Name}}", "27"),
        ("{{json .Config.Env}}", #"["PATH=/bin","A=1"]"#), ("{{json .Config.Cmd}}", "null"),
        (
            "{{json .Config}}",
            #"{"Env":["PATH=/bin","A=1"],"Cmd":null,"Labels":{"a":"1","b":"2"},"#
                + #""ExposedPorts":{"80/tcp":{}},"Volumes":null}"#
        ),
        ("{{json .Name}}", "\"web app\""), ("{{upper .Name}} {{lower \"AB\"}} {{title .Name}}", "WEB APP ab Web App"),
        ("{{join .Config.Env \",\"}}", "PATH=/bin,A=1"), ("{{split \"a:b:\" \":\"}}", "[a b ]"),
        ("{{index (split .Id \":\") 1}}", "0123456789ab"),
        ("{{truncate .Name 3}}|{{truncate .Name 99}}", "web|web app"),
        ("[{{pad .Name 1 2}}][{{pad \"\" 1 2}}]", "[ web app  ][]"), ("{{slice .Id 7 11}}", "0123"),
        ("{{slice .Id 7}}", "0123456789ab"), ("{{slice .Config.Env 1}}", "[A=1]"), ("{{println .Size}}", "1234\n"),
        ("{{print 1 2 \"a\" 3}}", "1 2a3"), ("{{printf \"%s-%d\" .Name .Size}}", "web app-1234"),
        ("{{.Name | upper | printf \"%q\"}}", "\"WEB APP\""),
        ("{{printf \"%-8s|%8s|%.2s\" \"ab\" \"cd\" \"efg\"}}", "ab      |      cd|ef"),
        (
            "{{printf \"%5d|%-5d|%05d|%x|%X|%o|%b|%c|%+d\" 42 42 42 255 255 8 5 65 7}}",
            "   42|42   |00042|ff|FF|10|101|A|+7"
        ),
        ("{{printf \"%v %v %t %T\" .Config.Env nil true \"x\"}}", "[PATH=/bin A=1] <nil> true string"),
        ("{{printf \"%.2f %6.1f\" 3.14159 2.75}}", "3.14    2.8"), ("{{printf \"%d%%\" 5}}", "5%"),
        ("{{printf \"%d\" \"x\"}}{{printf \"%s\"}}", "%!d(string=x)%!s(MISSING)"),
        ("{{printf \"a\" 1}}", "a%!(EXTRA 1)"), ("{{printf \"%\"}}", "%!(NOVERB)"),
        ("{{if .IsBig}}big{{else}}small{{end}}", "big"), ("{{if not .IsBig}}big{{else}}small{{end}}", "small"),
        ("{{if eq .Size 1}}a{{else if eq .Size 1234}}b{{else}}c{{end}}", "b"), ("{{if .Config.Cmd}}x{{end}}", ""),
        ("{{with .Config}}{{.Cmd}}{{end}}{{with .Config.Cmd}}x{{else}}none{{end}}", "[]none"),
        ("{{range .Config.Env}}<{{.}}>{{end}}", "<PATH=/bin><A=1>"),
        ("{{range .Config.Cmd}}x{{else}}none{{end}}", "none"),
        ("{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}", "0=PATH=/bin;1=A=1;"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}{{$v}} {{end}}", "a1 b2 "),
        ("{{range $p, $_ := .Config.ExposedPorts}}{{$p}}{{end}}", "80/tcp"),
        ("{{range $i, $e := .Config.Env}}{{if $i}}, {{end}}{{$e}}{{end}}", "PATH=/bin, A=1"),
        ("{{range .Config.Env}}{{.}}{{break}}{{end}}", "PATH=/bin"),
        ("{{range .Config.Env}}{{if eq . \"A=1\"}}{{continue}}{{end}}{{.}}{{end}}", "PATH=/bin"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"), ("{{range .Config.Env}}{{$.Size}}{{end}}", "12341234"),
        ("{{$c := .Config}}{{$c.Labels.a}}", "1"), ("{{(index .Config.Env 0)}}", "PATH=/bin"),
        (
            "{{eq .Name \"a\" \"web app\"}} {{ne 1 2}} {{lt 1 2}} {{ge \"b\" \"a\"}} {{le 2 2}} {{gt 1 2}}",
            "true true true true true false"
        ),
        ("{{and .IsBig .Name}} {{or \"\" .Size}} {{and \"\" (index .Config.Env 9)}}", "web app 1234 "),
        ("a {{- .Size -}} b", "a1234b"), ("a{{/* a comment */}}b {{- /* c */ -}} d", "abd"), ("a\n {{- \"x\"}}", "ax"),
        (#"{{"\t\"A\u00e9\""}}{{`\t`}}{{'a'}}"#, "\t\"Aé\"\\t97"),
        ("{{0x1F}} {{1_000}} {{-2}} {{1.5}}", "31 1000 -2 1.5"),
        ("\\t{{.Size}}", "\\t1234"),
        (
            "{{.}}",
            "{sha256:0123456789ab 1234 web app true {[PATH=/bin A=1] [] map[a:1 b:2] map[80/tcp:{}] map[] <nil>}}"
        ),
    ]

    @Test("templates give what Go's give", arguments: rendered)
    func renders(_ example: (template: String, text: String)) throws {
        #expect(try Self.text(example.template) == example.text)
    }

    @Test("tabs and line ends are written as in docker's listings, outside of actions only")
    func escapes() throws {
        let template = try Template(parsing: #"{{.Size}}\t{{.Name}}\n\x{{"\t"}}"#, hasEscapes: true)
        #expect(try template.text(of: Self.value) == "1234\tweb app\n\\x\t")
    }

    /// Templates that are wrong: the column, the sentence, the hint.
    static let wrong: [(String, Int, String, String?)] = [
        ("{{.Id", 1, "the action is not closed", "end it with '}}'"),
        ("ab {{.Id", 4, "the action is not closed", "end it with '}}'"),
        ("{{.Id {{.Id}}", 1, "the action is not closed", "end it with '}}'"),
        ("{{}}", 3, "a value is missing", "for example '{{.ID}}'"),
        ("{{.Sise}}", 3, "there is no field '.Sise'", "did you mean '.Size'?"),
        ("{{.size}}", 3, "there is no field '.size'", "did you mean '.Size'?"),
        ("{{.Repo}}", 3, "there is no field '.Repo'", "the fields are .Id, .Size, .Name, .IsBig, .Config"),
        ("{{.Config.Lables}}", 10, "there is no field '.Lables'", "did you mean '.Labels'?"),
        ("{{.Name.First}}", 8, "a text has no field '.First'", nil),
        ("{{.Config.Healthcheck.Test}}", 22, "nothing has no field '.Test'", nil),
        ("{{uper .Name}}", 3, "there is no function 'uper'", "did you mean 'upper'?"),
        ("{{if .Id}}x", 1, "the block that begins here has no end", "end it with '{{end}}'"),
        ("{{end}}", 1, "'end' without 'if', 'with' or 'range' before it", nil),
        ("{{else}}", 1, "'else' without 'if', 'with' or 'range' before it", nil),
        ("{{if .Id}}{{else}}{{else}}{{end}}", 1, "a second 'else' in one block", nil),
        ("{{break}}", 1, "'break' outside of 'range'", nil),
        ("{{template \"x\"}}", 1, "'template' is not supported", nil), ("{{$x}}", 3, "there is no variable '$x'", nil),
        ("{{$tag := 1}}{{$tga}}", 16, "there is no variable '$tga'", "did you mean '$tag'?"),
        ("{{.Id | }}", 9, "a value is missing", "for example '{{.ID}}'"),
        ("{{\"abc}}", 3, "the text in quotes is not closed", "end it with \" before the end of the line"),
        ("{{`abc}}", 3, "the text in back quotes is not closed", nil),
        ("{{\"\\y\"}}", 4, "'\\y' is no escape sequence", "write '\\\\' for a backslash"),
        ("{{'ab'}}", 3, "single quotes hold one character", "write a text in double quotes"),
        ("{{1x}}", 3, "'1x' is no number", nil),
        ("{{.Id)}}", 6, "unexpected ')'", nil), ("{{(.Id}}", 7, "a ')' is missing", nil),
        ("{{.Id .Id}}", 3, "a value that is no function cannot take arguments", nil),
        ("{{#}}", 3, "unexpected '#'", nil), ("{{/* x}}", 1, "the comment is not closed", "end it with '*/}}'"),
        ("{{index .Config.Env 7}}", 3, "'index' looks for element 7 in a list of 2, counted from 0", nil),
        ("{{index .Config.Env -1}}", 3, "'index' takes no negative number", nil),
        ("{{slice .Name 5 2}}", 3, "'slice' takes a number from 5 to 7", nil),
        ("{{join .Name \",\"}}", 3, "'join' takes a list, found a text", nil),
        ("{{upper .Size}}", 3, "'upper' takes a text, found a number", nil),
        ("{{len .Size}}", 3, "'len' takes a text, a list or a map, found a number", nil),
        ("{{eq .Size \"1\"}}", 3, "'eq' cannot compare a number with a text", nil),
        ("{{lt .IsBig true}}", 3, "'lt' cannot order a truth value and a truth value", nil),
        ("{{range .Size}}{{end}}", 9, "'range' cannot go through a number", nil),
        ("{{json}}", 3, "'json' takes one argument, found 0", nil),
        ("{{truncate .Name}}", 3, "'truncate' takes a text and a length, found 1 arguments", nil),
        ("{{pad .Name 1 999999}}", 3, "'pad' takes a number from 0 to 65536", nil),
        ("{{eq 1}}", 3, "'eq' takes two arguments", nil),
        (String(repeating: "{{if true}}", count: 101), 1101, "nested too deep", nil),
        ("{{" + String(repeating: "(", count: 5000), 1, "the action is not closed", "end it with '}}'"),
        ("{{" + String(repeating: "(", count: 5000) + "1}}", 103, "nested too deep", nil),
    ]

    @Test("what is wrong with a template is said with its column", arguments: wrong)
    func refuses(_ example: (template: String, column: Int, problem: String, hint: String?)) throws {
        let error = #expect(throws: BuildError.self) { try Self.text(example.template) }
        #expect(
            error?.message.hasSuffix(", column \(example.column): \(example.problem)") == true,
            "\(error?.message ?? "")")
        #expect(error?.hint == example.hint)
        let isField = example.problem.contains("there is no field")
        #expect(error?.code == (isField ? .unknownFormatField : .invalidFormat))
    }

    @Test("an error shows the beginning of a long template")
    func longTemplate() {
        let source = String(repeating: "x", count: 200) + "{{"
        let error = #expect(throws: BuildError.self) { try Self.text(source) }
        #expect(
            error?.message == "--format '\(String(repeating: "x", count: 120))…', column 201: the action is not closed")
    }
}
