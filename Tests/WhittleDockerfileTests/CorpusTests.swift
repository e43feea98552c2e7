import Foundation
import Testing

@testable import WhittleDockerfile

/// Everything that the corpus has, compared with what BuildKit makes of it.
@Suite("Corpus")
struct CorpusTests {
    @Test("420 real Dockerfiles are read as BuildKit reads them")
    func dockerfiles() throws {
        guard let file = ProjectRoot.corpus("dev.jsonl.xz"), let data = try ProjectRoot.decompressed(file) else {
            return
        }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 420)
        for line in lines {
            let entry = try #require(JSONSerialization.jsonObject(with: line) as? [String: Any])
            let name = try #require(entry["name"] as? String)
            let bytes: [UInt8]
            if let text = entry["text"] as? String {
                bytes = Array(text.utf8)
            } else {
                bytes = [UInt8](try #require(Data(base64Encoded: entry["base64"] as? String ?? "")))
            }
            var expected = try #require(entry["expected"] as? [String: Any])
            let parsed = ParseJSON(parsing: bytes, file: name).text
            var actual = try #require(JSONSerialization.jsonObject(with: Data(parsed.utf8)) as? [String: Any])
            // The reason is BuildKit's word; ours is our own.
            #expect((expected["reason"] == nil) == (actual["reason"] == nil), "\(name)")
            expected["reason"] = nil
            actual["reason"] = nil
            #expect(NSDictionary(dictionary: actual) == NSDictionary(dictionary: expected), "\(name)")
        }
    }

    private struct WordCase: Decodable {
        let source: String
        let env: [String: String]
        let escape: String
        let result: String
        let words: [String]?
        let unmatched: [String]?
        let error: String?
        let file: String

        /// Whether the case is about splitting into words; then no variables are recorded.
        var splits: Bool { file == "wordsTest" || file == "extra-words" }
    }

    @Test("544 words expand as BuildKit expands them")
    func words() throws {
        guard let file = ProjectRoot.corpus("shell-words.json") else { return }
        let cases = try JSONDecoder().decode([WordCase].self, from: Data(contentsOf: file))
        #expect(cases.count == 544)
        for item in cases {
            let escape: EscapeCharacter = item.escape == "`" ? .backtick : .backslash
            var lexer = WordLexer(item.source, escape: escape, options: []) { item.env[$0] }
            do {
                let result = try lexer.run()
                #expect(item.error == nil, "\(item.source)")
                if item.splits {
                    let fields = result.fields.map { String(decoding: $0, as: UTF8.self) }
                    #expect(fields == item.words ?? [], "\(item.source)")
                } else {
                    #expect(String(decoding: result.text, as: UTF8.self) == item.result, "\(item.source)")
                }
            } catch {
                #expect(item.error != nil, "\(item.source): \(error)")
            }
            if !item.splits { #expect(lexer.unset == Set(item.unmatched ?? []), "\(item.source)") }
        }
    }

    private struct IgnoreCases: Decodable {
        struct File: Decodable {
            let content: String
            let patterns: [String]
            enum CodingKeys: String, CodingKey {
                case content = "Content"
                case patterns = "Patterns"
            }
        }
        struct Match: Decodable {
            let patterns: [String]
            let text: String
            let matchesOrParentMatches: Bool
            let matchesUsingParentResults: Bool
            let error: String?
        }
        let ignorefile: [File]
        let matches: [Match]
    }

    @Test("2,722 ignore patterns match as in moby/patternmatcher, and ignore files are read as there")
    func ignorePatterns() throws {
        guard let file = ProjectRoot.corpus("dockerignore.json") else { return }
        let cases = try JSONDecoder().decode(IgnoreCases.self, from: Data(contentsOf: file))
        #expect(cases.matches.count == 2722)
        for item in cases.matches {
            let label = "\(item.patterns) on \(item.text)"
            do {
                let patterns = try IgnorePatterns(item.patterns)
                #expect(item.error == nil, "\(label)")
                #expect(patterns.excludes(item.text) == item.matchesOrParentMatches, "\(label)")
                // A walk never meets a path with a slash in front.
                guard !item.text.hasPrefix("/") else { continue }
                #expect(Walk(patterns).excludes(item.text) == item.matchesUsingParentResults, "walking, \(label)")
            } catch {
                #expect(item.error != nil, "\(label): \(error)")
            }
        }
        for item in cases.ignorefile {
            let lines = IgnoreFile.lines(of: SourceText(Array(item.content.utf8), file: ".dockerignore"))
            #expect(lines.map(\.pattern) == item.patterns, "\(item.content)")
        }
    }
}

/// Asks for a path as a walk does: directory by directory.
struct Walk {
    private let patterns: IgnorePatterns
    init(_ patterns: IgnorePatterns) { self.patterns = patterns }

    func excludes(_ path: String) -> Bool {
        let bytes = Array(path.utf8)
        var memory = IgnorePatterns.WalkMemory()
        var directory = patterns.top
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") {
            let visit = patterns.visit(Array(bytes[..<index]), in: directory, memory: &memory)
            if visit.canSkip { return true }
            directory = visit.directory
        }
        return patterns.excludes(bytes, in: directory, memory: &memory)
    }
}
