internal import Glibc
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittlePrograms

/// An `ssh-agent` of whittle's own, which holds the keys of one id.
final class KeyAgent: Sendable {
    /// Where it listens.
    let socket: String
    private let program: LivingProgram
    /// Held, because the path goes through it.
    private let directory: OwnedDescriptor

    /// What starting the agent, or handing it one key, may take.
    private static let timeout = Duration.seconds(20)

    /// Starts an agent that listens in `directory`, which only this process's user may enter, and gives it `keys`. Blocks.
    ///
    /// The keys go through pipes. They are in no file, no argument and no environment.
    init(
        _ id: String, keys: [Redacted<[UInt8]>], directory path: String, searchPath: String, cancellation: Cancellation?
    ) throws {
        let purpose = "forwarding the SSH keys '\(BuildError.printable(id))'"
        guard let agent = HelperProgram(named: "ssh-agent", searchPath: searchPath),
            let adder = HelperProgram(named: "ssh-add", searchPath: searchPath)
        else { throw BuildError.programMissing("ssh-agent", package: "openssh-client", for: purpose) }
        let opened = try describing("open", path) { () throws(Errno) in
            try Syscall.open(path, [.readOnly, .directory])
        }
        // Names of sockets have at most 107 bytes, and a store may lie deep.
        let number = opened.withDescriptor { $0.rawValue }
        socket = "/proc/\(getpid())/fd/\(number)/agent"
        directory = opened
        do {
            program = try LivingProgram(
                agent, ["-D", "-a", socket], environment: ["PATH=\(searchPath)", "LC_ALL=C"], timeout: Self.timeout)
        } catch is HelperProgram.Failure {
            throw BuildError.sshAgentFailed(id, "the program '\(agent.path)' does not start")
        }
        for (index, key) in keys.enumerated() {
            try Self.add(key, number: index + 1, of: id, adder, searchPath, socket, cancellation)
        }
    }

    private static func add(
        _ key: Redacted<[UInt8]>, number: Int, of id: String, _ adder: HelperProgram, _ searchPath: String,
        _ socket: String, _ cancellation: Cancellation?
    ) throws {
        // It must not ask anybody: there is no terminal, and askpass is never to be used.
        let environment = [
            "PATH=\(searchPath)", "LC_ALL=C", "SSH_AUTH_SOCK=\(socket)", "SSH_ASKPASS_REQUIRE=never",
        ]
        let text = key.revealed.last == UInt8(ascii: "\n") ? key.revealed : key.revealed + [UInt8(ascii: "\n")]
        let result: HelperProgram.Result
        do {
            result = try adder.run(
                ["-q", "-"], environment: environment, input: text, timeout: timeout, cancellation: cancellation)
        } catch let failure as HelperProgram.Failure {
            throw BuildError.sshAgentFailed(id, "the program '\(adder.path)' does not do its work (\(failure))")
        }
        guard result.exitCode == 0 else {
            let said = String(decoding: result.error.prefix(300), as: UTF8.self).split(whereSeparator: \.isNewline)
                .first
            throw BuildError.sshAgentFailed(
                id,
                "ssh-add does not take key \(number): \(BuildError.printable(said.map(String.init) ?? "no reason"))",
                hint: "a key that needs a passphrase goes into an agent first: ssh-add FILE, then --ssh \(id)")
        }
    }

    /// Ends the agent; the keys are gone with it.
    func end() { program.end() }
}
