package import WhittleCore
internal import WhittleFileSystem

/// A directory in memory for what running steps need and nobody else may see: bundles, with secrets, and the runtime's
/// state. Ends with the process.
package final class ScratchSpace: Sendable {
    /// Where it is, absolute.
    package let path: String
    private let root: RootDirectory

    /// Mounts one over `directory`, which must exist; the mount is private to this process's namespace, so all
    /// processes can use the same directory, and nothing is left in it whatever happens.
    ///
    /// - Throws: `BuildError` (`no-namespaces`, `mount`, `file-system`).
    package convenience init(mountedOver directory: String) throws {
        try ProcessNamespaces.require()
        // Room for many secrets; only what is used takes memory.
        try Mount.temporary(at: directory, size: ByteCount(256 << 20), mode: 0o700, owner: .root)
        try self.init(at: directory)
    }

    /// Uses `directory` as it is. Secrets are then on its disk; for tests.
    package init(at directory: String) throws(BuildError) {
        path = directory
        root = try RootDirectory(directory)
        try root.makeDirectories("/bundles", DirectoryCreation(mode: 0o700))
        try root.makeDirectories("/state", DirectoryCreation(mode: 0o700))
    }

    /// The directory in which runtimes keep the state of running containers.
    package var statePath: String { "\(path)/state" }

    /// Runs `body` with an empty directory, and removes it with everything in it.
    ///
    /// - Throws: what `body` throws; `BuildError` (`file-system`) where the directory cannot be made or removed.
    func withBundle<Value>(_ identifier: String, _ body: (String) throws -> Value) throws -> Value {
        let bundle = "/bundles/\(identifier)"
        try root.makeDirectories(bundle, DirectoryCreation(mode: 0o700))
        let result = Result { try body(path + bundle) }
        do {
            try root.remove(bundle)
        } catch {
            // The error of the body tells more; what is left ends with the process.
            if case .success = result { throw error }
        }
        return try result.get()
    }
}
