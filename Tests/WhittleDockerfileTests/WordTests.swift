import Testing
import WhittleCore

@testable import WhittleDockerfile

@Suite("Words")
struct WordTests {
    static let values = ["v": "foo bar/boo", "e": "", "n": "a\nb a", "u": "日本日", "r": "$0\\"]

    struct Expands: CustomTestStringConvertible, Sendable {
        let word: String
        let text: String
        init(_ word: String, _ text: String) { (self.word, self.text) = (word, text) }
        var testDescription: String { word }
    }
    static let expands = [
        Expands("plain", "plain"), Expands("", ""), Expands("$v", "foo bar/boo"), Expands("x${v}y", "xfoo bar/booy"),
        Expands("$x", ""), Expands("$", "$"), Expands("a$.b", "a$.b"), Expands("$1a", "a"), Expands("\\$v", "$v"),
        Expands("'$v\\'", "$v\\"), Expands("\"$v\\\"\\x\"", "foo bar/boo\"\\x"), Expands("a\\ b\\", "a b"),
        Expands("${e:-d}${e-d}", "d"), Expands("${x:-a${y:-${z-b}}}", "ab"), Expands("${v:+w}${e+w}${e:+w}", "ww"),
        Expands("${v?no}", "foo bar/boo"), Expands("${x:-'a b'}", "a b"), Expands("${x:-\\}}", "}"),
        Expands("${v#*o}", "o bar/boo"), Expands("${v##*o}", ""), Expands("${v%o*}", "foo bar/bo"),
        Expands("${v%%o*}", "f"), Expands("${v#???}", " bar/boo"), Expands("${v#x}", "foo bar/boo"),
        Expands("${u#?}", "本日"), Expands("${u%日}", "日本"), Expands("${n#*}", "a\nb a"), Expands("${n##*}", "\nb a"),
        Expands("${v/o/0}", "f0o bar/boo"), Expands("${v//o/0}", "f00 bar/b00"), Expands("${v//\\//-}", "foo bar-boo"),
        Expands("${v/o*/x}", "fx"), Expands("${v//b?/[$e]}", "foo []r/[]o"), Expands("${v/zz/x}", "foo bar/boo"),
        Expands("${v//o/\\$0\\$0}", "f\\o\\o\\o\\o bar/b\\o\\o\\o\\o"), Expands("${v//o/$r}", "fo\\o\\ bar/bo\\o\\"),
        Expands("${v/o/$r}", "f$0\\o bar/boo"), Expands("${e//*/x}", "x"), Expands("${v#\\*}", "foo bar/boo"),
        Expands("a<<b", "a<<b"), Expands("$é$_é", ""), Expands("\u{FEFF}a", "a"),
    ]

    @Test("a word expands to this", arguments: expands)
    func expand(_ example: Expands) throws {
        #expect(try WordExpander().expand(example.word, with: Self.values).text == example.text)
    }

    @Test("a backtick escapes where the file says so")
    func backtick() throws {
        let expander = WordExpander(escape: .backtick)
        #expect(try expander.expand("`$v \\n \"`\"\"", with: Self.values).text == "$v \\n \"")
    }

    @Test("variables that had a value and those that had none are told")
    func usage() throws {
        let expansion = try WordExpander().expand("$v ${x:-$e} ${y:+$z}", with: Self.values)
        #expect(expansion.used == ["v", "e"])
        #expect(expansion.unset == ["x", "y", "z"])
    }

    @Test("options leave quotes, escapes and missing variables alone")
    func options() throws {
        let word = "\"a $x\" 'b' \\$c ${x:-d} $v"
        let kept = try WordExpander(options: [.keepsQuotes, .keepsEscapes, .keepsUnset]).expand(word, with: Self.values)
        #expect(kept.text == "\"a $x\" 'b' \\$c ${x:-d} foo bar/boo")
        let heredoc = try WordExpander(options: .heredoc).expand("it's $v \"$e\" \\$v\n", with: Self.values)
        #expect(heredoc.text == "it's foo bar/boo \"\" \\$v\n")
    }

    @Test("fields are split at blanks that are not quoted")
    func fields() throws {
        let expander = WordExpander()
        let examples: [(String, [String])] = [
            ("a  b\tc", ["a", "b", "c"]), ("$v x", ["foo", "bar/boo", "x"]), ("\"$v\" '' \"\"x", ["foo bar/boo", "x"]),
            ("a\\ b", ["a b"]), ("", []), ("  ", []), ("$e", []), ("80${x:-81}/tcp", ["8081/tcp"]),
            ("a\u{2003}b", ["a", "b"]),
        ]
        for (word, fields) in examples {
            #expect(try expander.fields(word) { Self.values[$0] } == fields, "\(word)")
        }
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let word: String
        let code: String
        let message: String
        init(_ word: String, _ code: String, _ message: String) {
            (self.word, self.code, self.message) = (word, code, message)
        }
        var testDescription: String { "\(word.prefix(30)) (\(word.utf8.count) B)" }
    }
    static let rejected = [
        Rejected("it's", "unmatched-quote", "a single quote does not end: it's"),
        Rejected("\"a$v", "unmatched-quote", "a double quote does not end: \"a$v"),
        Rejected("${", "bad-substitution", "cannot expand '${': a '}' is missing"),
        Rejected("${v", "bad-substitution", "cannot expand '${v': a '}' is missing"),
        Rejected("${v:-a", "bad-substitution", "cannot expand '${v:-a': a '}' is missing"),
        Rejected("${v:-'a}", "bad-substitution", "cannot expand '${v:-'a}': a '}' is missing"),
        Rejected("${v/a", "bad-substitution", "cannot expand '${v/a': a '/' is missing"),
        Rejected("${v/a/b", "bad-substitution", "cannot expand '${v/a/b': a '}' is missing"),
        Rejected("${}", "bad-substitution", "cannot expand '${}': there is no variable name after '${'"),
        Rejected("${v^^}", "bad-substitution", "cannot expand '${v^^}': '^' is not known after the variable's name"),
        Rejected("${v:=a}", "bad-substitution", "cannot expand '${v:=a}': ':=' is not known after the variable's name"),
        Rejected("${v:#a}", "bad-substitution", "cannot expand '${v:#a}': ':#' is not known after the variable's name"),
        Rejected("${x:?}", "required-variable", "the variable 'x' is required: is not set"),
        Rejected("${e:?}", "required-variable", "the variable 'e' is required: is empty"),
        Rejected("${x?give $v}", "required-variable", "the variable 'x' is required: give foo bar/boo"),
        Rejected(
            "${v#\\a}", "bad-substitution",
            "cannot expand '${v#\\a}': the pattern '\\a' escapes a character that needs none"),
        Rejected(
            String(repeating: "${a:-", count: 10_000) + String(repeating: "}", count: 10_000), "bad-substitution",
            "cannot expand '" + String(repeating: "${a:-", count: 16)
                + "…': substitutions are nested more than 200 deep"),
    ]

    @Test("a word that cannot be expanded has its error", arguments: rejected)
    func reject(_ example: Rejected) {
        let error = #expect(throws: BuildError.self) { try WordExpander().expand(example.word, with: Self.values) }
        #expect(error?.code.rawValue == example.code)
        #expect(error?.message == example.message)
        #expect(error?.hint != nil)
    }

    @Test("200 substitutions inside one another are fine")
    func nesting() throws {
        let word = String(repeating: "${a:-", count: 200) + "x" + String(repeating: "}", count: 200)
        #expect(try WordExpander().expand(word, with: [:]).text == "x")
    }

    @Test("a pattern on a long value takes a bounded time or is refused", .timeLimit(.minutes(1)))
    func hostilePatterns() throws {
        let value = String(repeating: "a", count: 4000)
        let stars = String(repeating: "a*", count: 500) + "b"
        #expect(try WordExpander().expand("${x#\(stars)}", with: ["x": value]).text == value)
        let error = #expect(throws: BuildError.self) {
            try WordExpander().expand("${x%%\(stars)}", with: ["x": String(repeating: value, count: 40)])
        }
        #expect(error?.message.hasSuffix("its pattern and value are too long to match") == true)
    }

    @Test("a replacement may not multiply without end")
    func replacementLimit() {
        let value = String(repeating: "a", count: 100_000)
        #expect(throws: BuildError.self) {
            try WordExpander().expand("${x//a/$x}", with: ["x": value])
        }
    }
}
