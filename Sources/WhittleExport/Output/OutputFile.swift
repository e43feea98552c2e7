internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Gives an output that is one stream of bytes somewhere to go.
enum OutputFile {
    /// Calls `body` with a descriptor to write to, and puts what it wrote in place.
    ///
    /// A file is written beside its destination and renamed when `body` returns: after a throw the destination is as
    /// before, and nothing else is left. A link is followed; a device or a pipe is written to directly. An existing
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
        let temporary = target.temporary()
        let file = try open(temporary, path, [.writeOnly, .create, .exclusive])
        do {
            try file.withDescriptor { descriptor in
                if let existing {
                    try output(path) { () throws(Errno) in
                        try Syscall.changeMode(descriptor, to: existing.permissions)
                    }
                }
                try body(descriptor)
            }
            try close(file, path)
            try output(path) { () throws(Errno) in try Syscall.rename(temporary, to: target.text) }
        } catch {
            // The first error matters, and there is nothing more to do about a file that cannot be removed.
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
