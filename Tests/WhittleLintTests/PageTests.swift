import Foundation
import Testing
import WhittleDockerfile
import WhittleLint

/// `docs/checks.md` against the rules.
@Suite("docs/checks.md")
struct PageTests {
    /// The sections of the page: the name of a rule, and its examples.
    static func sections() throws -> [(name: String, examples: [String])] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/checks.md"), encoding: .utf8)
        return page.components(separatedBy: "\n### `").dropFirst().map { section in
            let blocks = section.components(separatedBy: "```dockerfile\n").dropFirst()
            return (
                String(section.prefix { $0 != "`" }),
                blocks.map { $0.components(separatedBy: "```").first ?? "" }
            )
        }
    }

    @Test("has every rule once, in alphabetical order")
    func complete() throws {
        let names = try Self.sections().map(\.name)
        #expect(names == LintRule.allCases.map(\.name).sorted())
    }

    @Test("what it says is found is found, and what is not is not; no other rule has anything to say")
    func examples() throws {
        let ignore = try IgnorePatterns(["*.log"])
        for section in try Self.sections() where section.name != LintRule.invalidBaseImagePlatform.name {
            try #require(section.examples.count == 2, "\(section.name)")
            let bad = report(section.examples[0]) { $0.ignore = ignore }
            #expect(Set(bad.findings.map(\.rule.name)) == [section.name], "\(section.examples[0])")
            #expect(bad.error == nil)
            let good = report(section.examples[1]) { $0.ignore = ignore }
            #expect(good.findings.isEmpty && good.error == nil, "\(section.name): \(good.findings)")
        }
    }
}
