import Foundation

/// Files that tests read: fixtures of the project, and the corpus that lies beside it on a developer's machine.
enum ProjectRoot {
    static let url = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let fixtures = url.appendingPathComponent("Tests/Fixtures/WhittleDockerfile")

    /// A file of the corpus, or `nil`, with a printed reason, where it is not there.
    static func corpus(_ name: String) -> URL? {
        let shared =
            ProcessInfo.processInfo.environment["WHITTLE_SHARED"].map { URL(fileURLWithPath: $0) }
            ?? url.deletingLastPathComponent().appendingPathComponent("shared")
        let file = shared.appendingPathComponent("corpus").appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path) else {
            print("skipped: there is no \(file.path); name its directory with WHITTLE_SHARED")
            return nil
        }
        return file
    }

    /// The contents of an xz file, or `nil`, with a printed reason, where xz is not installed.
    static func decompressed(_ file: URL) throws -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["xz", "--decompress", "--stdout", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            print("skipped: 'xz' ended with status \(process.terminationStatus)")
            return nil
        }
        return data
    }
}
