internal import SystemPackage
package import WhittleCore

// Changes below a root. Links on the way are followed inside it.
extension RootDirectory {
    /// Makes the directory at `path` and those above it that are missing. Existing ones are left as they are; a link to
    /// a missing directory has its target made.
    ///
    /// - Returns: the paths that were made, from the root and without links, topmost first.
    /// - Throws: `BuildError` (`file-system`, `path-escapes`); directories made so far stay.
    @discardableResult
    package func makeDirectories(
        _ path: String, _ creation: DirectoryCreation = DirectoryCreation()
    ) throws(BuildError) -> [String] {
        let walker = PathWalker(root: self, path: path)
        _ = try walker.resolve(followingLast: true, missing: .create(creation))
        // Each directory that was made in another changed the times of that one.
        if let time = creation.time {
            for path in walker.created {
                let directory = try open(path, [.readOnly, .directory])
                try describing("set times of", path) { () throws(Errno) in
                    try directory.withDescriptor { (descriptor) throws(Errno) in
                        try Syscall.changeTimes(descriptor, to: time)
                    }
                }
            }
        }
        return walker.created
    }

    /// Writes a regular file, whose directory must exist. An existing file is replaced in place; a link at the end of
    /// the path is followed.
    ///
    /// - Throws: `BuildError` (`file-system`, `path-escapes`); the file may then be there in part.
    package func writeFile(
        _ path: String, _ contents: [UInt8], mode: UInt32 = 0o644, owner: FileOwner? = nil, time: FileTime? = nil
    ) throws(BuildError) {
        let file = try open(path, [.writeOnly, .create, .truncate, .nonBlocking], mode: mode & 0o777)
        try describing("write file", path) { () throws(Errno) in
            try file.withDescriptor { (descriptor) throws(Errno) in
                try contents.withUnsafeBufferPointer { (buffer) throws(Errno) in
                    try Syscall.writeAll(descriptor, UnsafeRawBufferPointer(buffer))
                }
                if let owner { try Syscall.changeOwner(descriptor, to: owner) }
                try Syscall.changeMode(descriptor, to: mode)
                if let time { try Syscall.changeTimes(descriptor, to: time) }
            }
        }
        try file.close(describing: "write file", path)
    }

    /// Makes a symbolic link at `path`, whose directory must exist; `EEXIST` where there is something.
    package func makeLink(
        _ path: String, to target: String, owner: FileOwner? = nil, time: FileTime? = nil
    ) throws(BuildError) {
        let walker = PathWalker(root: self, path: path)
        guard case .missing(let name) = try walker.resolve(followingLast: false, missing: .stop) else {
            throw failure("create link", path, .fileExists)
        }
        try describing("create link", path) { () throws(Errno) in
            try name.withCString { (name) throws(Errno) in
                try Syscall.makeLink(name, to: target, at: walker.directory)
                if let owner { try Syscall.changeOwner(name, to: owner, at: walker.directory) }
                if let time { try Syscall.changeTimes(name, to: time, at: walker.directory) }
            }
        }
    }

    /// Removes what is at `path`, with all below it; a link at the end is removed itself. The root cannot be removed.
    ///
    /// - Returns: whether there was something.
    /// - Throws: `BuildError` (`file-system`, `path-escapes`).
    @discardableResult
    package func remove(_ path: String) throws(BuildError) -> Bool {
        let walker = PathWalker(root: self, path: path)
        let found: PathWalker.Found
        do throws(BuildError) {
            found = try walker.resolve(followingLast: false, missing: .stop)
        } catch {
            if error.isMissingFile { return false }
            throw error
        }
        switch found {
        case .root: throw failure("remove", path, .resourceBusy)
        case .missing: return false
        case .entry(let name, _):
            // The directory is named through its descriptor, so nothing can be swapped in between.
            try TreeRemoval.remove(name, at: walker.directory, shownAs: path)
            return true
        }
    }
}
