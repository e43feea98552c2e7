internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

#if canImport(Glibc)
    internal import Glibc
#endif

/// A program `docker-credential-NAME` that keeps credentials.
///
/// Protocol: docker-credential-helpers. `get` and `erase` read the server's URL from standard input, `store` a JSON
/// document with the credentials; `get` answers with JSON.
struct CredentialHelper: Sendable {
    let program: String
    /// A helper that asks the user may take this long.
    private static let timeout = Duration.seconds(120)
    private static let outputLimit = 64 << 10
    /// What stands in the place of a user's name where the secret is an identity token.
    private static let tokenUser = "<token>"

    /// - Throws: `credential-helper-failed` for a name that is no plain program name.
    init(name: String) throws {
        let isPlain = !name.isEmpty && !name.contains("/") && !name.utf8.contains(0)
        guard isPlain else { throw BuildError.credentialHelperFailed(name, "it is not the name of a program") }
        program = "docker-credential-\(name)"
    }

    /// The helper at a path, or of a whole name.
    init(program: String) { self.program = program }

    /// What the helper knows about `server`; `nil` where it has nothing.
    ///
    /// Blocks. The helper is killed when `cancellation` says so.
    ///
    /// - Throws: `credential-helper-failed`, which never shows what the helper printed on success.
    func credentials(server: String, _ cancellation: Cancellation = Cancellation()) throws -> Credentials? {
        guard let output = try ask("get", server, cancellation) else { return nil }
        guard let json = try? JSONValue(parsing: output), let secret = json["Secret"]?.string else {
            throw BuildError.credentialHelperFailed(program, "its answer is not the JSON of a credential helper")
        }
        let user = json["Username"]?.string ?? ""
        if user == Self.tokenUser { return .identityToken(Redacted(secret)) }
        return user.isEmpty && secret.isEmpty ? nil : .password(user: user, Redacted(secret))
    }

    /// Gives credentials to the helper, which keeps them. Blocks.
    ///
    /// - Throws: `credential-helper-failed`.
    func store(_ credentials: Credentials, server: String, _ cancellation: Cancellation = Cancellation()) throws {
        let (user, secret) =
            switch credentials {
            case .password(let user, let password): (user, password)
            case .identityToken(let token), .registryToken(let token): (Self.tokenUser, token)
            }
        let input: JSONValue = [
            "ServerURL": .string(server), "Username": .string(user), "Secret": .string(secret.revealed),
        ]
        let (status, output) = try run("store", input: input.encoded(as: .compact), cancellation)
        guard status == 0 else { throw failure(status, output) }
    }

    /// Lets the helper forget what it knows about `server`. Blocks.
    ///
    /// - Returns: whether it knew something.
    /// - Throws: `credential-helper-failed`.
    func erase(server: String, _ cancellation: Cancellation = Cancellation()) throws -> Bool {
        try ask("erase", server, cancellation) != nil
    }

    /// What the helper answers; `nil` where it has nothing about `server`.
    private func ask(_ verb: String, _ server: String, _ cancellation: Cancellation) throws -> [UInt8]? {
        let (status, output) = try run(verb, input: Array(server.utf8), cancellation)
        guard status != 0 else { return output }
        // The one sentence that every helper built on docker's library uses.
        if String(decoding: output.prefix(300), as: UTF8.self).contains("credentials not found") { return nil }
        throw failure(status, output)
    }

    private func failure(_ status: Int32, _ output: [UInt8]) -> BuildError {
        let line = String(decoding: output.prefix(300), as: UTF8.self).prefix { !$0.isNewline }
        return BuildError.credentialHelperFailed(
            program, "it ended with status \(status): \(BuildError.printable(String(line)))")
    }

    private func run(
        _ verb: String, input: [UInt8], _ cancellation: Cancellation
    ) throws -> (status: Int32, output: [UInt8]) {
        let incoming = try Pipe()
        let outgoing = try Pipe()
        // What fits the pipe's buffer can be written before anybody reads: no SIGPIPE, no wait.
        guard incoming.hasRoom(for: input.count), write(incoming.writing, input, input.count) == input.count else {
            throw BuildError.credentialHelperFailed(program, "its input cannot be written")
        }
        incoming.closeWriting()
        let process = try spawn(verb, input: incoming.reading, output: outgoing.writing)
        outgoing.closeWriting()
        do {
            let output = try Self.collect(outgoing.reading, program, cancellation)
            return (Self.wait(for: process), output)
        } catch {
            kill(process, SIGKILL)
            _ = Self.wait(for: process)
            throw error
        }
    }

    private func spawn(_ verb: String, input: CInt, output: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        let arguments = [strdup(program), strdup(verb), nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let result = posix_spawnp(&process, program, &actions, nil, arguments, environ)
        guard result == 0 else {
            throw BuildError.credentialHelperFailed(
                program, result == ENOENT ? "it is not installed" : String(cString: strerror(result)))
        }
        return process
    }

    private static func collect(_ descriptor: CInt, _ program: String, _ cancellation: Cancellation) throws -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try cancellation.check()
            guard ContinuousClock.now < deadline else {
                throw BuildError.credentialHelperFailed(
                    program, "it did not answer within \(timeout.components.seconds) seconds")
            }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // Cancellation is looked at four times a second.
            guard poll(&waiting, 1, 250) > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return output }
            output.append(contentsOf: buffer[..<count])
            guard output.count <= outputLimit else {
                throw BuildError.credentialHelperFailed(program, "its answer is longer than \(outputLimit) bytes")
            }
        }
    }

    /// The exit status; 128 and the number of the signal where one ended the process.
    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    /// A pipe whose ends are closed with it, and not inherited.
    private final class Pipe {
        let reading: CInt
        private(set) var writing: CInt

        init() throws {
            var ends: [CInt] = [-1, -1]
            guard pipe(&ends) == 0 else {
                throw BuildError.credentialHelperFailed("pipe", String(cString: strerror(errno)))
            }
            // Glibc hides pipe2 from Swift. What another thread starts in between inherits nothing all the same: the
            // one other place that starts processes closes all descriptors in them.
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            reading = ends[0]
            writing = ends[1]
        }

        /// Whether so many bytes can be written without a reader. A pipe has 64 KiB, or a page where its user has many.
        func hasRoom(for count: Int) -> Bool {
            // Linux's F_SETPIPE_SZ and F_GETPIPE_SZ, which Glibc hides from Swift.
            count < 4096 || fcntl(writing, 1031, 64 << 10) >= count || fcntl(writing, 1032) >= count
        }

        deinit {
            close(reading)
            closeWriting()
        }

        func closeWriting() {
            if writing >= 0 { close(writing) }
            writing = -1
        }
    }
}
