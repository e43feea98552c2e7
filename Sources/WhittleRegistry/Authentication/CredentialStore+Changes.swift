internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI

#if canImport(Glibc)
    internal import Glibc
#endif

extension CredentialStore {
    /// Where credentials were put.
    public enum Place: Hashable, Sendable {
        /// A file, in clear text.
        case file(String)
        /// The program `docker-credential-NAME`.
        case helper(String)
    }

    /// Keeps credentials for `key`: with the helper that the file names for it, else in the file.
    ///
    /// What the file has otherwise stays. Logins of other processes of whittle take turns; a crash leaves the old file or
    /// the new one.
    ///
    /// - Parameter user: who an identity token was given to.
    /// - Throws: `malformed-credentials`, `credential-helper-failed`, `file-system`, `no-credentials-file`,
    ///   `invalid-registry-name` for a path in docker's file, which knows none.
    public func save(_ credentials: Credentials, user: String? = nil, for key: CredentialKey) async throws -> Place {
        let path = try requiredFile()
        guard key.path.isEmpty || !CredentialFile.isDockerFile(path) else {
            throw BuildError.pathInDockerFile(key, path)
        }
        return try await BlockingPool.shared.runCancellable { cancellation in
            try Self.changing(path) { file -> (JSONValue?, Place) in
                guard let helper = file.helper(for: key) else {
                    return (file.setting(credentials, user: user, for: key), .file(path))
                }
                try CredentialHelper(name: helper).store(credentials, server: key.server, cancellation)
                // As docker does: the entry says that there was a login.
                return (file.setting(nil, for: key), .helper(helper))
            }
        }
    }

    /// Forgets the credentials for `key`, in the file and with its helper.
    ///
    /// - Returns: whether there were any.
    /// - Throws: as ``save(_:user:for:)``.
    public func remove(_ key: CredentialKey) async throws -> Bool {
        let path = try requiredFile()
        return try await BlockingPool.shared.runCancellable { cancellation in
            // Nothing is made for nothing.
            guard try Self.read(path) != nil else { return false }
            return try Self.changing(path) { file -> (JSONValue?, Bool) in
                var wasKnown = false
                if key.path.isEmpty, let helper = file.helper(for: key) {
                    wasKnown = try CredentialHelper(name: helper).erase(server: key.server, cancellation)
                }
                let changed = file.removing(key)
                return (changed, wasKnown || changed != nil)
            }
        }
    }

    /// Forgets the credentials of all registries.
    ///
    /// - Returns: which there were, in the order of the file.
    /// - Throws: as ``save(_:user:for:)``.
    public func removeAll() async throws -> [CredentialKey] {
        let path = try requiredFile()
        return try await BlockingPool.shared.runCancellable { cancellation in
            guard try Self.read(path) != nil else { return [] }
            return try Self.changing(path) { file -> (JSONValue?, [CredentialKey]) in
                let keys = file.keys
                for key in keys where key.path.isEmpty {
                    guard let helper = file.helper(for: key) else { continue }
                    _ = try CredentialHelper(name: helper).erase(server: key.server, cancellation)
                }
                return (file.removingAll(), keys)
            }
        }
    }

    /// The other files that have credentials for `key`, which a removal leaves.
    ///
    /// - Throws: `malformed-credentials`, `file-system`.
    public func otherFiles(knowing key: CredentialKey) async throws -> [String] {
        let (files, primary) = (files, primaryFile)
        return try await BlockingPool.shared.run {
            try files.filter { path in
                guard path != primary, let file = try Self.read(path) else { return false }
                return file.removing(key) != nil
            }
        }
    }

    private func requiredFile() throws -> String {
        guard let primaryFile else { throw BuildError.noCredentialsFile() }
        return primaryFile
    }

    /// Replaces the file at `path` by what `body` makes of it, if it makes something.
    private static func changing<Value>(
        _ path: String, _ body: (CredentialFile) throws -> (JSONValue?, Value)
    ) throws -> Value {
        let path = resolved(path)
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try makeDirectory(directory.isEmpty ? "/" : directory)
        let locked = try describing("open directory", directory) { () throws(Errno) in
            try Syscall.open(directory.isEmpty ? "/" : directory, [.readOnly, .directory])
        }
        return try locked.withDescriptor { descriptor in
            // The directory is what is locked: a file beside would stay. Held for as long as a helper takes.
            try describing("lock", directory) { () throws(Errno) in try Syscall.lock(descriptor, exclusive: true) }
            let (changed, value) = try body(try read(path) ?? CredentialFile(parsing: [], path: path))
            if let changed { try replace(path, changed) }
            return value
        }
    }

    private static func replace(_ path: String, _ document: JSONValue) throws {
        var status = stat()
        let isOld = stat(path, &status) == 0
        try AtomicFile.write(document.encoded(as: .pretty(indent: 4)) + [0x0A], to: path, mode: 0o600)
        // A file that root changes stays its owner's. Where that cannot be, the file is root's and as secret.
        if isOld, getuid() == 0, status.st_uid != 0 || status.st_gid != 0 { chown(path, status.st_uid, status.st_gid) }
    }

    /// Where the file is: people keep it as a link into another directory, which stays one.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func makeDirectory(_ path: String) throws {
        guard access(path, F_OK) != 0 else { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeDirectory(String(path[..<slash])) }
        do throws(Errno) {
            try Syscall.makeDirectory(path, mode: 0o700)
        } catch {
            guard error == .fileExists else { throw BuildError.fileSystem("make directory", path, error) }
        }
    }
}
