import Testing
import WhittleCore

@testable import WhittleFileSystem

@Suite("GlobPattern, ParentsPattern")
struct PatternTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let pattern: String
        let name: String
        let matches: Bool
        init(_ pattern: String, _ name: String, _ matches: Bool) {
            (self.pattern, self.name, self.matches) = (pattern, name, matches)
        }
        var testDescription: String { "\(pattern) \(matches ? "matches" : "does not match") \(name)" }
    }

    @Test(
        "matches as Go's filepath.Match",
        arguments: [
            Case("abc", "abc", true), Case("*", "abc", true), Case("*c", "abc", true), Case("a*", "a", true),
            Case("a*", "ab/c", false), Case("a*b*c*d*e*", "axbxcxdxexxx", true),
            Case("a*b?c*x", "abxbbxdbxebxczzx", true),
            Case("a*b?c*x", "abxbbxdbxebxczzy", false), Case("ab[c]", "abc", true), Case("ab[b-d]", "abc", true),
            Case("ab[e-g]", "abc", false), Case("ab[^c]", "abc", false), Case("ab[^e-g]", "abc", true),
            Case("a\\*b", "a*b", true), Case("a\\*b", "ab", false), Case("a?b", "a☺b", true),
            Case("a[^a]b", "a☺b", true), Case("a???b", "a☺b", false), Case("[\\]a]", "]", true),
            Case("[\\-x]", "-", true), Case("arr[[]0].txt", "arr[0].txt", true), Case("", "", true),
            Case("", "a", false),
            Case("*x", "xxx", true), Case("**", "abc", true), Case("[z-a]", "m", false), Case(".*", ".hidden", true),
            Case("*", ".hidden", true),
        ])
    func glob(_ example: Case) throws {
        #expect(try GlobPattern(example.pattern).matches(example.name) == example.matches)
    }

    @Test("refuses wrong syntax", arguments: ["[", "[a", "[]a]", "[-x]", "[x-]", "[a-", "a\\", "[^", "[\\"])
    func malformed(_ pattern: String) {
        #expect(throws: GlobPattern.Malformed()) { try GlobPattern(pattern) }
    }

    @Test("does not take time that grows with the power of the stars", .timeLimit(.minutes(1)))
    func hostile() throws {
        let pattern = try GlobPattern(String(repeating: "a*", count: 500) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 5000)))
    }

    @Test(
        "splits a source at its pivot",
        arguments: [
            ("/a/b/./c/d", "/a/b", "c/d"), ("./x/a/./b/./c", "x/a", "b/./c"), ("a/b", "/", "a/b"),
            ("./a/b", "/", "a/b"), ("/./a", "/", "a"),
        ])
    func pivot(source: String, root: String, pattern: String) {
        let parts = ParentsPattern.split(source)
        #expect(parts.root == root)
        #expect(parts.pattern == pattern)
    }

    @Test(
        "matches whole paths, with ** for any depth",
        arguments: [
            Case("c/**/e", "c/e", true), Case("c/**/e", "c/d/f/e", true), Case("c/**/e", "d/e", false),
            Case("**/x", "x", true), Case("a/**", "a/b", true), Case("a/**", "a", false), Case("a", "a/b/c", true),
            Case("a/*", "a/b/c", true), Case("a/*/c", "a/b/d", false), Case("a/../b", "b", true), Case("", "any", true),
            Case("a\\*", "a*", true), Case("a\\*", "ab", false),
        ])
    func parents(_ example: Case) throws {
        let filter = try ParentsPattern(example.pattern).filter
        var state: (any Sendable)?
        var path = ""
        var isTaken = false
        let components = example.name.split(separator: "/")
        for (depth, component) in components.enumerated() {
            path += (path.isEmpty ? "" : "/") + component
            let verdict = filter.judge(path, depth < components.count - 1, state)
            isTaken = verdict.isTaken
            state = verdict.state
            if !verdict.isTaken, !verdict.isSearched { break }
        }
        #expect(isTaken == example.matches)
    }
}

@Suite("ModeChange")
struct ModeChangeTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        let before: UInt32
        let after: UInt32
        var isDirectory = false
        var testDescription: String { "\(text) on \(String(before, radix: 8))" }
    }

    @Test(
        "changes permission bits",
        arguments: [
            Case(text: "755", before: 0o600, after: 0o755), Case(text: "0", before: 0o7777, after: 0),
            Case(text: "7777", before: 0, after: 0o7777), Case(text: "0644", before: 0o4755, after: 0o644),
            Case(text: "u=rwX,go=rX", before: 0o600, after: 0o644),
            Case(text: "u=rwX,go=rX", before: 0o711, after: 0o755),
            Case(text: "u=rwX,go=rX", before: 0o700, after: 0o755, isDirectory: true),
            Case(text: "u=rwX,go=rX", before: 0o600, after: 0o755, isDirectory: true),
            Case(text: "a+x", before: 0o644, after: 0o755), Case(text: "+x", before: 0o644, after: 0o755),
            Case(text: "go-w", before: 0o666, after: 0o644), Case(text: "go=", before: 0o777, after: 0o700),
            Case(text: "=r", before: 0o6777, after: 0o444), Case(text: "g=u", before: 0o740, after: 0o770),
            Case(text: "g=u-w", before: 0o740, after: 0o750), Case(text: "o=g", before: 0o751, after: 0o755),
            Case(text: "u+s", before: 0o755, after: 0o4755), Case(text: "g+s", before: 0o755, after: 0o2755),
            Case(text: "+t", before: 0o777, after: 0o1777, isDirectory: true),
            Case(text: "o+s", before: 0o755, after: 0o755),
            Case(text: "u-s", before: 0o6755, after: 0o2755), Case(text: "a-X", before: 0o755, after: 0o644),
            Case(text: "u=rw,g=r,o=", before: 0o777, after: 0o640), Case(text: "u+r-x", before: 0o311, after: 0o611),
            Case(text: "ug+w", before: 0o444, after: 0o664),
        ])
    func applies(_ example: Case) throws {
        let change = try ModeChange(parsing: example.text)
        #expect(change.applied(to: example.before, isDirectory: example.isDirectory) == example.after)
    }

    @Test(
        "refuses what is no mode",
        arguments: ["", "8", "10000", "77777777777", "u", "u=z", "rwx", "u+x,", ",", "-1x", "é", "+u q"])
    func rejects(_ text: String) {
        let error = #expect(throws: BuildError.self) { try ModeChange(parsing: text) }
        #expect(error?.code == .invalidMode)
        #expect(error?.message == "'\(text)' is not a file mode")
        #expect(error?.hint == "write an octal number from 0 to 7777, or symbols as for chmod(1): u=rwX,go=rX")
    }
}
