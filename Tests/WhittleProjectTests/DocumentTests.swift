import Foundation
import Testing

/// Documents against the code and against each other.
@Suite("Documents")
struct DocumentTests {
    /// The codes of errors in the sources: each `BuildError.Code(rawValue: "…")`, and each `Self(rawValue: "…")` of a file
    /// that extends `BuildError.Code`.
    static func codesInSources() throws -> Set<String> {
        let code = /(?:Code|Self)\(rawValue:\s*"([a-z0-9-]+)"\)/
        var codes: Set<String> = []
        for path in ProjectFiles.paths(in: "Sources", endingIn: ["swift"]) {
            let text = try ProjectFiles.text(path)
            guard text.contains("extension BuildError.Code") else { continue }
            codes.formUnion(text.matches(of: code).map { String($0.1) })
        }
        return codes
    }

    /// The codes that docs/errors.md explains: each `### code`.
    static func codesInPage() throws -> [String] {
        try ProjectFiles.text("docs/errors.md").matches(of: /(?m)^### `([a-z0-9-]+)`$/).map { String($0.1) }
    }

    @Test("docs/errors.md explains every code, and no code that is gone")
    func errorPage() throws {
        let inSources = try Self.codesInSources()
        let inPage = try Self.codesInPage()
        #expect(!inSources.isEmpty)
        #expect(inSources.subtracting(inPage).sorted() == [], "not in docs/errors.md")
        #expect(Set(inPage).subtracting(inSources).sorted() == [], "not in the sources")
        #expect(Set(inPage).count == inPage.count, "explained twice")
        #expect(inPage == inPage.sorted(), "in alphabetical order")
    }

    @Test("every explanation has an example, a cause and a fix")
    func errorSections() throws {
        let sections = try ProjectFiles.text("docs/errors.md").components(separatedBy: "\n### ").dropFirst()
        for section in sections {
            let name = section.prefix { $0 != "\n" }
            #expect(section.contains("```"), "\(name): no example")
            #expect(section.contains("**Cause.**"), "\(name): no cause")
            #expect(section.contains("**Fix.**"), "\(name): no fix")
        }
    }

    @Test("docs/adr/README.md lists every decision record with its title")
    func decisionIndex() throws {
        let index = try ProjectFiles.text("docs/adr/README.md")
        let records = ProjectFiles.paths(in: "docs/adr", endingIn: ["md"]).filter { !$0.hasSuffix("README.md") }
        #expect(!records.isEmpty)
        for path in records {
            let text = try ProjectFiles.text(path)
            let name = try #require(path.split(separator: "/").last)
            let number = name.prefix(4)
            let title = try #require(text.split(separator: "\n").first).dropFirst("# \(number). ".count)
            #expect(text.hasPrefix("# \(number). "), "\(path)")
            #expect(index.contains("| [\(number)](\(name)) | \(title) |"), "\(path)")
            for heading in ["## Problem", "## Choice", "## Refused"] {
                #expect(text.contains(heading), "\(path): no '\(heading)'")
            }
        }
    }

    /// Markdown files that a reader of the repository comes across.
    static let pages =
        ["README.md", "CHANGELOG.md", "Examples/README.md"] + ProjectFiles.paths(in: "docs", endingIn: ["md"])

    @Test("links between documents lead somewhere", arguments: pages)
    func links(_ page: String) throws {
        let directory = page.split(separator: "/").dropLast().joined(separator: "/")
        // What stands in a code block is an example, not a link.
        let text = try ProjectFiles.text(page).replacing(/(?ms)^```.*?^```$/, with: "")
        for match in text.matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) {
            let target = String(match.1)
            guard !target.contains("://") else { continue }
            let path = directory.isEmpty ? target : "\(directory)/\(target)"
            #expect(ProjectFiles.exists(path), "\(page) links to \(target)")
        }
    }

    @Test("README.md names every command and every make target that it should")
    func readMe() throws {
        let text = try ProjectFiles.text("README.md")
        let commands = [
            "whittle build", "whittle parse", "whittle images", "whittle history", "whittle inspect",
            "whittle tag", "whittle rmi", "whittle save", "whittle load",
        ]
        for command in commands + ["make demo", "make test", "make install"] {
            #expect(text.contains(command), "README.md does not name '\(command)'")
        }
    }

    @Test("the make targets that documents name exist")
    func makeTargets() throws {
        let makefile = try ProjectFiles.text("Makefile")
        for page in Self.pages {
            for match in try ProjectFiles.text(page).matches(of: /`make ([a-z]+)`/) {
                #expect(makefile.contains("\n\(match.1):"), "\(page) names 'make \(match.1)'")
            }
        }
    }

    @Test("every word of the glossary is listed once, in alphabetical order")
    func glossary() throws {
        let words = ProjectFiles.tableRows(of: try ProjectFiles.text("docs/glossary.md")).dropFirst().map { $0[0] }
        #expect(words == words.sorted { $0.lowercased() < $1.lowercased() })
        #expect(Set(words).count == words.count)
    }
}
