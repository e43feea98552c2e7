package import SystemPackage
package import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// Removes whole trees.
package enum TreeRemoval {
    /// Removes `path` and, if it is a directory, all below it. Nothing there is no error.
    ///
    /// Never follows a link and never leaves the tree: a directory on another file system (something is mounted there) is
    /// an error (`EBUSY`), and its contents stay. Directories without permission bits are given them first. Trees may be
    /// of any depth: a subdirectory deeper than 64 levels is first moved to the top.
    ///
    /// - Throws: `BuildError` (`file-system`) with the path that could not be removed; what is left is a valid tree.
    package static func remove(_ path: String) throws(BuildError) {
        try remove(EntryPath(path), at: nil, shownAs: path)
    }

    /// Removes all below the directory at `path`, which stays; see ``remove(_:)``.
    package static func removeContents(of path: String) throws(BuildError) {
        try removeContents(of: EntryPath(path), at: nil, shownAs: path)
    }

    /// Removes the entry `name` of `directory`; see ``remove(_:)``.
    package static func remove(
        _ name: EntryPath, at directory: FileDescriptor?, shownAs path: String
    ) throws(BuildError) {
        do throws(Errno) {
            try name.withCString { (name) throws(Errno) in try Syscall.unlink(name, at: directory) }
            return
        } catch {
            if error == .noSuchFileOrDirectory { return }
            // unlink(2) of a directory is EISDIR on Linux; EPERM is what POSIX says.
            guard error == .isDirectory || error == .notPermitted else {
                throw BuildError.fileSystem("remove", path, error)
            }
        }
        try removeContents(of: name, at: directory, shownAs: path)
        try describing("remove directory", path) { () throws(Errno) in
            try name.withCString { (name) throws(Errno) in try Syscall.removeDirectory(name, at: directory) }
        }
    }

    private static func removeContents(
        of name: EntryPath, at directory: FileDescriptor?, shownAs path: String
    ) throws(BuildError) {
        let root = try describing("open directory", path) { () throws(Errno) -> OwnedDescriptor in
            try name.withCString { (name) throws(Errno) in try open(name, at: directory) }
        }
        try root.withDescriptor { (descriptor) throws(BuildError) in
            let device = try describing("read directory", path) { () throws(Errno) in
                try Syscall.status(descriptor).device
            }
            var removal = Removal(root: descriptor, device: device)
            try removal.empty(descriptor, depth: 0, path: path)
        }
    }

    /// Opens a directory of the tree for reading; one whose mode forbids it is given `rwx` for its owner first.
    private static func open(
        _ name: UnsafePointer<CChar>, at directory: FileDescriptor?
    ) throws(Errno) -> OwnedDescriptor {
        let flags: OpenFlags = [.readOnly, .directory, .noFollow]
        do throws(Errno) {
            return try Syscall.open(name, flags, at: directory)
        } catch {
            guard error == .permissionDenied else { throw error }
            try Syscall.changeMode(name, to: 0o700, at: directory)
            return try Syscall.open(name, flags, at: directory)
        }
    }

    private struct Removal {
        let root: FileDescriptor
        let device: UInt64
        var moved: UInt64 = 0

        /// More levels than this are not held open at once.
        private static let depthLimit = 64

        mutating func empty(_ directory: FileDescriptor, depth: Int, path: String) throws(BuildError) {
            // Moving subdirectories to the top adds names there: read it again until nothing is left.
            while true {
                let names = try names(in: directory, path: path)
                if names.isEmpty { return }
                for name in names { try remove(name, in: directory, depth: depth, path: path) }
                if depth > 0 { return }
            }
        }

        private func names(in directory: FileDescriptor, path: String) throws(BuildError) -> [EntryPath] {
            try describing("read directory", path) { () throws(Errno) -> [EntryPath] in
                try Syscall.rewind(directory)
                var names: [EntryPath] = []
                try DirectoryListing.forEachName(in: directory) { name, length in
                    names.append(EntryPath(UnsafeBufferPointer(start: name, count: length)))
                }
                return names
            }
        }

        private mutating func remove(
            _ name: EntryPath, in directory: FileDescriptor, depth: Int, path: String
        ) throws(BuildError) {
            let path = "\(path)/\(name)"
            let isDirectory = try describing("remove", path) { () throws(Errno) -> Bool in
                do throws(Errno) {
                    try name.withCString { (name) throws(Errno) in try Syscall.unlink(name, at: directory) }
                    return false
                } catch {
                    switch error {
                    case .noSuchFileOrDirectory: return false
                    case .isDirectory, .notPermitted: return true
                    case .permissionDenied:
                        // The directory that holds the name is not writable: it is ours, so make it so.
                        try Syscall.changeMode(directory, to: 0o700)
                        return try retry(name, in: directory)
                    default: throw error
                    }
                }
            }
            guard isDirectory else { return }
            if depth >= Self.depthLimit {
                moved += 1
                let target = ".removed-\(getpid())-\(moved)"
                try describing("remove directory", path) { () throws(Errno) in
                    try name.withCString { (name) throws(Errno) in
                        try Syscall.rename(name, at: directory, to: target, at: root)
                    }
                }
                return
            }
            try removeDirectory(name, in: directory, depth: depth, path: path)
        }

        private func retry(_ name: EntryPath, in directory: FileDescriptor) throws(Errno) -> Bool {
            do throws(Errno) {
                try name.withCString { (name) throws(Errno) in try Syscall.unlink(name, at: directory) }
                return false
            } catch {
                if error == .isDirectory { return true }
                throw error
            }
        }

        private mutating func removeDirectory(
            _ name: EntryPath, in directory: FileDescriptor, depth: Int, path: String
        ) throws(BuildError) {
            let child = try describing("open directory", path) { () throws(Errno) -> OwnedDescriptor in
                try name.withCString { (name) throws(Errno) in
                    try TreeRemoval.open(name, at: directory)
                }
            }
            try child.withDescriptor { (descriptor) throws(BuildError) in
                let found = try describing("read directory", path) { () throws(Errno) in
                    try Syscall.status(descriptor).device
                }
                guard found == device else { throw BuildError.fileSystem("remove directory", path, .resourceBusy) }
                try empty(descriptor, depth: depth + 1, path: path)
            }
            try describing("remove directory", path) { () throws(Errno) in
                try name.withCString { (name) throws(Errno) in try Syscall.removeDirectory(name, at: directory) }
            }
        }
    }
}
