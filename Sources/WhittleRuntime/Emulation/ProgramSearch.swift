internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Finds the program that a process begins with in its root file system, as the runtime will.
struct ProgramSearch {
    let program: String
    let environment: [String]
    let workingDirectory: String

    /// The paths that it may have, best first.
    var candidates: [String] {
        guard !program.utf8.contains(UInt8(ascii: "/")) else {
            return [program.hasPrefix("/") ? program : workingDirectory + "/" + program]
        }
        let path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        return (path ?? RuntimeSpec.defaultPath).split(separator: ":").map { "\($0)/\(program)" }
    }

    /// A program of a root file system.
    struct Found {
        let path: String
        let header: ProgramHeader
    }

    /// The program, of a script the one that its first line names; `nil` where there is none that may be executed.
    func found(in root: RootDirectory) throws(BuildError) -> Found? {
        for path in candidates {
            guard let status = try root.status(of: path), status.isRegular, status.permissions & 0o111 != 0 else {
                continue
            }
            let header = try root.header(ofFileAt: path)
            guard let interpreter = header.scriptInterpreter, interpreter.hasPrefix("/"),
                let status = try root.status(of: interpreter), status.isRegular
            else { return Found(path: path, header: header) }
            return Found(path: interpreter, header: try root.header(ofFileAt: interpreter))
        }
        return nil
    }
}

extension RootDirectory {
    /// The beginning of a file.
    func header(ofFileAt path: String) throws(BuildError) -> ProgramHeader {
        let file = try open(path, [.readOnly])
        do throws(Errno) {
            return try file.withDescriptor { (descriptor) throws(Errno) in
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ProgramHeader.size, alignment: 1)
                defer { buffer.deallocate() }
                return ProgramHeader(Array(buffer.prefix(try Syscall.read(descriptor, into: buffer))))
            }
        } catch {
            throw BuildError.fileSystem("read", path, error)
        }
    }
}
