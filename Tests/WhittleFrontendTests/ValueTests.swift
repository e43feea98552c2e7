import Testing
import WhittleCore
import WhittleGraph

@testable import WhittleFrontend

@Suite("Values of instructions")
struct ValueTests {
    @Test(
        "paths are cleaned by name",
        arguments: [
            ("", "."), ("/", "/"), ("a//b/./c/", "a/b/c"), ("/../a", "/a"), ("../a/..", ".."), ("/a/../../b", "/b"),
            ("a/..", "."), ("./", "."),
        ])
    func clean(path: String, expected: String) {
        #expect(ContainerPath.clean(path) == expected)
    }

    @Test(
        "a path that leads out is seen",
        arguments: [
            ("..", true), ("../a", true), ("a/../..", true), ("/../a", true), ("./..", true), ("a/..", false),
            ("a/../b", false), (".", false), ("/", false), ("...", false), ("a/..b/../c", false),
        ])
    func climbsOut(path: String, expected: Bool) {
        #expect(ContainerPath.climbsOut(path) == expected)
    }

    @Test(
        "modes are those of chmod",
        arguments: [
            ("0", nil), ("755", nil), ("0644", nil), ("7777", nil), ("u=rwX,go=rX", nil), ("+x", nil), ("a-w", nil),
            ("g=u-w", nil), ("u+s,+t", nil), ("go=", nil), ("u=rw,u+x-r", nil), ("10000", .notOctal),
            ("888", .notOctal),
            ("7x", .notOctal), ("00000000000000000000000000755", nil), ("", .notSymbolic), ("rwx", .notSymbolic),
            ("u", .notSymbolic), ("u=rwx,", .notSymbolic), (",u=r", .notSymbolic), ("u=a", .notSymbolic),
            ("u = r", .notSymbolic), ("-1", .notSymbolic),
        ] as [(String, FileModeText.Invalid?)])
    func modes(text: String, invalid: FileModeText.Invalid?) {
        var found: FileModeText.Invalid?
        do throws(FileModeText.Invalid) { try FileModeText.check(text) } catch { found = error }
        #expect(found == invalid)
    }

    @Test(
        "owners are a user and perhaps a group",
        arguments: [
            ("root", Owner(user: "root", group: nil)), ("1000:1000", Owner(user: "1000", group: "1000")),
            ("app:staff", Owner(user: "app", group: "staff")),
            ("4294967294", Owner(user: "4294967294", group: nil)), ("a.b-c_d", Owner(user: "a.b-c_d", group: nil)),
        ])
    func owners(text: String, owner: Owner) throws {
        #expect(try OwnerText.parse(text) == owner)
    }

    @Test(
        "signals are Linux signals",
        arguments: [
            ("SIGTERM", true), ("term", true), ("SigKill", true), ("9", true), ("64", true), ("RTMIN", true),
            ("SIGRTMIN+15", true), ("SIGRTMAX-14", true), ("0", false), ("65", false), ("-9", false),
            ("RTMIN+16", false),
            ("RTMIN+", false), ("RTMIN++1", false), ("RTMAX-15", false), ("", false), ("SIG", false), ("TERM ", false),
        ])
    func signals(text: String, expected: Bool) {
        #expect(StopSignal.isValid(text) == expected)
    }

    @Test(
        "ports are read as docker reads them",
        arguments: [
            ("80", ["80/tcp"]), ("80/UDP", ["80/udp"]), ("80/", ["80/tcp"]), ("0", ["0/tcp"]),
            ("1-3/sctp", ["1/sctp", "2/sctp", "3/sctp"]), ("8080:80", ["80/tcp"]), ("1-2:80", ["80/tcp"]),
            ("127.0.0.1:8080:80/udp", ["80/udp"]), ("[::1]:1:2", ["2/tcp"]), ("::1:1:2", ["2/tcp"]),
        ])
    func ports(text: String, expected: [String]) throws {
        #expect(try PortSpecification(parsing: text).ports == expected)
    }

    @Test(
        "sources that are no paths are told apart",
        arguments: [
            ("https://example.com/a", .http), ("HTTP://a", .http), ("https://a/b.git", .git),
            ("https://a/b.git?ref=x#y", .git), ("git://a/b", .git), ("ssh://git@a/b", .git), ("git@a.b:c/d.git", .git),
            ("a", nil), ("a:b", nil), ("@a:b", nil), ("a@b", nil), ("a@b/c:d", nil), ("github.com/a/b", nil),
            ("ftp://a", nil), ("./a@b:c", nil),
        ] as [(String, RemoteSource?)])
    func remotes(text: String, expected: RemoteSource?) {
        #expect(RemoteSource(text) == expected)
    }

    @Test(
        "durations are shown as docker shows them",
        arguments: [
            (.zero, "0s"), (.seconds(30), "30s"), (.seconds(90), "1m30s"), (.seconds(3600), "1h0m0s"),
            (.milliseconds(1500), "1.5s"), (.milliseconds(250), "250ms"), (.microseconds(1500), "1.5ms"),
            (.nanoseconds(1_000), "1µs"), (.nanoseconds(7), "7ns"), (.milliseconds(61_050), "1m1.05s"),
            (.seconds(Int64.max), "9223372036854775807s"),
        ] as [(Duration, String)])
    func durations(duration: Duration, expected: String) {
        #expect(HistoryText.duration(duration) == expected)
    }

    @Test(
        "strings are quoted as Go quotes them",
        arguments: [
            ("a b", #""a b""#), ("\"\\", #""\"\\""#), ("\n\t\r", #""\n\t\r""#), ("\u{1}\u{7f}", #""\x01\x7f""#),
            ("é→😀", "\"é→😀\""), ("\u{200b}\u{a0}", #""\u200b\u00a0""#), ("\u{e0001}", #""\U000e0001""#),
        ])
    func quoting(text: String, expected: String) {
        #expect(HistoryText.quoted(text) == expected)
    }

    @Test("a variable's last assignment decides value and place")
    func variables() {
        var list = VariableList(assignments: ["A=1", "B=2=3", "C"])
        list["A"] = "4"
        #expect(list.assignments == ["B=2=3", "C=", "A=4"])
        #expect(list["B"] == "2=3")
        for index in 0..<1000 { list["A"] = "\(index)" }
        #expect(list.assignments == ["B=2=3", "C=", "A=999"])
        list["C"] = nil
        #expect(list["C"] == nil && list.names == ["B", "A"])
    }
}
