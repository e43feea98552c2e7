import Foundation
import WhittleCore

/// What a body threw, for tests that say which error they expect.
enum Outcome {
    /// The message of the `BuildError` that `body` throws, or a sentence that no error has.
    static func message<Value>(_ body: () throws -> Value) -> String {
        do {
            _ = try body()
            return "(no error)"
        } catch { return (error as? BuildError)?.message ?? "(not a BuildError: \(error))" }
    }

    /// The code of the `BuildError` that `body` throws.
    static func code<Value>(_ body: () throws -> Value) -> String? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? BuildError)?.code.rawValue }
    }
}

/// Programs of other makers that tests compare with.
enum Tool {
    /// Whether the program is installed; prints what is left out where it is not.
    static func isInstalled(_ program: String) -> Bool {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        if directories.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }) {
            return true
        }
        print("skipped: '\(program)' is not installed")
        return false
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// What the program writes to its standard output.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(program) \(arguments) ended with \(process.terminationStatus)")
        }
        return data
    }

    /// Calls `body` with an empty directory that is gone afterwards.
    static func withDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("whittle-archive-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer {
            // A leftover directory in the system's temporary folder is no failure of the test.
            try? FileManager.default.removeItem(atPath: path)
        }
        return try body(path)
    }
}
