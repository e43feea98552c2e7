import Testing
import WhittleCore

@Suite("BuildError.description")
struct BuildErrorTests {
    @Test("shows the place, the line with a caret, the causes and the hint")
    func full() {
        let location = SourceLocation(
            file: "Dockerfile",
            range: SourceRange(SourcePosition(line: 7, column: 6), SourcePosition(line: 7, column: 12)),
            lines: ["COPY\t--from=buildr /a /b"])
        let error = BuildError(
            BuildError.Code(rawValue: "unknown-stage"), "no stage named 'buildr' above this line",
            hint: "did you mean 'builder'?", at: location,
            cause: BuildError(BuildError.Code(rawValue: "x"), "inner"))
        #expect(
            error.description == """
                Dockerfile:7:6: error[unknown-stage]: no stage named 'buildr' above this line
                 7 | COPY\t--from=buildr /a /b
                   |     \t^^^^^^
                  cause: inner
                hint: did you mean 'builder'?
                """)
    }

    @Test("cuts a very long line around the caret")
    func longLine() {
        let line = String(repeating: "a", count: 5000)
        let location = SourceLocation(
            file: "D",
            range: SourceRange(SourcePosition(line: 1, column: 3000), SourcePosition(line: 1, column: 3001)),
            lines: [line])
        let error = BuildError(BuildError.Code(rawValue: "c"), "m", at: location)
        #expect(error.description.utf8.count < 400)
    }
}
