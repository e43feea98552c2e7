internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleDockerfile
internal import WhittleEngine
internal import WhittleFileSystem
internal import WhittleFrontend
internal import WhittleGraph

/// The files that a build is described by: Dockerfile, ignore file, and the directory of the context.
struct BuildInput {
    /// Empty where a remote context has it.
    let dockerfile: [UInt8]
    /// As errors show it.
    let dockerfileName: String
    /// `nil` for a remote one.
    let context: String?
    let remote: RemoteContext?
    let ignore: IgnoreRules

    /// More than this is no Dockerfile.
    private static let sizeLimit = 64 << 20

    /// Finds and reads the files.
    ///
    /// - Parameters:
    ///   - file: the value of `--file`; `nil` for `Dockerfile` in the context.
    ///   - context: the positional argument: a directory, `-` for standard input, or a URL; `nil` for none.
    /// - Throws: `context-not-found`, `context-unusable`, `dockerfile-not-found`, `bad-ignore-pattern`, `file-system`.
    init(file: String?, context: String?) throws {
        let directory = context ?? "."
        if let source = try Self.remoteSource(directory, file: file) {
            self.context = nil
            // As docker: a path names a file in the context, unless it is absolute.
            guard let file, file == "-" || file.hasPrefix("/") else {
                remote = RemoteContext(source, dockerfile: .inside(file))
                (dockerfile, dockerfileName, ignore) = ([], file ?? "Dockerfile", IgnoreRules())
                return
            }
            remote = RemoteContext(source, dockerfile: .given)
            (dockerfile, dockerfileName) =
                file == "-" ? (try Self.standardInput(), "Dockerfile") : try Self.read(file, in: directory)
            ignore = file == "-" ? IgnoreRules() : try Self.ignoreRules(in: [file + ".dockerignore"])
            return
        }
        remote = nil
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

    /// A Dockerfile that stands in another file.
    ///
    /// - Throws: as ``init(file:context:)``.
    init(inline dockerfile: String, context: String) throws {
        let source = try Self.remoteSource(context, file: nil)
        if source == nil { guard Self.isDirectory(context) else { throw BuildError.contextNotFound(context) } }
        self.init(
            dockerfile: Array(dockerfile.utf8), dockerfileName: "Dockerfile",
            context: source == nil ? StoreOptions.absolute(context) : nil,
            remote: source.map { RemoteContext($0, dockerfile: .given) },
            ignore: source == nil ? try Self.ignoreRules(of: context) : IgnoreRules())
    }

    /// The same with the Dockerfile that standard input is, for questions about it alone, which unpack and download nothing.
    ///
    /// - Throws: `context-unusable` where the Dockerfile is in an archive or behind a URL.
    func withLocalDockerfile() throws -> BuildInput {
        guard let remote, remote.dockerfile != .given else { return self }
        guard case .standardInput = remote.source, remote.dockerfile == .inside(nil) else {
            throw BuildError.contextUnusable(
                "the Dockerfile of a context that is not a directory is only read to build it",
                hint: "name the Dockerfile with an absolute path after -f, or unpack the context into a directory")
        }
        let text = try Self.standardInput()
        guard !ContextFormat.isArchive(Array(text.prefix(512))) else {
            throw BuildError.contextUnusable(
                "standard input is an archive, which is only unpacked to build it",
                hint: "give the Dockerfile alone, or unpack the archive into a directory")
        }
        return BuildInput(
            dockerfile: text, dockerfileName: dockerfileName, context: nil, remote: nil, ignore: ignore)
    }

    private init(
        dockerfile: [UInt8], dockerfileName: String, context: String?, remote: RemoteContext?, ignore: IgnoreRules
    ) {
        self.dockerfile = dockerfile
        self.dockerfileName = dockerfileName
        self.context = context
        self.remote = remote
        self.ignore = ignore
    }

    /// What the argument means where it is no directory.
    private static func remoteSource(_ context: String, file: String?) throws(BuildError) -> RemoteContext.Source? {
        if context == "-" {
            guard file != "-" else {
                throw .contextUnusable(
                    "the context and the Dockerfile cannot both be standard input",
                    hint: "write '-f - DIRECTORY', or '-' alone with the Dockerfile in the archive")
            }
            return .standardInput
        }
        guard !isDirectory(context) else { return nil }
        switch try NamedContext.remote(context) {
        case .http(let source): return .http(source)
        case .git(let source): return .git(source)
        default: return nil
        }
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
        try ignoreRules(in: [dockerfile.map { $0 + ".dockerignore" }, directory + "/.dockerignore"].compactMap { $0 })
    }

    /// The rules of the first of `files` that exists.
    private static func ignoreRules(in files: [String]) throws -> IgnoreRules {
        for path in files {
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
                    "--build-context takes NAME=DIRECTORY, NAME=docker-image://IMAGE, NAME=oci-layout://DIRECTORY[:TAG], NAME=https://… or NAME=GIT-ADDRESS"
            )
        }
        return BuildError(
            .contextNotFound, "opening the build context '\(path)': there is no such directory",
            hint:
                "the last argument is the directory that COPY and ADD read from, a URL, or the address of a git repository"
        )
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
