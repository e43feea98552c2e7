import Foundation
import Testing

/// `Tests/Fixtures/WhittleDockerfile/FEATURE/CASE/{input,expected}`.
///
/// `WHITTLE_UPDATE_FIXTURES=1 swift test --filter FixtureTests` writes what comes out now; read the difference before it
/// is committed.
@Suite("Fixtures")
struct FixtureTests {
    static let cases: [String] = {
        let paths =
            FileManager.default.enumerator(atPath: ProjectRoot.fixtures.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.hasSuffix("/input") }.map { String($0.dropLast("/input".count)) }.sorted()
    }()

    @Test("there are fixtures")
    func exist() { #expect(Self.cases.count >= 74) }

    @Test("a Dockerfile is split into these tokens at these places", arguments: cases)
    func parse(_ name: String) throws {
        let directory = ProjectRoot.fixtures.appendingPathComponent(name)
        let input = try Data(contentsOf: directory.appendingPathComponent("input"))
        let actual = SyntaxDump.text(of: [UInt8](input))
        let file = directory.appendingPathComponent("expected")
        if ProcessInfo.processInfo.environment["WHITTLE_UPDATE_FIXTURES"] == "1" {
            try Data(actual.utf8).write(to: file)
        }
        let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(actual == expected)
    }
}
