import Testing
import WhittleCore

@testable import WhittleDockerfile

@Suite("RUN --mount")
struct MountTests {
    static func mount(_ value: String, with values: [String: String] = [:]) throws -> RunMount {
        let file = try Dockerfile(parsing: "FROM scratch\nRUN --mount=\(value) x")
        guard case .run(let run) = file.stages[0].instructions[0].kind else { throw InstructionTests.WrongKind() }
        return try run.mounts[0].mount { (word) throws(BuildError) in try WordExpander().expand(word, with: values).text
        }
    }

    struct Accepted: CustomTestStringConvertible, Sendable {
        let value: String
        let mount: RunMount
        var testDescription: String { value }
    }
    static let accepted = [
        Accepted(value: "target=/a", mount: RunMount(type: .bind, target: "/a", isReadOnly: true)),
        Accepted(
            value: "type=bind,from=b,src=c,dst=/d,rw",
            mount: RunMount(type: .bind, from: "b", source: "c", target: "/d", isReadOnly: false)),
        Accepted(
            value: "type=bind,source=c,destination=/d,readwrite=false",
            mount: RunMount(type: .bind, source: "c", target: "/d", isReadOnly: true)),
        Accepted(
            value: "TYPE=Cache,target=/c,id=i,sharing=Locked,mode=0755,uid=1,gid=2,from=b,source=s",
            mount: RunMount(
                type: .cache, from: "b", source: "s", target: "/c", isReadOnly: false, id: "i", sharing: .locked,
                mode: 0o755, uid: 1, gid: 2)),
        Accepted(value: "type=cache,target=/c,ro", mount: RunMount(type: .cache, target: "/c", isReadOnly: true)),
        Accepted(
            value: "type=tmpfs,target=/t,size=64m",
            mount: RunMount(type: .tmpfs, target: "/t", isReadOnly: false, sizeLimit: 64 << 20)),
        Accepted(
            value: "target=/t,size=1.5k,type=tmpfs",
            mount: RunMount(type: .tmpfs, target: "/t", isReadOnly: false, sizeLimit: 1536)),
        Accepted(
            value: "type=secret,id=key,target=/k,env=KEY,required,mode=0400",
            mount: RunMount(
                type: .secret, target: "/k", isReadOnly: true, id: "key", isRequired: true, mode: 0o400,
                environmentVariable: "KEY")),
        Accepted(
            value: "type=secret,source=key,required=false",
            mount: RunMount(type: .secret, source: "key", isReadOnly: true)),
        Accepted(value: "type=ssh", mount: RunMount(type: .ssh, isReadOnly: true)),
        Accepted(
            value: "type=cache,\"target=/a,b\"", mount: RunMount(type: .cache, target: "/a,b", isReadOnly: false)),
        Accepted(
            value: "type=cache,target=${HOME}/.cache,uid=$UID",
            mount: RunMount(type: .cache, target: "/root/.cache", isReadOnly: false, uid: 7)),
    ]

    @Test("options become values", arguments: accepted)
    func accepts(_ example: Accepted) throws {
        let text = example.value.replacing("\"", with: "\\\"")
        #expect(try Self.mount(text, with: ["HOME": "/root", "UID": "7"]) == example.mount)
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let value: String
        let code: String
        let message: String
        let hint: String
        init(_ value: String, _ code: String, _ message: String, _ hint: String) {
            (self.value, self.code, self.message, self.hint) = (value, code, message, hint)
        }
        var testDescription: String { value }
    }
    static let rejected = [
        Rejected("type=bnid", "bad-mount", "the mount option 'type' cannot be 'bnid'", "did you mean 'bind'?"),
        Rejected(
            "type=volume", "bad-mount", "the mount option 'type' cannot be 'volume'",
            "types are bind, cache, tmpfs, secret, ssh"),
        Rejected(
            "type=cache,taget=/x", "unknown-mount-option", "there is no mount option 'taget'", "did you mean 'target'?"),
        Rejected(
            "target=/x,consistency=1", "unknown-mount-option", "there is no mount option 'consistency'",
            "known are type, from, source, target, readonly, id, sharing, required, size, mode, uid, gid, src, dst, "
                + "destination, ro, rw, readwrite, env"),
        Rejected(
            "type=cache,foo", "unknown-mount-option", "there is no mount option 'foo'",
            "known are type, from, source, target, readonly, id, sharing, required, size, mode, uid, gid, src, dst, "
                + "destination, ro, rw, readwrite, env"),
        Rejected("type=cache,target", "bad-mount", "the mount option 'target' has no value", "write 'target=VALUE'"),
        Rejected(
            "type=cache,sharing=lokced", "bad-mount", "the mount option 'sharing' cannot be 'lokced'",
            "did you mean 'locked'?"),
        Rejected(
            "type=bind,sharing=shared", "bad-mount", "a mount of type 'bind' has no option 'sharing'",
            "leave 'sharing' out, or choose another type"),
        Rejected(
            "type=bind,mode=1", "bad-mount", "a mount of type 'bind' has no option 'mode'",
            "leave 'mode' out, or choose another type"),
        Rejected(
            "type=cache,mode=0888", "bad-mount", "the mount option 'mode' cannot be '0888'",
            "it is an octal number, for instance 0755"),
        Rejected(
            "type=cache,uid=-1", "bad-mount", "the mount option 'uid' cannot be '-1'", "it is a number"),
        Rejected(
            "type=tmpfs,size=1x", "bad-mount", "the mount option 'size' cannot be '1x'",
            "it is a size, for instance 64m"),
        Rejected(
            "type=bind,ro=maybe", "bad-mount", "the mount option 'ro' cannot be 'maybe'", "it is 'true' or 'false'"),
        Rejected("type=secret", "bad-mount", "a secret mount names no secret", "write 'type=secret,id=NAME'"),
        Rejected(
            "type=secret,id=a,source=b", "bad-mount", "a secret mount has both 'source' and 'id'",
            "keep 'id', and 'target' for the path"),
        Rejected(
            "type=secret,id=a,from=b", "bad-mount", "a mount of type 'secret' has no option 'from'",
            "leave 'from' out, or choose another type"),
        Rejected(
            "type=ssh,source=/s", "bad-mount", "a mount of type 'ssh' has no option 'source'",
            "leave 'source' out, or choose another type"),
    ]

    @Test("a wrong option has its error", arguments: rejected)
    func rejects(_ example: Rejected) {
        let error = #expect(throws: BuildError.self) { try Self.mount(example.value) }
        #expect(error?.code.rawValue == example.code)
        #expect(error?.message == example.message)
        #expect(error?.hint == example.hint)
    }

    @Test("a wrong option is shown at its place")
    func errorPlace() throws {
        let file = try Dockerfile(parsing: "FROM scratch\nRUN --mount=type=cache,taget=/x y")
        guard case .run(let run) = file.stages[0].instructions[0].kind else { throw InstructionTests.WrongKind() }
        let error = #expect(throws: BuildError.self) {
            try run.mounts[0].mount(locating: file.location) { (word) throws(BuildError) in word }
        }
        #expect(
            error?.description == """
                Dockerfile:2:24: error[unknown-mount-option]: there is no mount option 'taget'
                 2 | RUN --mount=type=cache,taget=/x y
                   |                        ^^^^^^^^
                hint: did you mean 'target'?
                """)
    }

    @Test("what the expansion throws passes through")
    func expansionFails() {
        let error = #expect(throws: BuildError.self) { try Self.mount("target=${X:?none}") }
        #expect(error?.code.rawValue == "required-variable")
    }

    @Test("fields have their places")
    func places() throws {
        let file = try Dockerfile(parsing: "FROM scratch\nRUN --mount=type=cache,target=/é,id=x y")
        guard case .run(let run) = file.stages[0].instructions[0].kind else { throw InstructionTests.WrongKind() }
        #expect(run.mounts[0].fields.map(\.token.range.start.column) == [13, 24, 35])
        #expect(run.mounts[0].fields.map(\.token.range.end.column) == [23, 34, 39])
    }
}

@Suite("Values as Go reads them")
struct GoValueTests {
    struct Example<Value: Sendable>: Sendable {
        let text: String
        let value: Value
    }

    @Test("durations")
    func durations() {
        let examples: [(String, Duration?)] = [
            ("0", .zero), ("30s", .seconds(30)), ("1h2m3s", .seconds(3723)), ("1.5s", .milliseconds(1500)),
            (".5m", .seconds(30)), ("1.h", .seconds(3600)), ("-5ms", .milliseconds(-5)), ("+1us", .microseconds(1)),
            ("3µs", .microseconds(3)), ("3μs", .microseconds(3)),
            ("0.3333333333333333333h", .nanoseconds(1_199_999_999_999)),
            ("", nil), ("5", nil), ("s", nil), (".s", nil), ("1d", nil), ("1 s", nil), ("-", nil), ("1s ", nil),
            ("9223372036854775807ns", .nanoseconds(Int64.max)), ("9223372036854775808ns", nil), ("3000000h", nil),
            ("2562047h99h", nil),
        ]
        for (text, value) in examples { #expect(GoValue.duration(text) == value, "\(text)") }
    }

    @Test("sizes")
    func sizes() {
        let examples: [(String, Int64?)] = [
            ("0", 0), ("12", 12), ("1k", 1024), ("1K", 1024), ("1kb", 1024), ("1KiB", 1024), ("2m", 2 << 20),
            ("1.5g", 3 << 29), ("1 t", 1 << 40), ("3p", 3 << 50), ("7b", 7), ("1e3", 1000), ("", nil), ("k", nil),
            ("1x", nil), ("1kk", nil), ("1kib ", nil), ("-1", nil), ("1 2", nil), ("9e18p", nil), ("1bb", nil),
            ("1..2", nil), ("infp", nil),
        ]
        for (text, value) in examples { #expect(GoValue.byteSize(text) == value, "\(text)") }
    }

    @Test("numbers without a sign")
    func numbers() {
        #expect(GoValue.unsigned("0755", radix: 8) == 0o755)
        #expect(GoValue.unsigned("4294967295", radix: 10) == .max)
        for text in ["", "+1", "-1", "4294967296", "1_0", "0x1", "８"] {
            #expect(GoValue.unsigned(text, radix: 10) == nil, "\(text)")
        }
        #expect(GoValue.unsigned("8", radix: 8) == nil)
    }
}
