internal import Glibc
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSSH

/// The argument of `--ssh`: `ID[=SOCKET|KEYFILE[,KEYFILE…]]`.
struct SSHArgument: Equatable {
    let id: String
    /// Empty for the agent of `$SSH_AUTH_SOCK`.
    let paths: [String]

    /// BuildKit's limit for a key's file (100 KiB).
    static let sizeLimit = 100 << 10

    /// - Throws: ``WhittleCore/BuildError`` with code `invalid-ssh`.
    init(parsing text: String) throws(BuildError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let written = parts.first ?? ""
        id = written.isEmpty ? SSHForward.defaultID : written
        let paths = parts.count < 2 ? [] : parts[1].split(separator: ",", omittingEmptySubsequences: false)
        // As docker: 'ID=' is 'ID'.
        self.paths = paths.count == 1 && paths[0].isEmpty ? [] : paths.map(String.init)
        guard !id.contains(","), self.paths.allSatisfy({ !$0.isEmpty }) else {
            throw .invalidSSH(text, id.contains(",") ? "an id has no comma" : "one of the paths is empty")
        }
    }

    /// Finds the socket or reads the keys. Blocks.
    ///
    /// - Throws: `ssh-unavailable`, naming the id and the path, and never showing what a file holds.
    func forward(environment: [String: String]) throws -> SSHForward {
        guard let first = paths.first else {
            guard let socket = environment["SSH_AUTH_SOCK"], !socket.isEmpty else {
                throw BuildError.sshUnavailable(
                    id, "the environment variable SSH_AUTH_SOCK, which names the agent, is not set",
                    hint: "start one with 'eval $(ssh-agent)' and 'ssh-add'; under sudo, keep the variable with "
                        + "--preserve-env=SSH_AUTH_SOCK; or name a key: --ssh \(id)=KEYFILE")
            }
            guard try Self.isSocket(socket, id) else {
                throw BuildError.sshUnavailable(id, "'\(socket)', which SSH_AUTH_SOCK names, is no socket")
            }
            return .agent(socket: StoreOptions.absolute(socket))
        }
        if try Self.isSocket(first, id) {
            guard paths.count == 1 else {
                throw BuildError.sshUnavailable(id, "'\(first)' is a socket, and beside a socket there is nothing else")
            }
            return .agent(socket: StoreOptions.absolute(first))
        }
        return .keys(try paths.map { try key($0) })
    }

    private static func isSocket(_ path: String, _ id: String) throws -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw BuildError.sshUnavailable(
                id, "looking for '\(path)': \(String(cString: strerror(errno)))",
                hint: errno == ENOENT ? "it is to be the socket of an agent, or the file of a private key" : nil)
        }
        return status.st_mode & S_IFMT == S_IFSOCK
    }

    private func key(_ path: String) throws -> Redacted<[UInt8]> {
        if try Self.isSocket(path, id) {
            throw BuildError.sshUnavailable(id, "'\(path)' is a socket, and beside a socket there is nothing else")
        }
        guard let bytes = try FileReading.bytes(ofFileAt: path, limit: Self.sizeLimit) else {
            throw BuildError.sshUnavailable(id, "'\(path)' is gone")
        }
        switch PrivateKeyText.fault(in: bytes) {
        case nil: return Redacted(bytes)
        case .notAKey:
            throw BuildError.sshUnavailable(
                id, "'\(path)' is neither a socket nor a private key",
                hint: path.hasSuffix(".pub") ? "name the private key: the file without '.pub'" : nil)
        case .needsPassphrase:
            throw BuildError.sshUnavailable(
                id, "the key in '\(path)' needs a passphrase, and a build asks for none",
                hint: "put it into an agent: ssh-add \(path), then --ssh \(id)")
        }
    }
}

extension BuildError.Code {
    /// A `--ssh` argument cannot be read.
    static let invalidSSH = Self(rawValue: "invalid-ssh")
    /// The agent or the keys that `--ssh` names cannot be had.
    static let sshUnavailable = Self(rawValue: "ssh-unavailable")
}

extension BuildError {
    static func invalidSSH(_ text: String, _ problem: String) -> BuildError {
        BuildError(
            .invalidSSH, "reading '--ssh \(printable(text))': \(problem)",
            hint: "the form is default, ID=SOCKET, or ID=KEYFILE[,KEYFILE…]")
    }

    static func sshUnavailable(_ id: String, _ problem: String, hint: String? = nil) -> BuildError {
        BuildError(.sshUnavailable, "taking the SSH agent '\(printable(id))': \(printable(problem))", hint: hint)
    }
}
