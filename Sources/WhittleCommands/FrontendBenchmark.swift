internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
internal import WhittleFrontend

/// `whittle parse --benchmark`: how fast files are parsed and lowered to graphs, on one thread, without the start of the
/// program. For `Benchmarks/run.py`.
enum FrontendBenchmark {
    private static let duration = Duration.seconds(3)

    static func run(_ files: [String]) async throws {
        var documents: [(bytes: [UInt8], options: BuildOptions)] = []
        var lines = 0
        for file in files {
            guard let bytes = try FileReading.bytes(ofFileAt: file, limit: 64 << 20),
                // What cannot be lowered is not measured.
                let dockerfile = try? Dockerfile(parsing: bytes, file: file)
            else { continue }
            var options = BuildOptions()
            options.additionalTargets = dockerfile.stages.indices.map { "\($0)" }
            guard (try? await lower(bytes, options)) != nil else { continue }
            documents.append((bytes, options))
            lines += dockerfile.source.lineCount
        }
        let clock = ContinuousClock()
        let start = clock.now
        var rounds = 0
        while rounds == 0 || clock.now - start < duration {
            for (bytes, options) in documents { try await lower(bytes, options) }
            rounds += 1
        }
        let seconds = Double((clock.now - start) / .microseconds(1)) / 1_000_000
        print(
            "\(documents.count) of \(files.count) files, \(lines) lines, \(rounds) rounds: "
                + "\(Int(Double(lines * rounds) / seconds)) lines/s")
    }

    private static func lower(_ bytes: [UInt8], _ options: BuildOptions) async throws {
        let dockerfile = try Dockerfile(parsing: bytes, file: "Dockerfile")
        _ = try await Frontend(resolver: UnknownImages()).plan(dockerfile, options: options)
    }
}
