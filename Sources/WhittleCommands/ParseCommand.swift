internal import ArgumentParser
internal import Glibc
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem

/// `whittle parse`.
struct ParseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract: "Show how Dockerfiles are read.",
        discussion: "Prints the instructions with their flags, arguments and lines; nothing is expanded or built.")

    @ArgumentParser.Flag(help: "Print JSON, one object for each file.")
    var json = false

    @ArgumentParser.Flag(
        help: ArgumentHelp(
            "Say how many lines of the files are read and lowered in a second.", visibility: .hidden))
    var benchmark = false

    @Argument(help: "Dockerfiles; '-' for standard input.", completion: .file())
    var files: [String]

    func run() async throws {
        if benchmark { return try await FrontendBenchmark.run(files) }
        var failures = 0
        for file in files {
            do {
                let bytes = try Self.read(file)
                let parsed = ParseJSON(parsing: bytes, file: file)
                if json {
                    print(parsed.text)
                } else if let error = parsed.error {
                    throw error
                } else {
                    try Self.show(Dockerfile(parsing: bytes, file: file), file: file, isNamed: files.count > 1)
                }
                if parsed.error != nil { failures += 1 }
            } catch {
                failures += 1
                ProgressPrinter.writeToStandardError(ErrorText.of(error) + "\n")
            }
        }
        if failures > 0 { throw ExitCode.failure }
    }

    private static func read(_ file: String) throws -> [UInt8] {
        if file == "-" {
            return try BuildInput.standardInput()
        }
        guard let bytes = try FileReading.bytes(ofFileAt: file, limit: 64 << 20) else {
            throw BuildError.dockerfileNotFound(file, in: ".", isDefault: false)
        }
        return bytes
    }

    private static func show(_ dockerfile: Dockerfile, file: String, isNamed: Bool) {
        if isNamed { print("\(file):") }
        for instruction in dockerfile.instructions {
            let lines =
                instruction.range.start.line == instruction.range.end.line
                ? "\(instruction.range.start.line)" : "\(instruction.range.start.line)-\(instruction.range.end.line)"
            print("\(lines)\t\(instruction.name.uppercased())\t\(instruction.text)")
        }
    }
}
