internal import SystemPackage
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
        guard let program = spec.process.arguments.first else { return nil }
        let root = try RootDirectory(spec.root, name: "the root file system of the step")
        for path in candidates(for: program) {
            guard let status = try root.status(of: path), status.isRegular else { continue }
            guard status.permissions & 0o111 != 0 else { return "open executable `\(program)`: permission denied" }
            return try isProgram(path, in: root) ? nil : "exec container process `\(path)`: exec format error"
        }
        return "executable file `\(program)` not found in $PATH"
    }

    private func candidates(for program: String) -> [String] {
        guard !program.utf8.contains(UInt8(ascii: "/")) else {
            return [program.hasPrefix("/") ? program : spec.process.workingDirectory + "/" + program]
        }
        let path = spec.process.environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        return (path ?? RuntimeSpec.defaultPath).split(separator: ":").map { "\($0)/\(program)" }
    }

    /// ELF, or a script with a first line: what every Linux kernel takes.
    private func isProgram(_ path: String, in root: RootDirectory) throws(BuildError) -> Bool {
        let marks: [[UInt8]] = [[0x7f, 0x45, 0x4c, 0x46], Array("#!".utf8)]
        let start = try root.start(ofFileAt: path, count: 4)
        return marks.contains { start.starts(with: $0) }
    }
}

extension RootDirectory {
    /// The first `count` bytes of a file, fewer where it is shorter.
    fileprivate func start(ofFileAt path: String, count: Int) throws(BuildError) -> [UInt8] {
        let file = try open(path, [.readOnly])
        do throws(Errno) {
            return try file.withDescriptor { (descriptor) throws(Errno) in
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
                defer { buffer.deallocate() }
                return Array(buffer.prefix(try Syscall.read(descriptor, into: buffer)))
            }
        } catch {
            throw BuildError.fileSystem("read", path, error)
        }
    }
}
