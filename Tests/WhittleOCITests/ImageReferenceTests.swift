import Testing
import WhittleCore
import WhittleOCI

@Suite("ImageReference.init(parsing:)")
struct ImageReferenceTests {
    static let hex = String(repeating: "ab", count: 32)

    struct Accepted: CustomTestStringConvertible, Sendable {
        let text: String
        let full: String
        let familiar: String
        let short: String?
        var testDescription: String { text }
        init(_ text: String, _ full: String, familiar: String, short: String? = nil) {
            (self.text, self.full, self.familiar, self.short) = (text, full, familiar, short)
        }
    }

    static let accepted: [Accepted] = [
        Accepted("node", "docker.io/library/node:latest", familiar: "node:latest", short: "node"),
        Accepted("node:16-alpine", "docker.io/library/node:16-alpine", familiar: "node:16-alpine", short: "node"),
        Accepted("team/app", "docker.io/team/app:latest", familiar: "team/app:latest", short: "team/app"),
        Accepted("docker.io/node", "docker.io/library/node:latest", familiar: "node:latest"),
        Accepted("index.docker.io/library/node:1", "docker.io/library/node:1", familiar: "node:1"),
        Accepted("docker.io/library/a/b", "docker.io/library/a/b:latest", familiar: "library/a/b:latest"),
        Accepted("localhost/app", "localhost/app:latest", familiar: "localhost/app:latest"),
        Accepted("localhost:5000/app:v1", "localhost:5000/app:v1", familiar: "localhost:5000/app:v1"),
        Accepted(
            "127.0.0.1:5000/a/b_c/d__e/f--g/h.i", "127.0.0.1:5000/a/b_c/d__e/f--g/h.i:latest",
            familiar: "127.0.0.1:5000/a/b_c/d__e/f--g/h.i:latest"),
        Accepted("[::1]:5000/app", "[::1]:5000/app:latest", familiar: "[::1]:5000/app:latest"),
        Accepted("[2001:db8::1]/app:x", "[2001:db8::1]/app:x", familiar: "[2001:db8::1]/app:x"),
        Accepted("Registry/app", "Registry/app:latest", familiar: "Registry/app:latest"),
        Accepted("a@sha256:\(hex)", "docker.io/library/a@sha256:\(hex)", familiar: "a@sha256:\(hex)", short: "a"),
        Accepted("ghcr.io/a/b:1@sha256:\(hex)", "ghcr.io/a/b:1@sha256:\(hex)", familiar: "ghcr.io/a/b:1@sha256:\(hex)"),
        Accepted("a:\(hex)", "docker.io/library/a:\(hex)", familiar: "a:\(hex)", short: "a"),
        Accepted("x:5000", "docker.io/library/x:5000", familiar: "x:5000", short: "x"),
    ]

    @Test("normalises as docker does", arguments: accepted)
    func accepts(_ example: Accepted) throws {
        let reference = try ImageReference(parsing: example.text)
        #expect(reference.description == example.full)
        #expect(reference.familiarName == example.familiar)
        #expect(reference.shortName == example.short)
        #expect(try ImageReference(parsing: reference.description) == reference)
        #expect(try ImageReference(parsing: reference.familiarName) == reference)
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let text: String
        let because: ImageReference.Invalid
        var testDescription: String { String(text.prefix(60)) }
        init(_ text: String, _ because: ImageReference.Invalid) { (self.text, self.because) = (text, because) }
    }

    static let rejected: [Rejected] = [
        Rejected("", .empty),
        Rejected(":tag", .empty),
        Rejected("a b", .forbiddenCharacter(" ")),
        Rejected("a\n", .forbiddenCharacter("\n")),
        Rejected("naïve", .forbiddenCharacter("ï")),
        Rejected("Node", .uppercase(suggestion: "node")),
        Rejected("ghcr.io/Team/App:V1", .uppercase(suggestion: "ghcr.io/team/app:V1")),
        Rejected("https://ghcr.io/a", .hasScheme(suggestion: "ghcr.io/a")),
        Rejected("docker://a:1", .hasScheme(suggestion: "a:1")),
        Rejected("a:", .emptyTag),
        Rejected("a:.x", .invalidTag(".x")),
        Rejected("a:-x", .invalidTag("-x")),
        Rejected("a:x+y", .invalidTag("x+y")),
        Rejected("a:" + String(repeating: "x", count: 129), .tagTooLong(129)),
        Rejected("a//b", .emptyComponent),
        Rejected("a/", .emptyComponent),
        Rejected("/a", .emptyComponent),
        Rejected("-a", .invalidComponent("-a")),
        Rejected("a-", .invalidComponent("a-")),
        Rejected("a..b", .invalidComponent("a..b")),
        Rejected("a___b", .invalidComponent("a___b")),
        Rejected("a._b", .invalidComponent("a._b")),
        Rejected("x/../../etc", .invalidComponent("..")),
        Rejected("a$b", .invalidComponent("a$b")),
        Rejected("host:port/a", .invalidRegistry("host:port")),
        Rejected("host:99999/a", .invalidRegistry("host:99999")),
        Rejected("host:/a", .invalidRegistry("host:")),
        Rejected("ex_ample.com/a", .invalidRegistry("ex_ample.com")),
        Rejected("-x.com/a", .invalidRegistry("-x.com")),
        Rejected(".com/a", .invalidRegistry(".com")),
        Rejected("[::1/a", .invalidRegistry("[::1")),
        Rejected("[g::1]/a.b", .invalidRegistry("[g::1]")),
        Rejected("[::1]x/a", .invalidRegistry("[::1]x")),
        Rejected(String(repeating: "a", count: 256), .repositoryTooLong(256)),
        Rejected(hex, .looksLikeImageID),
        Rejected("a@sha256:12", .invalidDigest("sha256:12", .wrongLength(2))),
        Rejected("a@md5:12", .invalidDigest("md5:12", .unsupportedAlgorithm("md5"))),
        Rejected("a@", .invalidDigest("", .noSeparator)),
        Rejected(
            "a@sha256:\(hex)@sha256:\(hex)",
            .invalidDigest("sha256:\(hex)@sha256:\(hex)", .wrongLength(136))),
    ]

    @Test("names the rule that was broken", arguments: rejected)
    func rejects(_ example: Rejected) {
        #expect(throws: example.because) { try ImageReference(parsing: example.text) }
    }

    @Test("the same image written in two ways is equal")
    func equality() throws {
        #expect(try ImageReference(parsing: "node") == ImageReference(parsing: "docker.io/library/node:latest"))
        #expect(try ImageReference(parsing: "node") != ImageReference(parsing: "node:1"))
    }

    @Test("moves to a mirror with tag and digest")
    func relocation() throws {
        let reference = try ImageReference(parsing: "node:1@sha256:\(Self.hex)")
        let moved = try reference.relocated(registry: "mirror", repository: "hub/library/node")
        #expect(moved.description == "mirror/hub/library/node:1@sha256:\(Self.hex)")
        #expect(moved.shortName == nil)
        #expect(try reference.relocated(registry: "docker.io", repository: "x").repository == "library/x")
        #expect(throws: ImageReference.Invalid.invalidRegistry("a b")) {
            try reference.relocated(registry: "a b", repository: "x")
        }
        #expect(throws: ImageReference.Invalid.uppercase(suggestion: "x")) {
            try reference.relocated(registry: "a", repository: "X")
        }
    }

    @Test("the error for a person says the name, the rule and what to write")
    func message() {
        let error = BuildError.invalidImageReference("Node:16", .uppercase(suggestion: "node:16"))
        #expect(
            error.description == """
                error[invalid-image-reference]: invalid image name 'Node:16': the repository must be lower case
                hint: did you mean 'node:16'?
                """)
        let other = BuildError.invalidImageReference("a:", .emptyTag)
        #expect(other.message == "invalid image name 'a:': there is no tag after ':'")
        #expect(other.hint == nil)
        let long = BuildError.invalidImageReference(String(repeating: "a", count: 100_000), .repositoryTooLong(100_000))
        #expect(long.message.utf8.count < 400)
    }
}
