import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleGitRemote

@Suite("GitListing")
struct GitListingTests {
    private static let a = String(repeating: "a", count: 40)
    private static let b = String(repeating: "b", count: 40)
    private static let c = String(repeating: "c", count: 40)

    private func revision(_ lines: [String], _ reference: String) -> GitRevision? {
        GitListing(parsing: lines.map { $0 + "\n" }.joined()).revision(of: reference)
    }

    @Test("HEAD is known with the branch that it is")
    func head() {
        #expect(
            revision(["ref: refs/heads/trunk\tHEAD", "\(Self.a)\tHEAD"], "")
                == GitRevision(object: Self.a, name: "refs/heads/trunk"))
        #expect(revision(["\(Self.a)\tHEAD"], "") == GitRevision(object: Self.a, name: "HEAD"))
        #expect(revision([], "") == nil)
    }

    @Test("a whole name counts before a branch, and a branch before a tag")
    func order() {
        let lines = ["\(Self.a)\trefs/heads/x", "\(Self.b)\trefs/tags/x", "\(Self.c)\trefs/x"]
        #expect(revision(lines, "x")?.name == "refs/x")
        #expect(revision(Array(lines.dropLast()), "x")?.name == "refs/heads/x")
        #expect(revision([lines[1]], "x")?.name == "refs/tags/x")
        #expect(revision(lines, "refs/tags/x")?.object == Self.b)
        #expect(revision(lines, "tags/x")?.object == Self.b)
        #expect(revision(lines, "heads/x")?.object == Self.a)
    }

    @Test("a branch that only ends in the name is another one")
    func suffix() {
        #expect(revision(["\(Self.a)\trefs/heads/feature/x"], "x") == nil)
    }

    @Test("an annotated tag stands for its commit")
    func annotated() throws {
        let found = try #require(revision(["\(Self.a)\trefs/tags/v1", "\(Self.b)\trefs/tags/v1^{}"], "v1"))
        #expect(found == GitRevision(object: Self.a, tagged: Self.b, name: "refs/tags/v1"))
        #expect(found.commit == Self.b)
        #expect(found.matches("aaaa") && found.matches("BBBB") && !found.matches("c"))
    }

    @Test(
        "what is no answer is left out",
        arguments: [
            "x\trefs/heads/x", "\(GitListingTests.a) refs/heads/x", "", "\t", "-\(GitListingTests.a)\trefs/heads/x",
        ])
    func junk(line: String) {
        #expect(revision([line], "x") == nil)
    }
}

@Suite("GitAccess")
struct GitAccessTests {
    private func value(
        _ remote: String, credentials: String? = nil, _ secrets: [String: String]
    ) throws -> String? {
        try GitAccess.authorization(
            GitSource(remote: remote, transport: .http, credentials: credentials.map { Redacted($0) }),
            secrets.mapValues { Redacted(Array($0.utf8)) })?.revealed
    }

    @Test("the secret of the host counts first, a header before a token, and the address before both")
    func order() throws {
        let remote = "https://host.example:8443/a.git"
        var secrets = [
            "GIT_AUTH_HEADER.host.example:8443": "one", "GIT_AUTH_TOKEN.host.example:8443": "two",
            "GIT_AUTH_HEADER": "three", "GIT_AUTH_TOKEN": "four\n", "GIT_AUTH_TOKEN.other.example": "five",
        ]
        #expect(try value(remote, secrets) == "one")
        secrets["GIT_AUTH_HEADER.host.example:8443"] = nil
        #expect(try value(remote, secrets) == "basic " + GitAccess.base64(Array("x-access-token:two".utf8)))
        secrets["GIT_AUTH_TOKEN.host.example:8443"] = nil
        #expect(try value(remote, secrets) == "three")
        secrets["GIT_AUTH_HEADER"] = nil
        #expect(try value(remote, secrets) == "basic " + GitAccess.base64(Array("x-access-token:four".utf8)))
        #expect(try value(remote, credentials: "u:p", secrets) == "Basic dTpw")
        #expect(try value(remote, ["GIT_AUTH_TOKEN.other.example": "five"]) == nil)
    }

    @Test("a secret that would make another header is refused", arguments: ["a\nX: y", "", "\u{7F}", "é"])
    func refused(secret: String) {
        let error = #expect(throws: BuildError.self) {
            try value("https://h/a.git", ["GIT_AUTH_HEADER": secret])
        }
        #expect(error?.code.rawValue == "git-unauthorized")
    }

    @Test(
        "base64",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) {
        #expect(GitAccess.base64(Array(text.utf8)) == encoded)
    }

    @Test("a header is for one repository, and of GitHub for all")
    func scope() {
        #expect(GitAccess.scope(of: "https://host/a.git") == "https://host/a.git")
        #expect(GitAccess.scope(of: "https://github.com/a/b.git") == "https://github.com/")
        #expect(GitAccess.scope(of: "https://github.company.example/a.git") == "https://github.company.example/a.git")
    }

    @Test("ssh gets no keys and settings of the user, and paths with blanks and percent signs whole")
    func ssh() throws {
        let access = try GitAccess(
            GitSource(remote: "git@h:a", transport: .ssh), secrets: [:], agent: "/a b/50%",
            knownHosts: ["/it's", "/quote\"d"])
        let command = try #require(access.environment.first)
        #expect(command.hasPrefix("GIT_SSH_COMMAND='ssh' '-F' '/dev/null'"))
        #expect(command.contains("'IdentityAgent=\"/a b/50%%\"'"))
        #expect(command.contains("'UserKnownHostsFile=\"/it'\\''s\"'"))
        #expect(command.contains("'IdentityFile=none'") && !command.contains("quote"))
    }

    @Test(
        "the reason is the line that tells most",
        arguments: [
            ("warning: x\nfatal: repository 'y' not found\n", "repository 'y' not found"),
            (
                "ssh: connect to host h port 22: refused\nfatal: Could not read from remote repository.\n\nPlease\n",
                "ssh: connect to host h port 22: refused"
            ),
            ("something\n", "something"), ("", "git gives no reason"),
        ])
    func reasons(text: String, reason: String) {
        #expect(GitWords.reason(in: text) == reason)
    }
}
