internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// The directories of a file system that an archive is unpacked into, which has contents of its own already.
///
/// Links on the way to an entry are followed, inside the root: an archive with `bin/tool` puts that into `/usr/bin` where
/// `/bin` is a link to it. Directories that the archive does not name keep their time of modification, or get a given one
/// where they are made, so that the result does not depend on the clock.
final class ArchiveDirectories {
    private let root: RootDirectory
    /// For directories that are made on the way.
    private let creation: DirectoryCreation
    /// What to set at the end, by what a directory is and not by one of the paths that lead to it.
    private var times: [Identity: (path: String, time: FileTime)] = [:]
    /// Directories whose time is that of their entry: what is put into them later is no reason to keep another one.
    private var named: Set<Identity> = []

    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    init(_ root: RootDirectory, time: FileTime) {
        self.root = root
        creation = DirectoryCreation(mode: 0o755, owner: .root, time: time)
    }

    /// Opens a directory; it and those above it are made where they are missing.
    func open(_ place: LayerPath) throws(BuildError) -> SharedDescriptor {
        for count in 0...place.components.count {
            let path = LayerPath(components: Array(place.components.prefix(count))).description
            guard let status = try root.status(of: path) else { break }
            keep(status.modified, of: status, path)
        }
        let path = place.description
        for made in try root.makeDirectories(path, creation) {
            guard let status = try root.status(of: made), let time = creation.time else { continue }
            keep(time, of: status, made)
        }
        return SharedDescriptor(try root.open(path, [.readOnly, .directory]))
    }

    /// Opens a directory; `nil` where there is none.
    func existing(_ place: LayerPath) throws(BuildError) -> SharedDescriptor? {
        guard try root.status(of: place.description)?.isDirectory == true else { return nil }
        return SharedDescriptor(try root.open(place.description, [.readOnly, .directory]))
    }

    /// The directory's own entry says its time.
    func forget(_ directory: FileDescriptor) throws(Errno) {
        let status = try Syscall.status(directory)
        let identity = Identity(device: status.device, inode: status.inode)
        times[identity] = nil
        named.insert(identity)
    }

    /// Sets the times of directories that have no entry.
    func setTimes() throws(BuildError) {
        for (identity, (path, time)) in times {
            // One that an entry replaced meanwhile is gone.
            guard let status = try root.status(of: path), status.isDirectory,
                identity == Identity(device: status.device, inode: status.inode)
            else { continue }
            let opened = try root.open(path, [.readOnly, .directory])
            do throws(Errno) {
                try opened.withDescriptor { (directory) throws(Errno) in try Syscall.changeTimes(directory, to: time) }
            } catch {
                throw .fileSystem("set times of", path, error)
            }
        }
        times = [:]
        named = []
    }

    private func keep(_ time: FileTime, of status: FileStatus, _ path: String) {
        let identity = Identity(device: status.device, inode: status.inode)
        if times[identity] == nil, !named.contains(identity) { times[identity] = (path, time) }
    }
}
