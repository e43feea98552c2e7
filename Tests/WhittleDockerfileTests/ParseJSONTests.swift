import Testing
import WhittleCore
import WhittleDockerfile

@Suite("whittle parse --json")
struct ParseJSONTests {
    @Test("an accepted file, every key")
    func accepted() {
        let text = "# escape=`\nFROM a\nONBUILD RUN <<-\"E\" x\n\t1\"\\\u{1}\nE\nCMD [\"\\t\"]\n"
        let json = ParseJSON(parsing: Array(text.utf8), file: "Dockerfile")
        #expect(json.error == nil)
        #expect(
            json.text == #"{"directives":[{"line":1,"name":"escape","value":"`"}],"escape":"`","instructions":["#
                + #"{"keyword":"FROM","flags":[],"args":["a"],"json":false,"heredocs":[],"start":2,"end":2},"#
                + #"{"keyword":"ONBUILD","flags":[],"args":[],"json":false,"heredocs":[{"name":"E","#
                + #""content":"\t1\"\\\u0001\n","expand":false,"chomp":true}],"start":3,"end":5,"onbuild":"#
                + #"{"keyword":"RUN","flags":[],"args":["<<-\"E\" x"],"json":false,"heredocs":[]}},"#
                + #"{"keyword":"CMD","flags":[],"args":["\t"],"json":true,"heredocs":[],"start":6,"end":6}],"#
                + #""rejected":false}"#)
    }

    @Test("a file whose instructions say nothing still has them")
    func rejected() {
        let json = ParseJSON(parsing: Array("FROM a\nCOPY --x=y b".utf8), file: "Dockerfile")
        #expect(json.error?.code.rawValue == "wrong-argument-count")
        #expect(json.text.contains(#""flags":["--x=y"],"args":["b"]"#))
        #expect(json.text.hasSuffix(#""rejected":true,"reason":"COPY has only one argument"}"#))
    }

    @Test("a file that has no instructions keeps its directives")
    func unreadable() {
        let json = ParseJSON(parsing: Array("# escape=`\n# check=skip=all\nFROM a\nENV x\n".utf8), file: "Dockerfile")
        #expect(json.error?.code.rawValue == "assignment-without-value")
        #expect(
            json.text
                == #"{"directives":[{"line":1,"name":"escape","value":"`"},{"line":2,"name":"check","value":"skip=all"}],"#
                + #""escape":"`","instructions":[],"rejected":true,"reason":"ENV gives 'x' no value"}"#)
    }
}
