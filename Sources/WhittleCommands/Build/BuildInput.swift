internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleFileSystem
internal import WhittleFrontend

/// The files that a build is described by: Dockerfile, ignore file, and the directory of the context.
struct BuildInput {
    let dockerfile: [UInt8]
    /// As errors show it.
    let dockerfileName: String
    let context: String
    let ignore: IgnoreRules

    /// More than this is no Dockerfile.
    private static let sizeLimit = 64 << 20

    /// Finds and reads the files.
    ///
    /// - Parameters:
    ///   - file: the value of `--file`; `nil` for `Dockerfile` in the context.
    ///   - context: the positional argument; `nil` for none.
    /// - Throws: `context-not-found`, `dockerfile-not-found`, `bad-ignore-pattern`, `file-system`.
    init(file: String?, context: String?) throws {
        let directory = context ?? "."
        guard Self.isDirectory(directory) else { throw BuildError.contextNotFound(directory) }
        self.context = StoreOptions.absolute(directory)
        if file == "-" {
            dockerfile = try Self.standardInput()
            dockerfileName = "Dockerfile"
        } else {
            (dockerfile, dockerfileName) = try Self.read(file, in: directory)
        }
        ignore = try Self.ignoreRules(beside: file == "-" ? nil : dockerfileName, in: directory)
    }

    private static func read(_ file: String?, in directory: String) throws -> ([UInt8], String) {
        if let file {
            guard let bytes = try FileReading.bytes(ofFileAt: file, limit: sizeLimit) else {
                throw BuildError.dockerfileNotFound(file, in: directoryPart(of: file), isDefault: false)
            }
            return (bytes, file)
        }
        // As docker: the lower-case name is taken where the usual one is missing.
        for name in ["Dockerfile", "dockerfile"] {
            let path = directory == "." ? name : directory + "/" + name
            if let bytes = try FileReading.bytes(ofFileAt: path, limit: sizeLimit) { return (bytes, path) }
        }
        throw BuildError.dockerfileNotFound("Dockerfile", in: directory, isDefault: true)
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// All of standard input.
    static func standardInput() throws -> [UInt8] {
        do { return try FileReading.bytes(of: .standardInput, limit: sizeLimit) } catch {
            throw BuildError.fileSystem("read", "standard input", error)
        }
    }

    private static func ignoreRules(beside dockerfile: String?, in directory: String) throws -> IgnoreRules {
        let candidates = [dockerfile.map { $0 + ".dockerignore" }, directory + "/.dockerignore"].compactMap { $0 }
        for path in candidates {
            guard let bytes = try FileReading.bytes(ofFileAt: path, limit: sizeLimit) else { continue }
            let name = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
            return IgnoreRules(patterns: try IgnorePatterns.texts(parsing: bytes, file: name), file: name)
        }
        return IgnoreRules()
    }

    /// The ignore rules of a directory that is a named context.
    static func ignoreRules(of directory: String) throws -> IgnoreRules { try ignoreRules(beside: nil, in: directory) }

    private static func directoryPart(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
}

extension BuildError.Code {
    /// The directory of the build context does not exist.
    static let contextNotFound = Self(rawValue: "context-not-found")
    /// There is no Dockerfile.
    static let dockerfileNotFound = Self(rawValue: "dockerfile-not-found")
    /// A `NAME=VALUE` argument has no name.
    static let invalidArgument = Self(rawValue: "invalid-argument")
}

extension BuildError {
    /// - Parameter name: that of a named context; `nil` for the main one.
    static func contextNotFound(_ path: String, name: String? = nil) -> BuildError {
        if let name {
            return BuildError(
                .contextNotFound, "opening the build context '\(name)' in '\(path)': there is no such directory",
                hint:
                    "--build-context takes NAME=DIRECTORY, NAME=docker-image://IMAGE or NAME=oci-layout://DIRECTORY[:TAG]"
            )
        }
        let isRemote = ["http://", "https://", "git@", "git://", "ssh://"].contains { path.hasPrefix($0) }
        let hint =
            if path == "-" {
                "to read the Dockerfile from standard input, write '-f - DIRECTORY'"
            } else if isRemote {
                "a context that is fetched is not supported yet; fetch it into a directory first"
            } else {
                "the last argument is the directory that COPY and ADD read from"
            }
        return BuildError(
            .contextNotFound, "opening the build context '\(path)': there is no such directory", hint: hint)
    }

    static func dockerfileNotFound(_ name: String, in directory: String, isDefault: Bool) -> BuildError {
        let names = (try? RootDirectory(directory).names(in: "/"))?.map(\.description) ?? []
        let wanted = name.split(separator: "/").last.map(String.init) ?? name
        let near =
            NearestName.of(wanted, among: names) ?? names.first { $0.lowercased().hasPrefix("dockerfile") }
            ?? names.first { $0 == "Containerfile" }
        let hint =
            near.map { "did you mean '-f \(directory == "." ? $0 : directory + "/" + $0)'?" }
            ?? (isDefault ? "name it with -f, or the directory it is in as the last argument" : nil)
        return BuildError(
            .dockerfileNotFound,
            isDefault
                ? "looking for 'Dockerfile' in '\(directory)': there is none"
                : "reading '\(name)': there is no such file",
            hint: hint)
    }

    static func invalidArgument(_ option: String, _ value: String, _ problem: String, hint: String) -> BuildError {
        BuildError(.invalidArgument, "reading '\(option) \(value)': \(problem)", hint: hint)
    }
}
