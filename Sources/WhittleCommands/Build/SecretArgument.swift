internal import Glibc
internal import WhittleCore

/// The argument of `--secret`: `id=ID[,src=FILE|-][,env=NAME][,type=file|env]`.
struct SecretArgument: Equatable {
    /// Where the value comes from.
    enum Source: Equatable {
        case file(String)
        case standardInput
        case environment(String)
    }

    let id: String
    let source: Source

    /// BuildKit's limit for a secret (500 KiB), so that what builds here builds there.
    static let sizeLimit = 500 << 10

    /// - Throws: ``WhittleCore/BuildError`` with code `invalid-secret`, naming the part that is wrong.
    init(parsing text: String) throws(BuildError) {
        var id: String?
        var file: String?
        var variable: String?
        var kind: String?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "=") else {
                throw .invalidSecret(text, "'\(part)' is not KEY=VALUE")
            }
            let key = part[..<equals].lowercased()
            let value = String(part[part.index(after: equals)...])
            switch key {
            case "id": id = value
            case "src", "source": file = value
            case "env": variable = value
            case "type":
                guard value == "file" || value == "env" else {
                    throw .invalidSecret(text, "the type is 'file' or 'env', not '\(value)'")
                }
                kind = value
            default:
                let near = NearestName.of(key, among: ["id", "src", "source", "env", "type"])
                throw .invalidSecret(
                    text, "there is no option '\(key)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
            }
        }
        guard let id, !id.isEmpty else { throw .invalidSecret(text, "it has no id") }
        self.id = id
        switch (file, variable, kind) {
        case (.some, .some, _): throw .invalidSecret(text, "it has both 'src' and 'env'")
        case (let name?, nil, "env"): source = .environment(name)
        case ("-"?, nil, _): source = .standardInput
        case (let path?, nil, _): source = .file(path)
        case (nil, let name?, _): source = .environment(name)
        // As docker does: the variable of the id's name if there is one, else the file.
        case (nil, nil, "env"): source = .environment(id)
        case (nil, nil, "file"): source = .file(id)
        default: source = getenv(id) != nil ? .environment(id) : .file(id)
        }
    }

    /// Reads the value. Blocks.
    ///
    /// - Throws: ``WhittleCore/BuildError`` that names the secret and its source, never its value.
    func value() throws -> Redacted<[UInt8]> {
        switch source {
        case .environment(let name):
            guard let value = getenv(name) else {
                throw BuildError.secretUnavailable(id, "the environment variable '\(name)' is not set", cause: nil)
            }
            return Redacted(
                Array(UnsafeBufferPointer(start: value, count: strlen(value)).map { UInt8(bitPattern: $0) }))
        case .standardInput: return try read(0, "standard input")
        case .file(let path):
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw BuildError.secretUnavailable(
                    id, "reading '\(path)': \(String(cString: strerror(errno)))", cause: nil)
            }
            defer { close(descriptor) }
            return try read(descriptor, "'\(path)'")
        }
    }

    private func read(_ descriptor: CInt, _ name: String) throws -> Redacted<[UInt8]> {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == -1, errno == EINTR { continue }
            guard count >= 0 else {
                throw BuildError.secretUnavailable(
                    id, "reading \(name): \(String(cString: strerror(errno)))", cause: nil)
            }
            if count == 0 { return Redacted(bytes) }
            bytes += buffer[..<count]
            guard bytes.count <= Self.sizeLimit else {
                throw BuildError.secretUnavailable(
                    id, "\(name) is larger than the limit of \(ByteCount(Self.sizeLimit))", cause: nil)
            }
        }
    }
}

extension BuildError.Code {
    /// A `--secret` argument cannot be read.
    static let invalidSecret = Self(rawValue: "invalid-secret")
    /// A secret's value cannot be had.
    static let secretUnavailable = Self(rawValue: "secret-unavailable")
}

extension BuildError {
    static func invalidSecret(_ text: String, _ problem: String) -> BuildError {
        BuildError(
            .invalidSecret, "reading '--secret \(text)': \(problem)",
            hint: "the form is id=ID,src=FILE, id=ID,src=- for standard input, or id=ID,env=NAME")
    }

    static func secretUnavailable(_ id: String, _ problem: String, cause: (any Error)?) -> BuildError {
        BuildError(.secretUnavailable, "taking the secret '\(id)': \(problem)", cause: cause)
    }
}
