internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Gives an output that is one stream of bytes somewhere to go.
enum OutputFile {
    /// Calls `body` with a descriptor to write to, and puts what it wrote in place.
    ///
    /// A file is written without a name, where the file system can do that, and gets its name when `body` returns: after a
    /// throw the destination is as before, and nothing else is left; nor is it if the process is killed. A link is followed; a device or a pipe is written to directly. An existing
    /// file keeps its permissions, a new one gets those of the umask. Not synced to disk: an output can be made again.
    ///
    /// - Throws: what `body` throws; `output-destination`.
    static func write(to destination: StreamDestination, _ body: (FileDescriptor) throws -> Void) throws {
        guard case .file(let path) = destination else {
            try body(FileDescriptor.standardOutput)
            return
        }
        let existing = try OutputPath(path).status()
        if let existing, existing.isDirectory { throw BuildError.destinationIsDirectory(path) }
        if let existing, !existing.isRegular {
            let file = try open(path, path, [.writeOnly])
            try file.withDescriptor { try body($0) }
            try close(file, path)
            return
        }
        let target = existing == nil ? OutputPath(path) : OutputPath(path).resolved()
        // Some file systems make no files without a name: there it has another one meanwhile.
        if let unnamed = try? Syscall.open(target.parent, [.writeOnly, .unnamed], mode: 0o666) {
            try unnamed.withDescriptor { descriptor in
                try fill(descriptor, existing, path, body)
                try name(descriptor, target, replacing: existing != nil, path)
            }
        } else {
            try writeNamed(target, existing, path, body)
        }
    }

    private static func fill(
        _ file: FileDescriptor, _ existing: FileStatus?, _ path: String, _ body: (FileDescriptor) throws -> Void
    ) throws {
        if let existing {
            try output(path) { () throws(Errno) in try Syscall.changeMode(file, to: existing.permissions) }
        }
        try body(file)
    }

    /// Gives a file its name. What has this name already is replaced: for a moment the file has another one before.
    private static func name(
        _ file: FileDescriptor, _ target: OutputPath, replacing isThere: Bool, _ path: String
    ) throws(BuildError) {
        if !isThere {
            do throws(Errno) { return try Syscall.link(file, to: target.text) } catch {
                guard error == .fileExists else { throw BuildError.outputFailed(path, error) }
            }
        }
        let temporary = target.temporary()
        do throws(BuildError) {
            try output(path) { () throws(Errno) in
                try Syscall.link(file, to: temporary)
                try Syscall.rename(temporary, to: target.text)
            }
        } catch {
            // The first error matters, and there is nothing more to do about a file that cannot be removed.
            try? Syscall.unlink(temporary)
            throw error
        }
    }

    private static func writeNamed(
        _ target: OutputPath, _ existing: FileStatus?, _ path: String, _ body: (FileDescriptor) throws -> Void
    ) throws {
        let temporary = target.temporary()
        let file = try open(temporary, path, [.writeOnly, .create, .exclusive])
        do {
            try file.withDescriptor { try fill($0, existing, path, body) }
            try close(file, path)
            try output(path) { () throws(Errno) in try Syscall.rename(temporary, to: target.text) }
        } catch {
            // As above.
            try? Syscall.unlink(temporary)
            throw error
        }
    }

    private static func open(_ path: String, _ shown: String, _ flags: OpenFlags) throws(BuildError) -> OwnedDescriptor
    {
        do throws(Errno) {
            return try Syscall.open(path, flags, mode: 0o666)
        } catch {
            if error == .noSuchFileOrDirectory {
                throw BuildError.destinationParentMissing(shown, OutputPath(shown).parent)
            }
            throw BuildError.outputFailed(shown, error)
        }
    }

    private static func close(_ file: consuming OwnedDescriptor, _ path: String) throws(BuildError) {
        do throws(Errno) {
            try file.close()
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    private static func output(_ path: String, _ body: () throws(Errno) -> Void) throws(BuildError) {
        do throws(Errno) {
            try body()
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }
}
