import Foundation
import WhittleCore
import WhittleExport
import WhittleOCI

/// Calls `body` with a new empty directory and removes it afterwards; `SAVE_TEMPS=1` keeps it.
func withTemporaryDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
    let directory = makeTemporaryDirectory()
    defer { removeTemporaryDirectory(directory) }
    return try body(directory)
}

/// The same for a body that waits.
func withTemporaryDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let directory = makeTemporaryDirectory()
    defer { removeTemporaryDirectory(directory) }
    return try await body(directory)
}

private func makeTemporaryDirectory() -> String {
    let path = FileManager.default.temporaryDirectory.path + "/whittle-export-\(UUID().uuidString)"
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        fatalError("cannot make \(path): \(error)")
    }
    return path
}

private func removeTemporaryDirectory(_ path: String) {
    guard ProcessInfo.processInfo.environment["SAVE_TEMPS"] == nil else {
        print("kept \(path)")
        return
    }
    // A directory left over in /tmp spoils no other test.
    try? FileManager.default.removeItem(atPath: path)
}

func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
}

func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
