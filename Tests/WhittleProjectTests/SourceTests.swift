import Foundation
import Testing

/// Habits that no compiler checks.
@Suite("Sources")
struct SourceTests {
    /// Files that may be longer than the limit, each with the reason.
    static let longerFiles: [String: String] = [:]

    @Test("no file is longer than 600 lines")
    func length() throws {
        let paths =
            ProjectFiles.paths(in: "Sources", endingIn: ["swift", "c", "cpp", "h"])
            + ProjectFiles.paths(in: "Tests", endingIn: ["swift"])
        #expect(!paths.isEmpty)
        for path in paths where Self.longerFiles[path] == nil {
            let lines = try ProjectFiles.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 600, "\(path) has \(lines) lines")
            if lines > 400 { print("note: \(path) has \(lines) lines; 400 is where a file is split") }
        }
    }

    /// Constructs whose safety the compiler does not prove.
    static let unproven = [
        "@unchecked Sendable", "nonisolated(unsafe)", "unsafeBitCast", "unsafeDowncast", "Unmanaged<",
        "Unmanaged.", "unsafelyUnwrapped", "unsafeAddress",
    ]

    @Test("what the compiler cannot prove carries a SAFETY comment")
    func safety() throws {
        for path in ProjectFiles.paths(in: "Sources", endingIn: ["swift"]) {
            let lines = try ProjectFiles.text(path).components(separatedBy: "\n")
            for (number, line) in lines.enumerated() {
                let code = line.trimmingCharacters(in: .whitespaces)
                guard !code.hasPrefix("//"), let construct = Self.unproven.first(where: code.contains) else { continue }
                // The comment stands above the declaration or function, or at the top of a file that wraps one C API.
                let nearby = lines[max(0, number - 20)...number]
                let isExplained =
                    nearby.contains { $0.contains("SAFETY:") } || lines.prefix(25).contains { $0.contains("SAFETY:") }
                #expect(isExplained, "\(path):\(number + 1): '\(construct)' without '// SAFETY:'")
            }
        }
    }

    @Test("nothing is named after a drawer", arguments: ["Utils", "Utilities", "Helpers", "Common", "Misc", "Extras"])
    func names(_ name: String) {
        let files = ProjectFiles.paths(in: "Sources", endingIn: ["swift"]).filter { path in
            path.split(separator: "/").contains { $0.hasSuffix("\(name).swift") || $0 == name }
        }
        #expect(files == [])
    }

    @Test("no note to do something later, and no forced unwrapping hidden from the formatter")
    func unfinished() throws {
        let notes = ["TODO", "FIXME", "XXX:", "swift-format-ignore", "fatalError(\"not implemented"]
        for path in ProjectFiles.paths(in: "Sources", endingIn: ["swift", "c", "cpp", "h"]) {
            let text = try ProjectFiles.text(path)
            for note in notes { #expect(!text.contains(note), "\(path): \(note)") }
        }
    }

    /// Calls that change something outside the process.
    static let changes = [
        "remove", "unlink", "close", "write", "rename", "rmdir", "kill", "unmount", "sync", "chmod", "commit", "delete",
        "truncate",
    ]

    @Test("'try?' on what changes the world says why the error is not wanted")
    func swallowedErrors() throws {
        for path in ProjectFiles.paths(in: "Sources", endingIn: ["swift"]) {
            let lines = try ProjectFiles.text(path).components(separatedBy: "\n")
            for (number, line) in lines.enumerated() where line.contains("try? ") {
                guard Self.changes.contains(where: line.contains),
                    !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                else { continue }
                let nearby = lines[max(0, number - 6)...number]
                #expect(nearby.contains { $0.contains("//") }, "\(path):\(number + 1): 'try?' without a reason")
            }
        }
    }
}
