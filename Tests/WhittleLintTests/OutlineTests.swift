import Testing
import WhittleCore
import WhittleDockerfile
import WhittleLint
import WhittleOCI

/// `--call=outline` and `--call=targets`.
@Suite("Outline")
struct OutlineTests {
    static let text = """
        ARG inherited=box
        ARG unused=abc
        # sfx is a suffix
        ARG sfx="usy${inherited}"

        FROM b${sfx} AS first
        # this is not assigned to anything
        ARG FOO=123
        # BAR is a number
        ARG BAR=456
        RUN --mount=type=secret,target=/etc/passwd,required=true --mount=type=ssh true

        FROM alpine${unused} AS second
        ARG BAZ
        RUN --mount=type=secret,id=other true

        FROM scratch AS third
        ARG ABC=a
        RUN --mount=type=secret,id=third${ABC} --mount=type=cache,target=/c true

        # target is what is wanted
        FROM third AS target
        ARG sfx
        COPY --from=first /etc/passwd /
        RUN --mount=type=ssh,id=deploy,required true

        FROM second

        """

    static func outline(_ text: String, _ change: (inout LintRequest) -> Void) throws -> Outline {
        var request = LintRequest()
        change(&request)
        return try Outline(Dockerfile(parsing: text), request)
    }

    @Test("has the arguments that make a difference, with values, descriptions and lines")
    func arguments() throws {
        let outline = try Self.outline(Self.text) {
            $0.target = "target"
            $0.arguments["BAR"] = "678"
        }
        #expect(outline.name == "target")
        #expect(outline.description == "is what is wanted")
        let shown = outline.arguments.map {
            "\($0.lines.lowerBound) \($0.name)=\($0.value ?? "-") \($0.description ?? "")"
        }
        #expect(
            shown == [
                "1 inherited=box ", "4 sfx=usybox is a suffix", "8 FOO=123 ", "10 BAR=678 is a number", "18 ABC=a ",
            ])
    }

    @Test("has secrets, ssh sockets and caches of the stages that the target needs")
    func mounts() throws {
        let outline = try Self.outline(Self.text) { $0.target = "target" }
        func shown(_ mounts: [Outline.Mount]) -> [String] {
            mounts.map { "\($0.lines.lowerBound) \($0.name)\($0.isRequired ? " required" : "")" }
        }
        #expect(shown(outline.secrets) == ["11 passwd required", "19 thirda"])
        #expect(shown(outline.sshSockets) == ["11 default", "25 deploy required"])
        #expect(shown(outline.caches) == ["19 /c"])
        let other = try Self.outline(Self.text) { _ in }
        #expect(shown(other.secrets) == ["15 other"])
        #expect(other.name == nil)
    }

    @Test("follows defaults that name each other, themselves included")
    func recursion() throws {
        let text = "ARG A=1\nARG B=2\nARG A=${A}${B}\nARG C=${A}4\nARG D=5\nFROM scratch\nARG C\n"
        let outline = try Self.outline(text) { _ in }
        #expect(outline.arguments.map { "\($0.name)=\($0.value ?? "")" } == ["B=2", "A=12", "C=124"])
    }

    @Test("is BuildKit's document in JSON")
    func json() throws {
        let text =
            "FROM scratch AS a\n# X is it\nARG X=1\nRUN --mount=type=secret,id=s,required --mount=type=ssh \\\n true\n"
        let outline = try Self.outline(text) { _ in }
        #expect(
            outline.json.text(as: .compact)
                == #"{"name":"a","args":[{"name":"X","description":"is it","value":"1","location":{"ranges":[{"start":{"line":3},"end":{"line":3}}]}}],"#
                + #""secrets":[{"name":"s","required":true,"location":{"ranges":[{"start":{"line":4},"end":{"line":4}},{"start":{"line":5},"end":{"line":5}}]}}],"#
                + #""ssh":[{"name":"default","location":{"ranges":[{"start":{"line":4},"end":{"line":4}},{"start":{"line":5},"end":{"line":5}}]}}],"#
                + #""sources":[""# + Base64.encode(Array(text.utf8)) + #""]}"#)
        #expect(
            outline.text
                == "TARGET: a\n\nBUILD ARG   VALUE   DESCRIPTION\nX           1       is it\n\nSECRET   REQUIRED\ns        true\n\n"
                + "SSH       REQUIRED\ndefault\n\n")
    }

    @Test("lists targets")
    func targets() throws {
        let text = "FROM --platform=$X a AS one\n# two the second\nFROM one AS two\nFROM two\n"
        let list = TargetList(try Dockerfile(parsing: text))
        #expect(list.text == "TARGET      DESCRIPTION\none\ntwo         the second\n(default)\n")
        #expect(list.targets.map(\.base) == ["a", "one", "two"])
        #expect(list.targets.map(\.isDefault) == [false, false, true])
        #expect(
            list.json["targets"]?[0]?.text(as: .compact)
                == #"{"name":"one","base":"a","platform":"$X","location":{"ranges":[{"start":{"line":1},"end":{"line":1}}]}}"#
        )
        #expect(list.json["targets"]?[2]?["default"] == true)
    }
}
