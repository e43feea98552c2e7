internal import Glibc
internal import WhittleBake
internal import WhittleCore
internal import WhittleFileSystem

/// Finds and reads the files that describe targets.
enum BakeFiles {
    /// Those that are looked for, in the order in which they are merged.
    static let standardNames = [
        "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", "docker-bake.json",
        "docker-bake.override.json",
    ]

    /// Files of buildx in a language that is not read.
    private static let hclNames = ["docker-bake.hcl", "docker-bake.override.hcl"]

    struct Found {
        var sources: [BakeSource]
        var warnings: [String]
    }

    /// - Parameter names: the values of `--file`; none for the usual files of the working directory.
    /// - Throws: `bake-file-not-found`, `bake-unsupported`, `file-system`.
    static func read(_ names: [String]) throws -> Found {
        guard names.isEmpty else { return Found(sources: try names.map { try given($0) }, warnings: []) }
        let sources = try standardNames.compactMap { try source($0) }
        let hcl = hclNames.filter { access($0, F_OK) == 0 }
        guard !sources.isEmpty else {
            // The project says why it cannot be read.
            if let name = hcl.first { return Found(sources: [BakeSource(name: name, bytes: [])], warnings: []) }
            throw BuildError.bakeFilesMissing()
        }
        return Found(
            sources: sources,
            warnings: hcl.map {
                "'\($0)' is passed over: the language HCL is not supported ('docker buildx bake -f \($0) --print' writes "
                    + "it as JSON)"
            })
    }

    /// `.env` of the working directory, where there is one.
    static func dotEnv() throws -> BakeSource? {
        var status = stat()
        guard stat(".env", &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return nil }
        return try source(".env")
    }

    private static func given(_ name: String) throws -> BakeSource {
        guard name != "-" else { return BakeSource(name: "standard input", bytes: try BuildInput.standardInput()) }
        guard let source = try source(name) else { throw BuildError.bakeFileMissing(name) }
        return source
    }

    private static func source(_ name: String) throws -> BakeSource? {
        guard let bytes = try FileReading.bytes(ofFileAt: name, limit: BakeSource.sizeLimit) else { return nil }
        return BakeSource(name: name, bytes: bytes)
    }
}

extension BuildError.Code {
    /// There is no file that describes targets.
    static let bakeFileNotFound = Self(rawValue: "bake-file-not-found")
}

extension BuildError {
    static func bakeFileMissing(_ name: String) -> BuildError {
        BuildError(
            .bakeFileNotFound, "reading '\(name)': there is no such file",
            hint: NearestName.of(name, among: BakeFiles.standardNames.filter { access($0, F_OK) == 0 })
                .map { "did you mean '\($0)'?" })
    }

    static func bakeFilesMissing() -> BuildError {
        BuildError(
            .bakeFileNotFound, "looking for a bake file or a compose file in the working directory: there is none",
            hint: "name one with -f; the usual ones are \(BakeFiles.standardNames.joined(separator: ", "))")
    }
}
