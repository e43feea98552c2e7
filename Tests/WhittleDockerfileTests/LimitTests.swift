import Testing
import WhittleCore

@testable import WhittleDockerfile

/// Inputs that nobody writes in good faith, and very large ones.
@Suite("Limits")
struct LimitTests {
    struct Large: CustomTestStringConvertible, Sendable {
        let name: String
        let text: @Sendable () -> String
        let instructions: Int
        var testDescription: String { name }
    }
    static let large = [
        Large(
            name: "100,000 lines", text: { "FROM a\n" + repeated("RUN echo hello\n", 100_000) }, instructions: 100_001),
        Large(
            name: "50,000 continued lines", text: { "FROM a\nRUN a" + repeated(" \\\n  b", 50_000) }, instructions: 2),
        Large(name: "a line of 10 MB", text: { "FROM a\nRUN " + repeated("x", 10_000_000) }, instructions: 2),
        Large(name: "100,000 variables", text: { "FROM a\nENV" + repeated(" A=b", 100_000) }, instructions: 2),
        Large(
            name: "a heredoc of 200,000 lines", text: { "FROM a\nRUN <<E\n" + repeated("x\n", 200_000) + "E\n" },
            instructions: 2),
        Large(
            name: "20,000 heredocs on a line",
            text: { "FROM a\nCOPY" + repeated(" <<E", 20_000) + " /b\n" + repeated("E\n", 20_000) }, instructions: 2),
        Large(name: "200,000 brackets", text: { "FROM a\nRUN " + repeated("[", 200_000) }, instructions: 2),
        Large(
            name: "200,000 angle brackets", text: { "FROM a\nCOPY " + repeated("<", 200_000) + " b" },
            instructions: 2),
        Large(name: "200,000 quotes", text: { "FROM a\nENV a=" + repeated("'\"", 100_000) }, instructions: 2),
        Large(name: "100,000 empty continuations", text: { repeated("\\\n", 100_000) + "FROM a\n" }, instructions: 1),
        Large(name: "200,000 comments", text: { repeated("#\n", 200_000) + "FROM a\n" }, instructions: 1),
    ]

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    @Test("is read in bounded time", .timeLimit(.minutes(1)), arguments: large)
    func size(_ example: Large) throws {
        #expect(try Dockerfile(parsing: example.text()).instructions.count == example.instructions)
    }

    @Test("deep nesting is an error or a word, and no overflow of the stack")
    func depth() {
        let triggers = "FROM a\n" + Self.repeated("ONBUILD ", 100_000) + "RUN x"
        let error = #expect(throws: BuildError.self) { try Dockerfile(parsing: triggers) }
        #expect(error?.code.rawValue == "nested-onbuild")
        #expect(error?.message == "ONBUILD stands inside ONBUILD")
        let arrays = Self.repeated("[", 9_999) + "1" + Self.repeated("]", 9_999)
        #expect(throws: BuildError.self) { try Dockerfile(parsing: "FROM a\nCMD \(arrays)") }
        #expect(throws: Never.self) { try Dockerfile(parsing: "FROM a\nCMD [[\(arrays)]]") }
        let word = Self.repeated("${a:-", 10_000)
        #expect(throws: Never.self) { try Dockerfile(parsing: "FROM a\nRUN <<E \(word)\n") }
    }

    /// Pieces that mean something somewhere, to be put together at random.
    private static let pieces = [
        "\\\n", "\\", "`", "\n", "\r\n", " ", "\t", "#", "# escape=`\n", "<<EOF", "<<-'E F'", "\nEOF\n", "<<", "3<<E",
        "${a:-b}", "${x^^}", "'", "\"", "$", "{", "}", "[", "]", "[\"a\", \"\\u00e9\"]", "[\"a\", 1]", "--link",
        "--mount=type=cache,target=/x", "--mount=\"", "--from=$x", "--interval=1h", "--", "--x", "ONBUILD ", "FROM a\n",
        "FROM a AS b\n", "RUN ", "COPY ", "ADD a b\n", "ENV ", "ENV a=b\n", "LABEL ", "ARG ", "HEALTHCHECK CMD ",
        "SHELL ", "VOLUME ", "CMD ", "=", ",", "a", "é", "\u{A0}", "\u{FEFF}", "\u{0}", "\u{2028}",
    ]

    @Test("whatever stands in a file, reading it ends with a value or an error, with places inside the file")
    func noise() throws {
        var random = Generator(state: 42)
        var values = 0
        for _ in 0..<3000 {
            var bytes = Array("FROM a\n".utf8)
            for _ in 0..<Int.random(in: 1...14, using: &random) {
                bytes += Array(Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)].utf8)
                if Int.random(in: 0..<20, using: &random) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
            let source = SourceText(bytes, file: "noise")
            do throws(BuildError) {
                let file = try Dockerfile(RawDockerfile(parsing: source))
                values += 1
                for instruction in file.instructions {
                    for range in Self.ranges(of: instruction.raw) { Self.check(range, in: source) }
                }
            } catch {
                let place = try #require(error.location)
                Self.check(place.range, in: source)
            }
        }
        #expect(values > 300)
    }

    /// Found by a file of hostile shape: each start searched the whole value, a minute for 100 KB.
    @Test("a pattern that is nowhere in a long value is looked for once, not from each place", .timeLimit(.minutes(1)))
    func replacement() throws {
        let value = String(repeating: "ab", count: 50_000)
        let expander = WordExpander()
        #expect(try expander.expand("${A//*b*c/x}", with: ["A": value]).text == value)
        #expect(try expander.expand("${A//?*c/x}", with: ["A": value]).text == value)
        // What the short cut must not change: lines, and characters of several bytes.
        for (text, word, expected) in [
            ("é1\né2c3", "${A//é*c/x}", "é1\nx3"), ("aé\nab c", "${A//a*c/x}", "aé\nx"),
            ("ééc\néc", "${A//?é*c/x}", "x\néc"), ("aab", "${A/a*b/x}", "x"), ("abab", "${A//b*z/x}", "abab"),
        ] {
            #expect(try expander.expand(word, with: ["A": text]).text == expected, "\(word) of \(text)")
        }
    }

    private static func ranges(of instruction: RawInstruction) -> [SourceRange] {
        [instruction.range, instruction.keyword.range] + instruction.arguments.map(\.range)
            + instruction.flags.map(\.range) + instruction.heredocs.flatMap { [$0.marker, $0.body] }
    }

    private static func check(_ range: SourceRange, in source: SourceText) {
        let label = "\(range) in \(String(decoding: source.bytes, as: UTF8.self))"
        #expect(range.start <= range.end, "\(label)")
        for position in [range.start, range.end] {
            #expect(position.line >= 1 && position.line <= max(1, source.lineStarts.count), "\(label)")
            let line = source.lineCount == 0 ? 0..<0 : source.lineRange(min(position.line, source.lineCount))
            #expect(position.column >= 1 && position.column <= line.count + 1, "\(label)")
        }
    }

    /// The same numbers on each run (splitmix64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }
}
