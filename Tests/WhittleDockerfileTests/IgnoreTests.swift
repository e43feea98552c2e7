import Testing
import WhittleCore

@testable import WhittleDockerfile

@Suite("Ignore patterns")
struct IgnoreTests {
    struct Example: CustomTestStringConvertible, Sendable {
        let patterns: [String]
        let excluded: [String]
        let included: [String]
        init(_ patterns: [String], excluded: [String] = [], included: [String] = []) {
            (self.patterns, self.excluded, self.included) = (patterns, excluded, included)
        }
        var testDescription: String { patterns.joined(separator: " ") }
    }
    static let examples = [
        Example([], included: ["a"]),
        Example(["a"], excluded: ["a", "a/b", "a/b/c"], included: ["b/a", "ab"]),
        Example(["a/"], excluded: ["a", "a/b"]),
        Example(["/a", "./b//c"], excluded: ["b/c"], included: ["a"]),
        Example(["*.md"], excluded: ["x.md", "x.md/y"], included: ["d/x.md", "x.mdx"]),
        Example(["**/*.md"], excluded: ["x.md", "d/x.md", "d/e/x.md"], included: ["x.txt"]),
        Example(["**/node_modules"], excluded: ["node_modules", "a/node_modules/b"], included: ["a/node_modulesb"]),
        Example(["dist/**"], excluded: ["dist/a", "dist/a/b"], included: ["dist", "distant"]),
        Example(
            ["a**/b", "c/**/d"], excluded: ["ab", "a/b", "ax/y/b", "c/d", "c/x/y/d"], included: ["a/c", "c/xd", "acb"]),
        Example(["*.c", "d/*/e"], excluded: ["a.c", "d/x/e"], included: ["b/a.c", "d/e", "d/x/y/e"]),
        Example(["**"], excluded: ["a", "a/b"]),
        Example(["a?c", "x[0-9]", "y[^a-c]"], excluded: ["abc", "x5", "yd"], included: ["a/c", "x", "xa", "yb"]),
        Example(["*", "!keep", "!src/**"], excluded: ["a", "a/keep"], included: ["keep", "keep/x", "src/a"]),
        Example(["a", "!a/b", "a/b/c"], excluded: ["a", "a/x", "a/b/c"], included: ["a/b", "a/b/d"]),
        Example(["!a"], included: ["a", "b"]),
        Example(["a\\*b", "\\#c"], excluded: ["a*b", "#c"], included: ["axb"]),
        Example(["a.b", "(x)", "{a,b}*"], excluded: ["a.b", "(x)", "{a,b}c"], included: ["axb", "x", "a"]),
        Example(["é*", "日?"], excluded: ["éa", "日本"], included: ["日", "e"]),
        Example([" a ", "", "  "], excluded: ["a"], included: ["b"]),
    ]

    @Test("exclude these paths and not those", arguments: examples)
    func match(_ example: Example) throws {
        let patterns = try IgnorePatterns(example.patterns)
        for path in example.excluded {
            #expect(patterns.excludes(path), "\(path)")
            #expect(Walk(patterns).excludes(path), "walking to \(path)")
        }
        for path in example.included {
            #expect(!patterns.excludes(path), "\(path)")
            #expect(!Walk(patterns).excludes(path), "walking to \(path)")
        }
    }

    @Test("a file has comments, a byte order mark, blanks and slashes in front")
    func file() throws {
        let text = "\u{FEFF}# comment\r\n  a  \r\n\n/b\n #c\n! /a/keep\n"
        let patterns = try IgnorePatterns(parsing: Array(text.utf8), file: ".dockerignore")
        for path in ["a", "b", "#c"] { #expect(patterns.excludes(path), "\(path)") }
        for path in ["a/keep", "# comment", "/b"] { #expect(!patterns.excludes(path), "\(path)") }
        #expect(patterns.hasExceptions)
        #expect(try IgnorePatterns(parsing: [], file: ".dockerignore").isEmpty)
        #expect(try IgnorePatterns.texts(parsing: Array(text.utf8), file: "x") == ["a", "b", "#c", "!a/keep"])
    }

    struct Malformed: CustomTestStringConvertible, Sendable {
        let pattern: String
        let reason: String
        init(_ pattern: String, _ reason: String) { (self.pattern, self.reason) = (pattern, reason) }
        var testDescription: String { pattern }
    }
    static let malformed = [
        Malformed("!", "there is nothing after the '!'"),
        Malformed("a[", "a '[' is not closed, or has a wrong range"),
        Malformed("[]a]", "a '[' is not closed, or has a wrong range"),
        Malformed("[a-]", "a '[' is not closed, or has a wrong range"),
        Malformed("a\\", "it ends with a backslash"),
        Malformed("[z-a]b", "a range runs backwards, or a letter after a backslash has no meaning"),
        Malformed("build\\output", "a range runs backwards, or a letter after a backslash has no meaning"),
    ]

    @Test("a malformed pattern has its error and its line", arguments: malformed)
    func reject(_ example: Malformed) {
        let bytes = Array("# first\n  \(example.pattern)\n".utf8)
        let error = #expect(throws: BuildError.self) { try IgnorePatterns(parsing: bytes, file: ".dockerignore") }
        #expect(error?.code.rawValue == "bad-ignore-pattern")
        #expect(error?.message == "the ignore pattern '\(example.pattern)' is malformed: \(example.reason)")
        #expect(error?.location?.file == ".dockerignore")
        #expect(error?.location?.range.start == SourcePosition(line: 2, column: 3))
        #expect(error?.location?.lines == ["  \(example.pattern)"])
    }

    struct Directory: CustomTestStringConvertible, Sendable {
        let patterns: [String]
        let path: String
        let canSkip: Bool
        var testDescription: String { "\(path) with \(patterns.joined(separator: " "))" }
    }
    static let directories = [
        Directory(patterns: ["a"], path: "a", canSkip: true),
        Directory(patterns: ["a"], path: "b", canSkip: false),
        Directory(patterns: ["a", "!b"], path: "a", canSkip: true),
        Directory(patterns: ["a", "!a/b"], path: "a", canSkip: false),
        Directory(patterns: ["a", "!a/b", "a"], path: "a", canSkip: false),
        Directory(patterns: ["*", "!src/**/*.c"], path: "doc", canSkip: true),
        Directory(patterns: ["*", "!src/**/*.c"], path: "src", canSkip: false),
        Directory(patterns: ["*", "!s*/x"], path: "src", canSkip: false),
        Directory(patterns: ["*", "!s*/x"], path: "a", canSkip: true),
        Directory(patterns: ["a", "!**/keep"], path: "a", canSkip: false),
        Directory(patterns: ["a", "!a/b/**"], path: "a", canSkip: false),
        Directory(patterns: ["!a/b", "a"], path: "a", canSkip: true),
    ]

    @Test("a walk goes in only where something can come back", arguments: directories)
    func skip(_ example: Directory) throws {
        let patterns = try IgnorePatterns(example.patterns)
        var memory = IgnorePatterns.WalkMemory()
        let visit = patterns.visit(Array(example.path.utf8), in: patterns.top, memory: &memory)
        #expect(visit.canSkip == example.canSkip)
    }

    @Test("a hostile pattern takes a bounded time", .timeLimit(.minutes(1)))
    func hostile() throws {
        let patterns = try IgnorePatterns([
            String(repeating: "*a", count: 500) + "b", String(repeating: "**/", count: 500) + "b",
        ])
        let path = String(repeating: "a/", count: 1000) + "a"
        #expect(!patterns.excludes(path))
    }

    @Test("20,000 paths pass 20 patterns", .timeLimit(.minutes(1)))
    func many() throws {
        let patterns = try IgnorePatterns(
            (0..<10).map { "directory\($0)/**/*.tmp" } + (0..<9).map { "**/build\($0)" } + ["**/*.log"])
        var excluded = 0
        var memory = IgnorePatterns.WalkMemory()
        for index in 0..<20_000 {
            let path = Array("source/module/file\(index).\(index % 10 == 0 ? "log" : "swift")".utf8)
            if patterns.excludes(path, in: patterns.top, memory: &memory) { excluded += 1 }
        }
        #expect(excluded == 2000)
    }
}
