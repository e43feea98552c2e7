import Foundation

/// The files of this package, read by the tests that hold documents and sources to each other.
enum ProjectFiles {
    /// The package root, from the place of this file.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The text of a file, by its path below the package root.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// Paths, below the package root, of all files in `directory` that end in one of `extensions`, sorted.
    static func paths(in directory: String, endingIn extensions: [String]) -> [String] {
        let base = root.appendingPathComponent(directory)
        guard let found = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return found.compactMap { $0 as? String }
            .filter { path in extensions.contains { path.hasSuffix(".\($0)") } }
            .map { "\(directory)/\($0)" }
            .sorted()
    }

    /// The cells of every row of the Markdown tables in `text`, without header and rule.
    static func tableRows(of text: String) -> [[String]] {
        text.split(separator: "\n").filter { $0.hasPrefix("|") && !$0.hasPrefix("|---") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// What a program prints, run from the package root.
    ///
    /// - Throws: ``ProgramFailed`` with what it printed on standard error.
    static func output(of program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = root
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }  // a temporary file that stays breaks nothing
        try Data().write(to: output)
        process.standardOutput = try FileHandle(forWritingTo: output)
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ProgramFailed(program: program, said: String(decoding: said, as: UTF8.self))
        }
        return try Data(contentsOf: output)
    }

    struct ProgramFailed: Error {
        let program: String
        let said: String
    }
}
