package import SystemPackage
package import WhittleCore

/// An open directory below which paths are resolved as if there were nothing else.
///
/// Paths begin at the root whether or not they begin with `/`. Links on the way are followed inside the root. The
/// kernel does the resolving (openat2(2)), so a concurrent rename cannot lead out either; on a kernel without that call
/// each component is opened by itself.
package final class RootDirectory: Sendable {
    /// What happens where a path would leave the root.
    package enum Rule: Sendable {
        /// As in a container: the parent of the root is the root, and an absolute link starts there.
        case container
        /// As for a build context: `..` out of the root is an error, and so is an absolute link to something that the
        /// root does not have. Both name the link.
        case contained
    }

    /// Where the root is on this machine; for mounts and for messages.
    package let path: String
    /// What the root is called in messages: `the build context`.
    package let name: String
    package let rule: Rule
    /// Open for reading. Lent: not to be closed by anybody else.
    package let descriptor: FileDescriptor

    /// Opens the directory at `path`.
    ///
    /// - Parameter name: what messages call the root; its path in quotes where `nil`.
    /// - Throws: `BuildError` (`file-system`).
    package init(_ path: String, rule: Rule = .container, name: String? = nil) throws(BuildError) {
        self.path = path
        self.rule = rule
        self.name = name ?? "'\(BuildError.printable(path))'"
        let opened = try describing("open directory", path) { () throws(Errno) -> OwnedDescriptor in
            try Syscall.open(path, [.readOnly, .directory])
        }
        descriptor = opened.release()
    }

    deinit {
        // It was open for reading: there is nothing to report.
        try? Syscall.close(descriptor)
    }

    /// Opens what `path` leads to.
    ///
    /// - Throws: `BuildError` (`file-system`, `path-escapes`).
    package func open(
        _ path: String, _ flags: OpenFlags = .readOnly, mode: UInt32 = 0
    ) throws(BuildError) -> OwnedDescriptor {
        guard Self.hasOpenat2 else { return try openStepwise(path, flags, mode: mode) }
        let rule: ResolveFlags = rule == .container ? [.inRoot, .noMagicLinks] : [.beneath, .noMagicLinks]
        do throws(Errno) {
            return try Syscall.open(relative(path), flags, mode: mode, at: descriptor, resolving: rule)
        } catch {
            // A `contained` root refuses absolute links and escapes alike: the steps tell which it was.
            if error == .improperLink { return try openStepwise(path, flags, mode: mode) }
            throw failure("open", path, error)
        }
    }

    /// Opens what `path` leads to without openat2(2).
    func openStepwise(_ path: String, _ flags: OpenFlags, mode: UInt32) throws(BuildError) -> OwnedDescriptor {
        let walker = PathWalker(root: self, path: path)
        let found = try walker.resolve(followingLast: !flags.contains(.noFollow), missing: .stop)
        do throws(Errno) {
            switch found {
            case .root: return try Syscall.open(".", flags, mode: mode, at: descriptor)
            case .entry(let name, _), .missing(let name):
                return try name.withCString { (name) throws(Errno) in
                    try Syscall.open(name, flags.union(.noFollow), mode: mode, at: walker.directory)
                }
            }
        } catch {
            throw failure("open", path, error)
        }
    }

    /// What is at `path`; `nil` where there is nothing.
    ///
    /// - Parameter followingLinks: whether a link at the end of the path is followed; links on the way always are.
    /// - Throws: `BuildError` (`file-system`, `path-escapes`).
    package func status(of path: String, followingLinks: Bool = true) throws(BuildError) -> FileStatus? {
        do throws(BuildError) {
            let opened = try open(path, followingLinks ? [.pathOnly] : [.pathOnly, .noFollow])
            return try describing("read", path) { () throws(Errno) in
                try opened.withDescriptor { (descriptor) throws(Errno) in try Syscall.status(descriptor) }
            }
        } catch {
            if error.isMissingFile { return nil }
            throw error
        }
    }

    /// The text of the link at `path`.
    package func linkTarget(of path: String) throws(BuildError) -> EntryPath {
        let opened = try open(path, [.pathOnly, .noFollow])
        return try describing("read link", path) { () throws(Errno) in
            try opened.withDescriptor { (descriptor) throws(Errno) in try Syscall.linkTarget("", at: descriptor) }
        }
    }

    /// The names in the directory at `path`, in byte order.
    package func names(in path: String) throws(BuildError) -> [EntryPath] {
        let opened = try open(path, [.readOnly, .directory])
        var names = try describing("read directory", path) { () throws(Errno) -> [EntryPath] in
            try opened.withDescriptor { (descriptor) throws(Errno) in
                var names: [EntryPath] = []
                try DirectoryListing.forEachName(in: descriptor) { name, length in
                    names.append(EntryPath(UnsafeBufferPointer(start: name, count: length)))
                }
                return names
            }
        }
        names.sort()
        return names
    }

    /// The bytes of the regular file that `path` leads to; `nil` where there is nothing.
    ///
    /// - Throws: `BuildError` (`file-system`), also for what is not a regular file or is longer than `limit`.
    package func bytes(ofFileAt path: String, limit: Int = 16 << 20) throws(BuildError) -> [UInt8]? {
        do throws(BuildError) {
            // A fifo must not make the open wait.
            let opened = try open(path, [.readOnly, .nonBlocking])
            return try describing("read file", path) { () throws(Errno) in
                try opened.withDescriptor { (descriptor) throws(Errno) in
                    guard try Syscall.status(descriptor).isRegular else { throw .invalidArgument }
                    return try FileReading.bytes(of: descriptor, limit: limit)
                }
            }
        } catch {
            if error.isMissingFile { return nil }
            throw error
        }
    }

    /// The path that `path` leads to, from the root and without links: `/usr/bin` for `/bin`. What does not exist, from
    /// the first missing component on, is an error.
    package func resolved(_ path: String, followingLast: Bool = true) throws(BuildError) -> String {
        let walker = PathWalker(root: self, path: path)
        switch try walker.resolve(followingLast: followingLast, missing: .stop) {
        case .root: return "/"
        case .entry(let name, _):
            return walker.directoryPath == "/" ? "/\(name)" : "\(walker.directoryPath)/\(name)"
        case .missing: throw failure("open", path, .noSuchFileOrDirectory)
        }
    }

    /// Whether the kernel has openat2(2) (Linux 5.6) and lets this process use it.
    static let hasOpenat2: Bool = {
        do throws(Errno) {
            _ = try Syscall.open(".", [.pathOnly], at: FileDescriptor(rawValue: -100), resolving: [])
            return true
        } catch {
            // A sandbox that does not know the call may also say EPERM.
            return error != .noFunction && error != .notPermitted
        }
    }()

    /// openat2(2) refuses absolute paths below a root in one mode, and the empty path.
    private func relative(_ path: String) -> String {
        let trimmed = path.utf8.drop { $0 == 0x2f }
        return trimmed.isEmpty ? "." : String(trimmed) ?? path
    }

    func failure(_ operation: String, _ path: String, _ error: Errno) -> BuildError {
        let text = path.utf8.first == 0x2f ? path : "/\(path)"
        return BuildError.fileSystem(operation, text, error, in: name)
    }
}
