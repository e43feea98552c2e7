import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleFrontend

/// The rules are facts about BuildKit's `dfgitutil` and `gitutil`.
@Suite("GitAddress")
struct GitAddressTests {
    struct Accepted: CustomTestStringConvertible, Sendable {
        let text: String
        let source: GitSource
        var isContext = false
        var testDescription: String { text }
    }
    private static let web = "https://host.example/a/b.git"

    static let accepted = [
        Accepted(text: web, source: GitSource(remote: web, transport: .http)),
        Accepted(text: "\(web)#main", source: GitSource(remote: web, transport: .http, reference: "main")),
        Accepted(
            text: "\(web)#rel/1:dir/sub",
            source: GitSource(remote: web, transport: .http, reference: "rel/1", subdirectory: "dir/sub")),
        Accepted(text: "\(web)#:/dir/", source: GitSource(remote: web, transport: .http, subdirectory: "dir")),
        Accepted(
            text: "\(web)#main:../../x/./y",
            source: GitSource(remote: web, transport: .http, reference: "main", subdirectory: "x/y")),
        Accepted(
            text: "\(web)#a%2Fb:c%20d",
            source: GitSource(remote: web, transport: .http, reference: "a/b", subdirectory: "c d")),
        Accepted(
            text: "http://u:p%40s@host.example:8080/b.git",
            source: GitSource(
                remote: "http://host.example:8080/b.git", transport: .http, credentials: Redacted("u:p@s"))),
        Accepted(
            text: "https://token@host.example/b.git",
            source: GitSource(
                remote: "https://host.example/b.git", transport: .http, credentials: Redacted("token:"))),
        Accepted(
            text: "git://host.example/b", source: GitSource(remote: "git://host.example/b", transport: .git)),
        Accepted(
            text: "ssh://git@host.example:22/b.git#v1",
            source: GitSource(remote: "ssh://git@host.example:22/b.git", transport: .ssh, reference: "v1")),
        Accepted(
            text: "git@host.example:a/b", source: GitSource(remote: "git@host.example:a/b", transport: .ssh)),
        Accepted(
            text: "me@host.example:a/b.git?subdir=/x#v1",
            source: GitSource(
                remote: "me@host.example:a/b.git", transport: .ssh, reference: "v1", subdirectory: "x")),
        Accepted(
            text: "\(web)?ref=v1.0.0&subdir=/s",
            source: GitSource(remote: web, transport: .http, reference: "v1.0.0", subdirectory: "s")),
        Accepted(
            text: "\(web)?tag=v1", source: GitSource(remote: web, transport: .http, reference: "refs/tags/v1")),
        Accepted(
            text: "\(web)?branch=refs/heads/x",
            source: GitSource(remote: web, transport: .http, reference: "refs/heads/x")),
        Accepted(
            text: "\(web)?ref=a#a", source: GitSource(remote: web, transport: .http, reference: "a")),
        Accepted(
            text: "\(web)?checksum=DEADbeef&keep-git-dir=1&submodules=false",
            source: GitSource(
                remote: web, transport: .http, checksum: "DEADbeef", keepsRepository: true, hasSubmodules: false)),
        Accepted(
            text: "\(web)?commit=dead&keep-git-dir",
            source: GitSource(remote: web, transport: .http, checksum: "dead", keepsRepository: true)),
        Accepted(
            text: "\(web)?mtime=checkout", source: GitSource(remote: web, transport: .http, keepsCheckoutTimes: true)),
        Accepted(text: "\(web)?mtime=commit", source: GitSource(remote: web, transport: .http)),
        Accepted(
            text: "github.com/a/b#main",
            source: GitSource(remote: "https://github.com/a/b", transport: .http, reference: "main"), isContext: true),
    ]

    @Test("reads the forms that BuildKit reads", arguments: accepted)
    func accepts(example: Accepted) throws {
        let source = try GitAddress.parse(example.text, isContext: example.isContext)
        #expect(source == example.source)
        #expect(source?.credentials?.revealed == example.source.credentials?.revealed)
        #expect(source?.shownAddress.contains("p@s") == false)
    }

    @Test(
        "leaves to others what is no repository",
        arguments: [
            "https://host.example/a", "https://host.example/a.git/", "https://host.example/a.git.tar", "./.git", ".git",
            "http://host.example/a.git:#x", "a/b.git", "github.com/a/b", "file:///a/b.git", "ftp://host/a.git", "",
            "../a@b:c", "-oProxyCommand=x@host:a", "git@-oProxyCommand=x:a", "ext::sh -c x", "https://host/a.git#%zz",
        ])
    func others(text: String) throws {
        #expect(try GitAddress.parse(text) == nil)
    }

    @Test(
        "says what is wrong with a repository's address",
        arguments: [
            ("?ref=a#b", "'ref' of the query says 'a', and 'b' is said elsewhere"),
            ("?ref=a&tag=b", "'tag' of the query says 'refs/tags/b', and 'a' is said elsewhere"),
            ("?tag=a&branch=b", "the query has both 'tag' and 'branch'"),
            ("?subdir=a#x:b", "'subdir' of the query says 'a', and 'b' is said elsewhere"),
            ("?ref=a&ref=a", "the query has 'ref' twice"), ("?ref=", "'ref' of the query has no value"),
            ("?mtime=now", "'mtime' of the query is 'checkout' or 'commit', not 'now'"),
            ("?submodules=maybe", "'submodules' of the query is 'true' or 'false', not 'maybe'"),
            ("?subdri=x", "the query has no option 'subdri'; did you mean 'subdir'?"),
            ("?checksum=xyz", "the checksum 'xyz' is no commit: hexadecimal digits are expected"),
            ("?fetch-by-commit&checksum=dead", "fetch-by-commit takes a whole commit as 'checksum'"),
            ("#--upload-pack=x", "'--upload-pack=x' cannot be the name of a reference"),
            ("#a..b", "'a..b' cannot be the name of a reference"),
            ("?ref=a%3Ab", "'a:b' cannot be the name of a reference"),
        ])
    func rejects(suffix: String, problem: String) {
        #expect(throws: GitAddress.Invalid(problem)) { try GitAddress.parse("https://host.example/a.git" + suffix) }
    }

    @Test("a host that ssh would take for an option is refused")
    func hostileHost() {
        #expect(throws: GitAddress.Invalid.self) { try GitAddress.parse("ssh://-oProxyCommand=x/a") }
        #expect(throws: GitAddress.Invalid.self) { try GitAddress.parse("ssh://git@-oProxyCommand=x/a") }
    }

    @Test("tells addresses that take ssh", arguments: [("git@a.b:c", true), ("ssh://a/b", true), ("git://a/b", false)])
    func ssh(text: String, uses: Bool) {
        #expect(GitAddress.usesSSH(text) == uses)
    }
}
