import Testing
import WhittleCore
import WhittleFrontend
import WhittleGraph

@Suite("Errors")
struct ErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let summary: String
        var options = BuildOptions()
        var testDescription: String { text.replacing("\n", with: "; ") }

        init(_ text: String, _ summary: String, _ options: BuildOptions = BuildOptions()) {
            self.text = text
            self.summary = summary
            self.options = options
        }
    }

    static let stageCases: [Case] = [
        Case(
            "ARG A=b",
            "no-stages: 'Dockerfile' has no stages to build "
                + "| a Dockerfile begins with FROM; 'FROM scratch' starts from nothing"),
        Case(
            "FROM a AS builder\nFROM b",
            "unknown-target: no stage is named 'buildr' "
                + "| did you mean 'builder'? the stages are: builder, 1", BuildOptions(target: "buildr")),
        Case(
            "FROM a", "unknown-target: no stage is named '1' | the stages are: 0", BuildOptions(target: "1")),
        Case(
            "FROM a", "unknown-target: no stage is named 'x' | the stages are: 0",
            BuildOptions(additionalTargets: ["x"])),
        Case(
            "FROM a\nCOPY --from=1 /a /b",
            "2:13 unknown-stage-number: there is no stage number 1 | the only stage is number 0"),
        Case(
            "FROM a\nFROM b\nCOPY --from=-3 /a /b",
            "3:13 unknown-stage-number: there is no stage number -3 | stages are counted from 0; the last one is 1"),
        Case(
            "FROM a AS one\nCOPY --from=two /a /b\nFROM b AS two",
            "2:13 later-stage: stage 'one' takes files from 'two', which is defined below it "
                + "| move the stage 'two' above 'one'", BuildOptions(target: "one")),
        Case(
            "FROM a AS one\nRUN --mount=from=two,target=/x true\nFROM b AS two",
            "2:13 later-stage: stage 'one' takes files from 'two', which is defined below it "
                + "| move the stage 'two' above 'one'", BuildOptions(target: "one")),
        Case(
            "FROM a AS one\nCOPY --from=One /a /b",
            "2:13 circular-dependency: stage 'one' takes files from itself "
                + "| its own files are there already: copy them in a RUN, or name another stage"),
        Case(
            "FROM a AS one\nCOPY --from=two /a /b\nFROM b AS two\nCOPY --from=one /a /b\nFROM c",
            "4:13 circular-dependency: stages need each other: one → two → one "
                + "| a stage can only take files from stages above it"),
        Case(
            "FROM a\nCOPY --from=$A /a /b",
            "2:13 variable-in-from: --from=$A: variables are not expanded in --from "
                + "| name a stage for it, 'FROM $A AS NAME' with a global ARG, and use --from=NAME"),
        Case(
            "ARG VERSION\nFROM $VERSION",
            "2:6 empty-base-name: FROM '$VERSION' comes to an empty name "
                + "| ARG VERSION has no value: give it a default, or pass --build-arg VERSION=VALUE"),
        Case(
            "FROM \"\"",
            "1:6 empty-base-name: FROM '\"\"' comes to an empty name "
                + "| name an image or a stage; 'FROM scratch' starts from nothing"),
        Case(
            "ARG VERSION\nFROM node:$VERSION",
            "2:6 invalid-image-reference: invalid image name 'node:': there is no tag after ':' "
                + "| ARG VERSION has no value: give it a default, or pass --build-arg VERSION=VALUE"),
        Case(
            "ARG VERSION=1\nFROM ${VERSIN}",
            "2:6 empty-base-name: FROM '${VERSIN}' comes to an empty name | did you mean '$VERSION'?"),
        Case(
            "FROM a\nARG BASE=b\nFROM $BASE",
            "3:6 empty-base-name: FROM '$BASE' comes to an empty name "
                + "| declare it with 'ARG BASE=VALUE' above the first FROM: FROM sees no other variables"),
        Case(
            "FROM --platform=$BUILDPLATFROM a",
            "1:17 invalid-platform: '$BUILDPLATFROM' comes to '', which is no platform "
                + "| did you mean '$BUILDPLATFORM'?"),
        Case(
            "FROM --platform=linux/amd64/v1/x a",
            "1:17 invalid-platform: 'linux/amd64/v1/x' is no platform "
                + "| write OS/ARCHITECTURE, for instance linux/amd64 or linux/arm64"),
        Case(
            "FROM a:b:c\nFROM b",
            "1:6 invalid-image-reference: invalid image name 'a:b:c': 'a:b' is no repository part: lower-case letters "
                + "and digits, with single '.', '_', '__' or dashes between them | "),
        Case(
            "FROM alpine AS builder\nFROM b\nCOPY --from=Buildr /a /b",
            "3:13 invalid-image-reference: invalid image name 'Buildr': the repository must be lower case "
                + "| did you mean the stage 'builder'?"),
        Case(
            "ARG SOURCE_DATE_EPOCH=today\nFROM a",
            "1:23 invalid-source-date-epoch: SOURCE_DATE_EPOCH 'today' is no number of seconds | give the seconds "
                + "since 1970-01-01, for instance those of 'git log -1 --pretty=%ct'"),
        Case(
            "FROM a",
            "invalid-source-date-epoch: SOURCE_DATE_EPOCH 'x' is no number of seconds | give the seconds "
                + "since 1970-01-01, for instance those of 'git log -1 --pretty=%ct'",
            BuildOptions(buildArguments: ["SOURCE_DATE_EPOCH": "x"])),
        Case(
            "ARG SOURCE_DATE_EPOCH=253402300800\nFROM a",
            "1:23 invalid-source-date-epoch: SOURCE_DATE_EPOCH '253402300800' is no number of seconds | give the seconds "
                + "since 1970-01-01, for instance those of 'git log -1 --pretty=%ct'"),
    ]

    @Test("what is wrong with stages is told with its place and the way out", arguments: stageCases)
    func stages(example: Case) async throws {
        #expect(try await failure(of: example.text, example.options).summary == example.summary)
    }

    static let instructionCases: [Case] = [
        Case(
            "COPY --chown=: a /b",
            "2:14 invalid-owner: --chown ':': there is no user before ':' "
                + "| write USER or USER:GROUP, names or numbers"),
        Case(
            "COPY --chown=a: a /b",
            "2:14 invalid-owner: --chown 'a:': there is no group after ':' "
                + "| write USER or USER:GROUP, names or numbers"),
        Case(
            "COPY --chown=a:b:c a /b",
            "2:14 invalid-owner: --chown 'a:b:c': there is more than one ':' "
                + "| write USER or USER:GROUP, names or numbers"),
        Case(
            "COPY --chown=a/b a /b",
            "2:14 invalid-owner: --chown 'a/b': a name has no blanks, slashes or control characters "
                + "| write USER or USER:GROUP, names or numbers"),
        Case(
            "COPY --chown=4294967295 a /b",
            "2:14 invalid-owner: --chown '4294967295': 4294967295 is no user or group number "
                + "| write USER or USER:GROUP, names or numbers"),
        Case(
            "USER a:b:c\nWORKDIR /x",
            "3:1 invalid-owner: USER 'a:b:c' cannot own the directory that WORKDIR makes: there is more than one ':' "
                + "| write USER as NAME or NAME:GROUP, names or numbers"),
        Case(
            "ADD --chmod=0888 a /b",
            "2:13 invalid-mode: --chmod '0888': it is no octal number between 0 and 7777 "
                + "| write it as chmod takes it, for instance 755 or u=rwX,go=rX"),
        Case(
            "COPY --chmod=rwx a /b",
            "2:14 invalid-mode: --chmod 'rwx': it is no mode "
                + "| write it as chmod takes it, for instance 755 or u=rwX,go=rX"),
        Case(
            "EXPOSE 80 http",
            "2:11 invalid-port: EXPOSE 'http': 'http' is no port number "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE 80 # web",
            "2:11 invalid-port: EXPOSE '#': '#' is no port number | a comment needs a line of its own"),
        Case(
            "EXPOSE 80/http",
            "2:8 invalid-port: EXPOSE '80/http': 'http' is no protocol "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE 65536",
            "2:8 invalid-port: EXPOSE '65536': '65536' is above 65535 "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE 9-8",
            "2:8 invalid-port: EXPOSE '9-8': the range '9-8' ends before it begins "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE /tcp",
            "2:8 invalid-port: EXPOSE '/tcp': there is no port number "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE x:1:2",
            "2:8 invalid-port: EXPOSE 'x:1:2': 'x' is no address "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "EXPOSE 1-3:5-6",
            "2:8 invalid-port: EXPOSE '1-3:5-6': the host ports are not as many as the container's "
                + "| write PORT, PORT/udp or FIRST-LAST, for instance 8080 or 53/udp"),
        Case(
            "STOPSIGNAL SIGTREM",
            "2:12 invalid-signal: STOPSIGNAL 'SIGTREM' is no signal | did you mean 'SIGTERM'?"),
        Case(
            "STOPSIGNAL 65",
            "2:12 invalid-signal: STOPSIGNAL '65' is no signal | write a name such as SIGTERM, or a number from 1 to 64"
        ),
        Case(
            "VOLUME $UNSET",
            "2:8 empty-volume: VOLUME '$UNSET' comes to an empty path "
                + "| declare the variable with ARG or ENV in this stage, or write the path"),
        Case(
            "VOLUME /data # keep",
            "2:14 trailing-comment: VOLUME has a comment behind it, whose words would be taken for arguments "
                + "| put the comment on a line of its own: '#' begins one only at the start of a line"),
        Case("RUN []", "2:1 empty-command: RUN [] has no command | name the program: RUN [\"program\", \"argument\"]"),
        Case(
            "RUN --mount=type=cache,target=/ true",
            "2:13 invalid-mount: a mount cannot cover '/' | give a directory below '/' as target"),
        Case(
            "RUN --mount=target=. true",
            "2:13 invalid-mount: a mount cannot cover '/' "
                + "| '.' is '/' in this working directory: set WORKDIR before, or write target=/PATH"),
        Case(
            "RUN --mount=type=cache,id=x true",
            "2:13 invalid-mount: a mount cannot cover '/' | give the mount a target: target=/PATH"),
        Case(
            "COPY package*.json ./ # Copy package files first",
            "2:23 trailing-comment: COPY has a comment behind it, whose words would be taken for arguments "
                + "| put the comment on a line of its own: '#' begins one only at the start of a line"),
        Case(
            "COPY https://example.com/a /b",
            "2:6 remote-copy: COPY cannot take 'https://example.com/a': it is no path "
                + "| COPY takes files of the build context, a stage or an image; ADD downloads"),
        Case(
            "ADD --checksum=sha256:0 a /b",
            "2:16 invalid-checksum: --checksum is only for URLs and git repositories "
                + "| remove --checksum: files of the build context are compared by their contents anyway"),
    ]

    @Test("what is wrong with an instruction is told with its place and the way out", arguments: instructionCases)
    func instructions(example: Case) async throws {
        #expect(try await failure(of: "FROM alpine\n" + example.text).summary == example.summary)
    }

    static let downloadCases: [Case] = [
        Case(
            "ADD https://user:pass@example.com?sig=1 /b/",
            "2:5 url-without-name: 'https://example.com?…' does not say what to call the file in the directory that it is "
                + "added to | end the destination with a file name instead of '/'"),
        Case(
            "ADD --checksum=sha256:12 https://a/b /b",
            "2:16 invalid-checksum: '--checksum=sha256:12' is no digest: it has 2 digits instead of 64 "
                + "| the form is sha256: and the 64 hex digits that sha256sum prints"),
        Case(
            "ADD --checksum=md5:12 https://a/b /b",
            "2:16 invalid-checksum: '--checksum=md5:12' is no digest: 'md5' is not supported, only sha256 "
                + "| the form is sha256: and the 64 hex digits that sha256sum prints"),
        Case(
            "ADD --checksum=sha256:12 https://a/b https://a/c /b/",
            "2:16 invalid-checksum: --checksum is for one source, and this ADD has several "
                + "| write an ADD for each of them"),
    ]

    @Test("what is wrong with a download is told before anything is asked for", arguments: downloadCases)
    func downloads(example: Case) async throws {
        #expect(try await failure(of: "FROM alpine\n" + example.text).summary == example.summary)
    }

    static let unsupportedCases: [Case] = [
        Case(
            "ENV URL=git://a/b?mtime=now\nADD a $URL /b/",
            "3:7 invalid-git-address: reading the address of a git repository: 'mtime' of the query is 'checkout' or 'commit', not 'now' "
                + "| the form is https://HOST/PATH.git#REFERENCE:DIRECTORY, or ?ref=REFERENCE&subdir=DIRECTORY"),
        Case(
            "ADD --checksum=sha256:12 git@github.com:a/b.git /b",
            "2:16 invalid-git-address: reading the address of a git repository: the checksum 'sha256:12' is no commit: hexadecimal digits are expected "
                + "| the form is https://HOST/PATH.git#REFERENCE:DIRECTORY, or ?ref=REFERENCE&subdir=DIRECTORY"),
        Case(
            "ADD --keep-git-dir=false https://github.com/a/b.git?keep-git-dir /b",
            "2:26 invalid-git-address: reading the address of a git repository: its query asks for .git, and --keep-git-dir=false does not "
                + "| the form is https://HOST/PATH.git#REFERENCE:DIRECTORY, or ?ref=REFERENCE&subdir=DIRECTORY"),
        Case(
            "ADD --keep-git-dir https://github.com/a/b.git?keep-git-dir=false /b",
            "2:20 invalid-git-address: reading the address of a git repository: --keep-git-dir asks for .git, and its query does not "
                + "| the form is https://HOST/PATH.git#REFERENCE:DIRECTORY, or ?ref=REFERENCE&subdir=DIRECTORY"),
        Case(
            "RUN --mount=type=ssh,source=/x true",
            "2:13 bad-mount: a mount of type 'ssh' has no option 'source' "
                + "| leave 'source' out, or choose another type"),
        Case(
            "RUN --security=insecure true",
            "2:5 not-allowed: RUN --security=insecure is not allowed in this build "
                + "| if you trust the Dockerfile, add --allow security.insecure"),
        Case(
            "RUN --mount=target=/a --network=host true",
            "2:23 not-allowed: RUN --network=host is not allowed in this build "
                + "| if you trust the Dockerfile, add --allow network.host"),
        Case(
            "RUN --device=vendor.com/gpu=all true",
            "2:14 not-allowed: RUN --device=vendor.com/gpu=all is not allowed in this build "
                + "| if you trust the Dockerfile, add --allow device=vendor.com/gpu=all"),
    ]

    @Test("what is not done yet or not allowed is told, with what to do instead", arguments: unsupportedCases)
    func unsupported(example: Case) async throws {
        let text = "FROM alpine\n" + example.text
        #expect(
            try await failure(of: text.replacing("FROM alpine", with: "FROM alpine AS a")).summary == example.summary)
        // In a stage that is not needed it does not matter.
        _ = try await lower(text + "\nFROM alpine")
    }

    @Test("an image that is not found is told at its place, with the stage that was probably meant")
    func imageNotFound() async throws {
        let resolver = FakeResolver(missing: ["buildr:latest", "nowhere:latest"])
        let copy = try await failure(
            of: "FROM alpine AS builder\nRUN true\nFROM scratch\nCOPY --from=buildr /a /b", resolver: resolver)
        #expect(
            copy.summary == "4:13 image-not-found: no image 'buildr:latest' "
                + "| did you mean the stage 'builder'? check the name")
        let from = try await failure(of: "FROM alpine\nFROM nowhere AS x", resolver: resolver)
        #expect(from.summary == "2:6 image-not-found: no image 'nowhere:latest' | check the name")
        let number = try await failure(
            of: "FROM alpine AS base\nRUN true\nFROM alpine\nRUN --mount=target=/x,from=0 true",
            resolver: FakeResolver(missing: ["0:latest"]))
        #expect(number.hint == "did you mean the stage 'base'? check the name")
        let mount = try await failure(
            of: "FROM alpine\nRUN --mount=target=/x,from=nowhere true", resolver: resolver)
        #expect(mount.location?.range.start == SourcePosition(line: 2, column: 23))
    }

    @Test("the errors of words have the place of the word")
    func words() async throws {
        for (line, column) in [
            ("COPY a ${ /b", 8), ("ENV A=b C=${X:?missing}", 11), ("RUN --mount=target=${ true", 13),
        ] {
            let error = try await failure(of: "FROM alpine\n\(line)")
            #expect(error.location?.range.start == SourcePosition(line: 2, column: column))
        }
        #expect(try await failure(of: "ARG A=${X:?missing}\nFROM a").location?.range.start.line == 1)
    }
}
