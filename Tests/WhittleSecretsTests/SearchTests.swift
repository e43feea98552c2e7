import Testing
import WhittleCore

@testable import WhittleSecrets

@Suite("PatternTable and StreamSearch")
struct SearchTests {
    /// A generator whose numbers are the same in every run.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 11 ^ state << 21
        }
    }

    private static func naive(_ patterns: [[UInt8]], _ text: [UInt8]) -> PatternTable.Match? {
        for start in text.indices {
            let found = patterns.indices.filter { text[start...].starts(with: patterns[$0]) }
            if let longest = found.max(by: { patterns[$0].count < patterns[$1].count }) {
                return PatternTable.Match(pattern: longest, range: start..<start + patterns[longest].count)
            }
        }
        return nil
    }

    @Test("finds what a comparison at every place finds", arguments: 0..<60)
    func againstNaive(seed: Int) {
        var numbers = Numbers(state: UInt64(seed))
        // Few letters, so that patterns overlap and begin alike.
        let letters = Array("ab".utf8)
        func word(_ length: Int) -> [UInt8] { (0..<length).map { _ in letters.randomElement(using: &numbers) ?? 0 } }
        var patterns: [[UInt8]] = []
        for _ in 0..<Int.random(in: 1...300, using: &numbers) {
            let next = word(Int.random(in: 9...16, using: &numbers))
            if !patterns.contains(next) { patterns.append(next) }
        }
        let table = PatternTable(patterns)
        for length in [0, 3, 8, 9, 40, 200] {
            let text = word(length)
            #expect(text.withUnsafeBytes { table.firstMatch(in: $0) } == Self.naive(patterns, text))
        }
    }

    @Test("a match at any place of the stream is found, however it is cut", arguments: [1, 2, 3, 7, 64, 1000])
    func cuts(_ size: Int) {
        let table = PatternTable([Array("needle-in-hay".utf8), Array("other-needle".utf8)])
        let search = StreamSearch(table)
        for offset in [0, 1, 5, 62, 63, 64, 120] {
            search.reset()
            let text = [UInt8](repeating: 0x2D, count: offset) + Array("needle\r\n-in\n-hay".utf8) + Array("tail".utf8)
            var found: Int?
            for start in stride(from: 0, to: text.count, by: size) where found == nil {
                found = text[start..<min(start + size, text.count)].withUnsafeBytes { search.feed($0) }
            }
            #expect(found == 0)
        }
    }

    @Test("a match over the edge of the search's own pieces is found")
    func pieces() {
        let needle = Array("needle-in-hay".utf8)
        let search = StreamSearch(PatternTable([needle]))
        for offset in (StreamSearch.chunkSize - needle.count)...StreamSearch.chunkSize {
            search.reset()
            let text = [UInt8](repeating: 0, count: offset) + needle + [UInt8](repeating: 0, count: 9)
            #expect(text.withUnsafeBytes { search.feed($0) } == 0)
        }
    }

    @Test("nothing of one stream is left for the next")
    func reset() {
        let search = StreamSearch(PatternTable([Array("needle".utf8)]))
        #expect(Array("nee".utf8).withUnsafeBytes { search.feed($0) } == nil)
        search.reset()
        #expect(Array("dle".utf8).withUnsafeBytes { search.feed($0) } == nil)
    }

    @Test("without patterns nothing is found")
    func noPatterns() {
        let table = PatternTable([])
        #expect(Array("anything".utf8).withUnsafeBytes { table.firstMatch(in: $0) } == nil)
        #expect(SecretPatterns([]).isEmpty)
    }
}

@Suite("OutputRedactor")
struct OutputRedactorTests {
    private static func shown(_ text: String, secret: String, size: Int) -> String {
        var redactor = OutputRedactor([NamedSecret(id: "key", value: Redacted(Array(secret.utf8)))])
        let bytes = Array(text.utf8)
        var shown: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            shown += redactor.redact(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        return String(decoding: shown + redactor.finish(), as: UTF8.self)
    }

    static let examples: [(String, String, String)] = [
        ("the key is hunter22.\n", "hunter22\n", "the key is ***.\n"),
        ("hunter22hunter22", "hunter22", "******"),
        ("hunterhunter22", "hunter22", "hunter***"),
        ("hunter2", "hunter22", "hunter2"),
        ("aHVudGVyMjI=", "hunter22", "***I="),
        ("68756e7465723232\n", "hunter22", "***\n"),
        ("first line\nsecond line\nx\n", "first line\nsecond line\nx\n", "***\n"),
        ("nothing", "ab", "nothing"),
        ("with abcdefgh\nijkl", "abcdef\nabcdefgh\n", "with ***\nijkl"),
    ]

    @Test("shows *** in the place of a secret, however the output is cut", arguments: examples, [1, 2, 5, 1000])
    func redacted(_ example: (text: String, secret: String, shown: String), _ size: Int) {
        #expect(Self.shown(example.text, secret: example.secret, size: size) == example.shown)
    }

    @Test("holds nothing back that no secret begins with")
    func prompt() {
        var redactor = OutputRedactor([NamedSecret(id: "key", value: Redacted(Array("hunter22".utf8)))])
        #expect(redactor.redact(Array("50 % done".utf8)) == Array("50 % done".utf8))
        #expect(redactor.redact(Array(" hunt".utf8)) == Array(" ".utf8))
        #expect(redactor.redact(Array("ing\n".utf8)) == Array("hunting\n".utf8))
        #expect(redactor.finish() == [])
    }
}
