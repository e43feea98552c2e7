import Testing
import WhittleCore
import WhittleDockerfile
import WhittleLint
import WhittleOCI

/// How findings are shown.
@Suite("Lint report")
struct ReportTests {
    @Test("is BuildKit's document in JSON")
    func json() throws {
        let text = "FROM scratch as a\n"
        let json = report(text).json
        let rule = LintRule.fromAsCasing
        #expect(
            json["warnings"]?.text(as: .compact)
                == #"[{"ruleName":"FromAsCasing","description":"\#(rule.description)","url":"\#(rule.url ?? "")","#
                + #""detail":"'as' and 'FROM' are not in the same casing","location":{"ranges":[{"start":{"line":1},"end":{"line":1}}]}}]"#
        )
        #expect(
            json["sources"]?.text(as: .compact)
                == #"[{"filename":"Dockerfile","language":"Dockerfile","data":""# + Base64.encode(Array(text.utf8))
                + #""}]"#)
        #expect(json["buildError"] == nil)
        let broken = report("FROM scratch\nCOPY a\n").json
        #expect(broken["buildError"]?["location"]?["ranges"]?[0]?["start"]?["line"] == 2)
        #expect(broken["warnings"]?.array?.isEmpty == true)
    }

    @Test("shows the lines of the file in text")
    func text() throws {
        let text = report("# a\nFROM scratch\nARG a=1\nCMD run \\\n  it\n").text
        #expect(
            text.hasPrefix(
                "Check complete, 1 warning found.\n\nWARNING: JSONArgsRecommended - "
                    + "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n"))
        #expect(
            text.hasSuffix(
                """
                Dockerfile:4
                --------------------
                   3 |     ARG a=1
                   4 | >>> CMD run \\
                   5 | >>>   it
                --------------------

                """))
        #expect(report("FROM scratch\n").text == "Check complete, no warnings found.\n")
    }
}
