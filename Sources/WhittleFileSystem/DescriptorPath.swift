internal import SystemPackage

/// Opens directories by a path below a descriptor, following no link on the way, whatever the length of the path.
enum DescriptorPath {
    private static let flags: OpenFlags = [.readOnly, .directory, .noFollow]

    /// Opens the directory at `path` below `root`; an empty path is the root. `ELOOP` where a component is a link.
    static func openDirectory(_ path: EntryPath, at root: FileDescriptor) throws(Errno) -> OwnedDescriptor {
        if path.isEmpty { return try Syscall.open(".", flags, at: root) }
        // PATH_MAX is 4096 with the terminator.
        if path.count < 4096, RootDirectory.hasOpenat2 {
            return try path.withCString { (path) throws(Errno) in
                try Syscall.open(path, flags, at: root, resolving: [.beneath, .noLinks])
            }
        }
        var current = try Syscall.open(".", flags, at: root)
        for component in path.components {
            current = try current.withDescriptor { (descriptor) throws(Errno) -> OwnedDescriptor in
                try component.withCString { (name) throws(Errno) in try Syscall.open(name, flags, at: descriptor) }
            }
        }
        return current
    }
}
