import Testing
import WhittleCore
import WhittleDockerfile

/// What instructions say, past their words.
@Suite("Instructions")
struct InstructionTests {
    static func only(_ text: String) throws -> Instruction {
        let dockerfile = try Dockerfile(parsing: "FROM scratch\n" + text)
        try #require(dockerfile.stages.count == 1 && dockerfile.stages[0].instructions.count == 1)
        return dockerfile.stages[0].instructions[0]
    }

    @Test("global arguments and stages are told apart")
    func stages() throws {
        let file = try Dockerfile(
            parsing:
                "ARG A=1\nARG B\nFROM a:$A AS One\nRUN x\nfrom one\nFROM --platform=linux/$B c as three\nARG D\nENV E=1\n"
        )
        #expect(file.globalArguments.map(\.text) == ["ARG A=1", "ARG B"])
        #expect(file.stages.map(\.index) == [0, 1, 2])
        #expect(file.stages.map(\.name) == ["one", nil, "three"])
        #expect(file.stages.map(\.from.image.text) == ["a:$A", "one", "c"])
        #expect(file.stages.map(\.from.platform?.text) == [nil, nil, "linux/$B"])
        #expect(file.stages.map { $0.instructions.map(\.name) } == [["RUN"], [], ["ARG", "ENV"]])
        #expect(file.instructions.count == 8)
    }

    @Test("RUN keeps its command, mounts and modes")
    func run() throws {
        let instruction = try Self.only(
            "RUN --mount=type=cache,target=/x,RO --network=host --device=a/b=c,required make \\\n  all")
        guard case .run(let run) = instruction.kind else { throw WrongKind() }
        #expect(run.command.isShell)
        #expect(run.command.arguments == ["make   all"])
        #expect(run.network == .host)
        #expect(run.security == .sandbox)
        #expect(run.mounts.map { $0.fields.map(\.key) } == [["type", "target", "ro"]])
        #expect(run.mounts[0].fields.map(\.value) == ["cache", "/x", nil])
        #expect(run.mounts[0].fields[1].token.range.start == SourcePosition(line: 2, column: 24))
        #expect(run.devices.map(\.name) == ["a/b=c"])
        #expect(run.devices.map(\.isRequired) == [true])
    }

    struct Command: Sendable {
        let text: String
        let expected: Instruction.CommandLine
    }

    @Test("RUN, CMD and ENTRYPOINT without a command have an empty one")
    func emptyCommands() throws {
        for keyword in ["RUN", "CMD", "ENTRYPOINT"] {
            let shell = try Self.only(keyword)
            let exec = try Self.only("\(keyword) []")
            for (instruction, isShell) in [(shell, true), (exec, false)] {
                switch instruction.kind {
                case .run(let run): #expect(run.command.isShell == isShell)
                case .cmd(let command), .entrypoint(let command): #expect(command.isShell == isShell)
                default: throw WrongKind()
                }
            }
        }
    }

    @Test("COPY has paths, inline files and all its flags")
    func copy() throws {
        let instruction = try Self.only(
            "COPY --from=b --chown=1:2 --chmod=755 --link --parents --exclude=x --exclude=y a <<-E <<'F' /d\n\t1\n\tE\n$2\nF\n"
        )
        guard case .copy(let copy) = instruction.kind else { throw WrongKind() }
        #expect(copy.destination.text == "/d")
        #expect(copy.from?.text == "b")
        #expect(copy.chown?.text == "1:2")
        #expect(copy.chmod?.text == "755")
        #expect(copy.isLinked && copy.keepsParents)
        #expect(copy.excludes.map(\.text) == ["x", "y"])
        let sources = copy.sources.map { source in
            switch source {
            case .path(let path): "path \(path.text)"
            case .inline(let name, let text, let expands, _): "\(name) \(expands) \(text)"
            }
        }
        #expect(sources == ["path a", "E true 1\n", "F false $2\n"])
    }

    @Test("switches of ADD are off, on or not given")
    func add() throws {
        guard case .add(let plain) = try Self.only("ADD a b").kind else { throw WrongKind() }
        #expect(plain.unpacks == nil && plain.keepsGitDirectory == nil && !plain.isLinked)
        let flags = "--unpack=false --keep-git-dir --checksum=sha256:1"
        guard case .add(let full) = try Self.only("ADD \(flags) a b").kind else { throw WrongKind() }
        #expect(full.unpacks == false && full.keepsGitDirectory == true)
        #expect(full.checksum?.text == "sha256:1")
    }

    @Test("assignments keep quotes, and know the old form")
    func assignments() throws {
        guard case .env(let new) = try Self.only("ENV A=1 B=\"x y\"").kind else { throw WrongKind() }
        #expect(new.map { "\($0.name.text)|\($0.value.text)|\($0.isLegacy)" } == ["A|1|false", "B|\"x y\"|false"])
        guard case .label(let old) = try Self.only("LABEL a  b  c ").kind else { throw WrongKind() }
        #expect(old.map { "\($0.name.text)|\($0.value.text)|\($0.isLegacy)" } == ["a|b  c|true"])
        guard case .arg(let declared) = try Self.only("ARG A B= C=\"d e\"").kind else { throw WrongKind() }
        #expect(declared.map(\.name.text) == ["A", "B", "C"])
        #expect(declared.map(\.value?.text) == [nil, "", "\"d e\""])
        #expect(declared[2].value?.range == SourceRange(.init(line: 2, column: 12), .init(line: 2, column: 17)))
    }

    @Test("a health check has its command and times")
    func healthcheck() throws {
        let flags = "--interval=1m30s --timeout=0.5s --start-period=0 --start-interval= --retries=4"
        guard
            case .healthcheck(.command(let command, let timing)) = try Self.only("HEALTHCHECK \(flags) cmd [\"a\"]")
                .kind
        else { throw WrongKind() }
        #expect(command.arguments == ["a"] && !command.isShell)
        #expect(
            timing
                == .init(interval: .seconds(90), timeout: .milliseconds(500), startPeriod: .zero, retries: 4))
        guard case .healthcheck(.none) = try Self.only("HEALTHCHECK none").kind else { throw WrongKind() }
    }

    @Test("ONBUILD keeps the wrapped instruction as text, heredocs included")
    func onbuild() throws {
        guard case .onbuild(let plain) = try Self.only("ONBUILD  run a \\\n  b").kind else { throw WrongKind() }
        #expect(plain.expression == "run a   b")
        #expect(plain.keyword.text == "run")
        #expect(plain.problem == nil)
        guard case .onbuild(let typo) = try Self.only("ONBUILD RUNN a").kind else { throw WrongKind() }
        #expect(typo.problem?.message == "there is no instruction 'RUNN'")
        #expect(typo.problem?.hint == "did you mean 'RUN'?")
        guard case .onbuild(let heredoc) = try Self.only("ONBUILD COPY <<A /b\nx\nA\n").kind else { throw WrongKind() }
        #expect(heredoc.expression == "COPY <<A /b\nx\nA")
        let trigger = try Instruction(parsingTrigger: heredoc.expression, of: "base")
        guard case .copy(let copy) = trigger.kind else { throw WrongKind() }
        #expect(copy.sources.count == 1)
    }

    @Test(
        "a trigger that is not one instruction is refused", arguments: ["FROM a", "RUN a\nRUN b", "FROM a\nRUN b"])
    func badTriggers(_ text: String) {
        let error = #expect(throws: BuildError.self) { try Instruction(parsingTrigger: text, of: "base:1") }
        #expect(error?.code.rawValue == "bad-onbuild-trigger")
        #expect(error?.message == "an ONBUILD trigger of the image 'base:1' is not one instruction")
    }

    @Test("volumes are trimmed, ports keep their order")
    func lists() throws {
        guard case .volume(let volumes) = try Self.only("VOLUME [\" /a \", \"/b\"]").kind else { throw WrongKind() }
        #expect(volumes.map(\.text) == ["/a", "/b"])
        guard case .expose(let ports) = try Self.only("EXPOSE 90 80/udp").kind else { throw WrongKind() }
        #expect(ports.map(\.text) == ["90", "80/udp"])
    }

    struct Comment: Sendable {
        let text: String
        let index: Int?
        let comment: String
    }
    static let trailing = [
        Comment(
            text: "COPY package*.json ./ # Copy package files first", index: 2, comment: "# Copy package files first"),
        Comment(text: "COPY . . #last", index: 2, comment: "#last"),
        Comment(text: "ADD --chown=1 a b c # d", index: 3, comment: "# d"),
        Comment(text: "EXPOSE 80 # web", index: 1, comment: "# web"),
        Comment(text: "COPY a#b c#", index: nil, comment: ""),
        Comment(text: "COPY #a b", index: nil, comment: ""),
        Comment(text: "COPY [\"a\", \"#b\", \"c\"]", index: nil, comment: ""),
        Comment(text: "RUN npm ci # Install dependencies", index: nil, comment: ""),
    ]

    @Test("a comment that became arguments is found", arguments: trailing)
    func trailingComments(_ example: Comment) throws {
        let found = trailingComment(in: try Self.only(example.text))
        #expect(found?.index == example.index)
        #expect(found?.text ?? "" == example.comment)
        if let found {
            let column = try #require(example.text.firstRange(of: example.comment)).lowerBound.utf16Offset(
                in: example.text)
            #expect(found.range.start == SourcePosition(line: 2, column: column + 1))
            #expect(found.range.end == SourcePosition(line: 2, column: example.text.utf8.count + 1))
        }
    }

    struct WrongKind: Error {}
}
