import Foundation
import Testing

@testable import WhittleDockerfile

/// The tables of cases that BuildKit and moby/patternmatcher test themselves with, read from checkouts of them: nothing of
/// them is kept here. `WHITTLE_UPSTREAM` names the directory that has `buildkit` and `patternmatcher`.
@Suite("Tables of other projects")
struct UpstreamTableTests {
    /// The lines of a file of a checkout, or `nil`, with a printed reason.
    private static func lines(_ path: String) throws -> [String]? {
        guard let root = ProcessInfo.processInfo.environment["WHITTLE_UPSTREAM"] else {
            print("skipped: WHITTLE_UPSTREAM does not name a directory with checkouts")
            return nil
        }
        let text = try String(contentsOf: URL(fileURLWithPath: root).appendingPathComponent(path), encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func trimmed(_ text: some StringProtocol) -> String { text.trimmingCharacters(in: .whitespaces) }

    @Test("words with variables: platform | input | expected")
    func variables() throws {
        guard let lines = try Self.lines("buildkit/frontend/dockerfile/shell/envVarTest") else { return }
        let values = ["PWD": "/home", "SHELL": "bash", "KOREAN": "한국어", "NULL": ""]
        var count = 0
        for line in lines where !line.hasPrefix("#") && !Self.trimmed(line).isEmpty {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { Self.trimmed($0) }
            guard cells.count == 3, cells[0] != "W" else { continue }
            count += 1
            let result = try? WordExpander().expand(cells[1], with: values).text
            #expect((result ?? "error") == cells[2], "\(line)")
        }
        print("\(count) words with variables")
        #expect(count > 200)
    }

    @Test("words: input | expected,expected")
    func words() throws {
        guard let lines = try Self.lines("buildkit/frontend/dockerfile/shell/wordsTest") else { return }
        var values: [String: String] = [:]
        var count = 0
        for line in lines where !line.hasPrefix("#") && !line.isEmpty {
            if line.hasPrefix("ENV ") {
                let parts = line.dropFirst(4).drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            try #require(cells.count == 2, "\(line)")
            count += 1
            let expected = String(cells[1].drop { $0 == " " })
            let fields = try? WordExpander().fields(Self.trimmed(cells[0])) { values[$0] }
            #expect((fields ?? ["error"]).joined(separator: ",") == expected, "\(line)")
        }
        print("\(count) words that split")
        #expect(count > 20)
    }

    /// One of Go's string literals without its quotes; the escapes in these tables are JSON's too.
    private static func unescaped(_ literal: String) throws -> String {
        try JSONDecoder().decode(String.self, from: Data("\"\(literal)\"".utf8))
    }

    @Test("ignore patterns: {pattern, path, whether it matches}")
    func patterns() throws {
        guard let lines = try Self.lines("patternmatcher/patternmatcher_test.go") else { return }
        let row =
            /^\s*\{(\[\]string\{.*\}|"(?:[^"\\]|\\.)*"), "((?:[^"\\]|\\.)*)", (true|false)(, (nil|filepath\.ErrBadPattern))?\},.*$/
        let literal = /"((?:[^"\\]|\\.)*)"/
        var count = 0
        for line in lines {
            guard let match = try row.wholeMatch(in: line) else { continue }
            let patterns = try String(match.1).matches(of: literal).map { try Self.unescaped(String($0.1)) }
            let path = try Self.unescaped(String(match.2))
            count += 1
            if match.5 == "filepath.ErrBadPattern" {
                #expect(throws: (any Error).self, "\(line)") { try IgnorePatterns(patterns) }
                continue
            }
            #expect(try IgnorePatterns(patterns).excludes(path) == (match.3 == "true"), "\(line)")
        }
        print("\(count) ignore patterns")
        #expect(count > 120)
    }
}
