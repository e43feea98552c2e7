internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Makes directories that an output is written into.
enum OutputDirectory {
    /// Makes the directory at `path` and the missing ones above it; one that exists is as good.
    ///
    /// - Throws: `output-destination`.
    static func make(_ path: String) throws(BuildError) {
        let made = OutputPath(path)
        if let status = try made.status() {
            guard status.isDirectory else { throw BuildError.destinationIsFile(path) }
            return
        }
        if made.parent != path, try OutputPath(made.parent).status() == nil { try make(made.parent) }
        do throws(Errno) {
            try Syscall.makeDirectory(path, mode: 0o777)
        } catch {
            // Another process may have been faster.
            guard error == .fileExists, try made.status()?.isDirectory == true else {
                throw BuildError.outputFailed(path, error)
            }
        }
    }
}
