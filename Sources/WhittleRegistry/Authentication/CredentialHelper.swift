internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

#if canImport(Glibc)
    internal import Glibc
#endif

/// A program `docker-credential-NAME` that keeps credentials.
///
/// Protocol: docker-credential-helpers. `get` reads the server's URL from standard input and answers with JSON.
struct CredentialHelper: Sendable {
    let program: String
    /// A helper that asks the user may take this long.
    private static let timeout = Duration.seconds(120)
    private static let outputLimit = 64 << 10

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
        let (status, output) = try run(input: server, cancellation)
        if status != 0 {
            let text = String(decoding: output.prefix(300), as: UTF8.self)
            // The one sentence that every helper built on docker's library uses.
            if text.contains("credentials not found") { return nil }
            throw BuildError.credentialHelperFailed(
                program, "it ended with status \(status): \(BuildError.printable(Self.firstLine(of: text)))")
        }
        guard let json = try? JSONValue(parsing: output), let secret = json["Secret"]?.string else {
            throw BuildError.credentialHelperFailed(program, "its answer is not the JSON of a credential helper")
        }
        let user = json["Username"]?.string ?? ""
        if user == "<token>" { return .identityToken(Redacted(secret)) }
        return user.isEmpty && secret.isEmpty ? nil : .password(user: user, Redacted(secret))
    }

    private static func firstLine(of text: String) -> String {
        String(text.prefix { !$0.isNewline })
    }

    private func run(input: String, _ cancellation: Cancellation) throws -> (status: Int32, output: [UInt8]) {
        let incoming = try Pipe()
        let outgoing = try Pipe()
        // A server name fits the pipe's buffer, so it can be written before anybody reads: no SIGPIPE, no wait.
        let text = Array(input.utf8)
        guard text.count < 4096, write(incoming.writing, text, text.count) == text.count else {
            throw BuildError.credentialHelperFailed(program, "its input cannot be written")
        }
        incoming.closeWriting()
        let process = try spawn(input: incoming.reading, output: outgoing.writing)
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

    private func spawn(input: CInt, output: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        let arguments = [strdup(program), strdup("get"), nil]
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
