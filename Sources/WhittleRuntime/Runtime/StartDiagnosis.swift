internal import WhittleCore
internal import WhittleFileSystem

/// Finds out by looking why a program could not be started, where the runtime did not get to say so.
///
/// crun 1.8 waits for the terminal of a container, finds that its process has ended, and ends with `connection closed`;
/// whether the process could still write its own reason is a matter of who was faster.
struct StartDiagnosis {
    let spec: RuntimeSpec

    /// Whether a runtime's last word says only that the container's process has gone.
    static func isNeeded(for message: String) -> Bool { message.hasSuffix("connection closed") }

    /// The reason in crun's words, or `nil` where the program looks as if it could be started.
    func message() throws(BuildError) -> String? {
        guard let search else { return nil }
        let program = search.program
        let root = try root()
        for path in search.candidates {
            guard let status = try root.status(of: path), status.isRegular else { continue }
            guard status.permissions & 0o111 != 0 else { return "open executable `\(program)`: permission denied" }
            return try root.header(ofFileAt: path).isProgram
                ? nil : "exec container process `\(path)`: exec format error"
        }
        return "executable file `\(program)` not found in $PATH"
    }

    /// The program and its platform, where it is for another one than this machine's.
    func foreignProgram() throws(BuildError) -> (path: String, platform: Platform)? {
        guard let search, let found = try search.found(in: root()), let platform = found.header.platform,
            platform.architecture != Platform.host.architecture
        else { return nil }
        return (found.path, platform)
    }

    private var search: ProgramSearch? {
        spec.process.arguments.first.map {
            ProgramSearch(
                program: $0, environment: spec.process.environment, workingDirectory: spec.process.workingDirectory)
        }
    }

    private func root() throws(BuildError) -> RootDirectory {
        try RootDirectory(spec.root, name: "the root file system of the step")
    }
}
