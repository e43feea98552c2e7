internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot

/// Takes back the directories that overlayfs copied up only because a mount point was made in them and removed again.
///
/// Without this, every step on an image that lacks `/etc/resolv.conf` would have a layer that holds `/etc` and nothing else.
struct UnchangedDirectories {
    private let active: ActiveSnapshot

    init(_ active: ActiveSnapshot) { self.active = active }

    /// Removes from the changes those of `paths`, and of the directories above them, that are as they are below.
    ///
    /// - Parameter paths: absolute paths in the file system; the last component of each is what was mounted over.
    func takeBack(above paths: [String]) throws {
        // Looked at before anything is removed: that changes the times of the directory above.
        var unchanged: [String: Int] = [:]
        for path in paths {
            var components = path.split(separator: "/").map(String.init).filter { $0 != "." && $0 != ".." }
            while !components.isEmpty {
                let directory = "/" + components.joined(separator: "/")
                if unchanged[directory] == nil, try isUnchanged(components) { unchanged[directory] = components.count }
                components.removeLast()
            }
        }
        for (directory, _) in unchanged.sorted(by: { $0.value > $1.value }) {
            do throws(Errno) { try Syscall.removeDirectory(active.upper + directory) } catch {
                // Something is in it after all: then it belongs to the step's changes.
                guard error == .directoryNotEmpty || error == .fileExists || error == .noSuchFileOrDirectory else {
                    throw BuildError.fileSystem("remove directory", active.upper + directory, error)
                }
            }
        }
    }

    private func isUnchanged(_ components: [String]) throws -> Bool {
        let path = components.joined(separator: "/")
        guard let upper = Self.status(components, below: active.upper), upper.isDirectory,
            let attributes = try Self.attributes(active.upper + "/" + path)
        else { return false }
        for lower in active.lower {
            guard let status = Self.status(components, below: lower) else { continue }
            return try status.isDirectory && status.mode == upper.mode && status.owner == upper.owner
                && status.modified == upper.modified && Self.attributes(lower + "/" + path) == attributes
        }
        return false
    }

    /// What is at a path without following links; `nil` where it, or a directory on its way, is not there.
    private static func status(_ components: [String], below root: String) -> FileStatus? {
        var path = root
        var status: FileStatus?
        for component in components {
            if let above = status, !above.isDirectory { return nil }
            path += "/" + component
            // Not there, or not to be looked at: the caller then leaves everything as it is.
            guard let found = try? Syscall.status(path) else { return nil }
            status = found
        }
        return status
    }

    /// The attributes of a directory without overlayfs's own; `nil` for an opaque one, which hides what is below.
    private static func attributes(_ path: String) throws -> [ExtendedAttribute]? {
        let directory = try Syscall.open(path, [.readOnly, .directory, .noFollow])
        let all = try directory.withDescriptor { try ExtendedAttributes.list($0) }
        if all.contains(where: { $0.name.hasSuffix(".overlay.opaque") && $0.value == Array("y".utf8) }) { return nil }
        return all.filter { !$0.name.hasPrefix("trusted.overlay.") && !$0.name.hasPrefix("user.overlay.") }
    }
}
