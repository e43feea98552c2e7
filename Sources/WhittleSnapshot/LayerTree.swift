internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem

/// The directory that a layer is unpacked into.
///
/// Every entry is made by its name in its open parent directory, and parents are opened component by component without
/// following links. The last parent stays open, since the next entry is most often in it as well.
struct LayerTree {
    private let root: SharedDescriptor
    private let path: String
    private var parent: (path: LayerPath, directory: SharedDescriptor)?
    /// Times to set at the end, by directory.
    private var directoryTimes: [LayerPath: Timestamp] = [:]
    private let opaqueAttribute: ExtendedAttribute
    /// Parents that were made for something in them.
    private(set) var implicit = ImplicitDirectories()
    /// How parents are found where the directory has contents of its own; `nil` for a layer.
    private let archive: ArchiveDirectories?

    /// - Parameter archive: unpacks what is no layer into a directory that is not empty.
    init(_ path: String, archive: ArchiveDirectories? = nil) throws(BuildError) {
        self.path = path
        self.archive = archive
        do throws(Errno) {
            root = SharedDescriptor(try Syscall.open(path, [.readOnly, .directory]))
        } catch {
            throw .fileSystem("open directory", path, error)
        }
        opaqueAttribute = ExtendedAttribute(
            name: Mount.usesUserAttributes ? "user.overlay.opaque" : "trusted.overlay.opaque", value: Array("y".utf8))
    }

    /// Owner, mode and time of the root directory.
    mutating func setRoot(_ entry: TarEntry) throws(BuildError) {
        guard entry.kind == .directory else { throw .unsafeLayer(entry.displayPath, "the root must be a directory") }
        try describing("change", entry.path) { () throws(Errno) in
            try LayerMetadata.set(entry, on: root.descriptor)
        }
        directoryTimes[LayerPath(components: [])] = entry.modified
    }

    mutating func makeDirectory(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) {
        let directory = try parentDirectory(of: place, for: entry.path)
        let name = EntryPath(bytes: place.name)
        let opened = try describing("make directory", entry.path) { () throws(Errno) in
            try name.withCString { (name) throws(Errno) in
                // Nothing below it can be seen through what this layer put there before, be it a deletion.
                let isReplacement = try Self.makeRoom(for: name, in: directory.descriptor)
                let made = SharedDescriptor(
                    try Syscall.open(name, [.readOnly, .directory, .noFollow], at: directory.descriptor))
                if isReplacement, archive == nil {
                    try ExtendedAttributes.set(opaqueAttribute, on: made.descriptor)
                }
                try archive?.forget(made.descriptor)
                try LayerMetadata.set(entry, on: made.descriptor)
                return made
            }
        }
        directoryTimes[place] = entry.modified
        if !implicit.isEmpty { implicit.remove(place) }
        // What comes next is most likely in it.
        parent = (place, opened)
    }

    /// Makes a directory, or keeps one that an earlier entry of the layer made, with what is in it.
    ///
    /// - Returns: whether something else was there.
    private static func makeRoom(
        for name: UnsafePointer<CChar>, in directory: FileDescriptor
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try Syscall.makeDirectory(name, mode: 0o700, at: directory)
            return false
        } catch {
            guard error == .fileExists else { throw error }
            if try Syscall.status(name, at: directory).isDirectory { return false }
            try Syscall.unlink(name, at: directory)
            try Syscall.makeDirectory(name, mode: 0o700, at: directory)
            return true
        }
    }

    /// Makes a file and leaves it open for writing.
    mutating func makeFile(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) -> SharedDescriptor {
        try replacing(place, entry.path) { (name, directory) throws(Errno) in
            SharedDescriptor(
                try Syscall.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory))
        }
    }

    /// Sets the metadata of a file and closes it.
    func finish(_ file: SharedDescriptor, _ entry: TarEntry) throws(BuildError) {
        try describing("write", entry.path) { () throws(Errno) in
            try LayerMetadata.set(entry, on: file.descriptor)
            try Syscall.changeTimes(file.descriptor, to: FileTime(entry.modified))
            try file.close()
        }
    }

    mutating func makeHardLink(_ place: LayerPath, to target: LayerPath, _ entry: TarEntry) throws(BuildError) {
        guard target != place else { throw .unsafeLayer(entry.displayPath, "it is a hard link to itself") }
        let name = EntryPath(bytes: target.name)
        let source = try existingDirectory(target.parent, for: entry.path)
        let status = try describing("read", entry.path) { () throws(Errno) in try Self.status(of: name, in: source) }
        guard let source, let status, !status.isDirectory else {
            let problem = status == nil ? "which the layer does not have" : "which is a directory"
            throw .unsafeLayer(entry.displayPath, "it is a hard link to '\(target)', \(problem)")
        }
        try replacing(place, entry.path) { (link, directory) throws(Errno) in
            try name.withCString { (name) throws(Errno) in
                try Syscall.link(name, at: source.descriptor, to: link, at: directory)
            }
        }
    }

    /// Makes a symbolic link, a fifo or a device node; what stands for a device where this process may make none.
    mutating func makeNode(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) {
        let target = EntryPath(bytes: entry.linkTarget)
        try replacing(place, entry.path) { (name, directory) throws(Errno) in
            if entry.kind == .symbolicLink {
                try target.withCString { (target) throws(Errno) in
                    try Syscall.makeLink(name, to: target, at: directory)
                }
            } else {
                let device = DeviceNumber(major: entry.deviceMajor, minor: entry.deviceMinor)
                do throws(Errno) {
                    try Syscall.makeNode(
                        name, mode: LayerMetadata.typeBits(entry.kind) | 0o600, device: device.packed, at: directory)
                } catch {
                    // In a user namespace nobody may.
                    guard error == .notPermitted else { throw error }
                    try Self.makePlaceholder(name, entry, in: directory)
                }
            }
            try Syscall.changeOwner(name, to: FileOwner(uid: entry.uid, gid: entry.gid), at: directory)
            if entry.kind != .symbolicLink {
                try Syscall.changeMode(name, to: UInt32(entry.permissions), at: directory)
            }
            try Syscall.changeTimes(name, to: FileTime(entry.modified), at: directory)
        }
    }

    private static func makePlaceholder(
        _ name: UnsafePointer<CChar>, _ entry: TarEntry, in directory: FileDescriptor
    ) throws(Errno) {
        let file = try Syscall.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        try file.withDescriptor { (file) throws(Errno) in
            try ExtendedAttributes.set(DevicePlaceholder.attribute(for: entry), on: file)
        }
    }

    /// Marks `name` as deleted in the layers below. What this layer itself has there stays.
    mutating func hide(_ name: [UInt8], in place: LayerPath) throws(BuildError) {
        let full = LayerPath(components: place.components + [name])
        let directory = try parentDirectory(of: full, for: name)
        let isDirectory = try describing("mark as deleted", name) { () throws(Errno) in
            try EntryPath(bytes: name).withCString { (name) throws(Errno) in
                do throws(Errno) {
                    try Syscall.makeNode(
                        name, mode: LayerMetadata.typeBits(.characterDevice), device: 0, at: directory.descriptor)
                    return false
                } catch {
                    guard error == .fileExists else { throw error }
                    return try Syscall.status(name, at: directory.descriptor).isDirectory
                }
            }
        }
        if isDirectory { try makeOpaque(full) }
    }

    /// Makes a directory hide what lies below it.
    mutating func makeOpaque(_ place: LayerPath) throws(BuildError) {
        let marker = place.components.joined(separator: "/".utf8) + Array("/.wh..wh..opq".utf8)
        let directory = try openDirectory(place, for: Array(marker))
        try describing("mark as opaque", Array(marker)) { () throws(Errno) in
            try ExtendedAttributes.set(opaqueAttribute, on: directory.descriptor)
        }
    }

    /// Sets the times of all directories that had entries of their own, deepest first.
    mutating func setDirectoryTimes() throws(BuildError) {
        parent = nil
        for (place, time) in directoryTimes.sorted(by: { $0.key.components.count > $1.key.components.count }) {
            let name = place.components.last ?? Array("/".utf8)
            // One that a later entry replaced has no time of its own.
            guard let directory = try existingDirectory(place, for: name) else { continue }
            try describing("set the time of", name) { () throws(Errno) in
                try Syscall.changeTimes(directory.descriptor, to: FileTime(time))
            }
        }
        directoryTimes = [:]
        try archive?.setTimes()
    }

    func describing<Value>(
        _ operation: String, _ entry: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        do throws(Errno) { return try body() } catch { throw failure(operation, entry, error) }
    }

    private func failure(_ operation: String, _ entry: [UInt8], _ error: Errno) -> BuildError {
        let failure = BuildError.fileSystem(operation, path + "/" + String(decoding: entry, as: UTF8.self), error)
        guard error == .invalidArgument, Mount.usesUserAttributes else { return failure }
        // chown(2) to an id that the user namespace does not have.
        return BuildError(
            failure.code, failure.message,
            hint: "an owner in the layer has a number beyond those that /etc/subuid and /etc/subgid lend; lend more, "
                + "or run whittle as root", cause: failure.cause)
    }
}

// MARK: - Parents and names

extension LayerTree {
    /// The open directory that holds `place`, made where it is missing.
    private mutating func parentDirectory(of place: LayerPath, for entry: [UInt8]) throws(BuildError)
        -> SharedDescriptor
    {
        if let parent, place.isDirectly(in: parent.path) { return parent.directory }
        let wanted = place.parent
        let directory = try openDirectory(wanted, for: entry)
        parent = (wanted, directory)
        return directory
    }

    /// Opens a directory; it and those above it are made where they are missing.
    private mutating func openDirectory(_ place: LayerPath, for entry: [UInt8]) throws(BuildError) -> SharedDescriptor {
        if let archive { return try archive.open(place) }
        var current = root
        for (index, component) in place.components.enumerated() {
            let above = current
            do throws(Errno) {
                let (opened, isNew) = try EntryPath(bytes: component).withCString { (name) throws(Errno) in
                    do throws(Errno) {
                        return (try Self.open(name, in: above), false)
                    } catch {
                        guard error == .noSuchFileOrDirectory else { throw error }
                        try Syscall.makeDirectory(name, mode: 0o755, at: above.descriptor)
                        return (try Self.open(name, in: above), true)
                    }
                }
                if isNew { implicit.add(LayerPath(components: Array(place.components[...index]))) }
                current = opened
            } catch {
                guard error == .tooManySymbolicLinkLevels || error == .notDirectory else {
                    throw failure("open directory", entry, error)
                }
                throw .unsafeLayer(
                    String(decoding: entry, as: UTF8.self),
                    "'\(String(decoding: component, as: UTF8.self))' on its way is not a directory")
            }
        }
        return current
    }

    /// What is at `place`; `nil` where there is nothing.
    func status(of place: LayerPath) throws(BuildError) -> FileStatus? {
        let directory = try existingDirectory(place.parent, for: place.name)
        return try describing("read", place.name) { () throws(Errno) in
            try Self.status(of: EntryPath(bytes: place.name), in: directory)
        }
    }

    /// Opens a directory; `nil` where there is none, or where something else is on its way.
    func existingDirectory(_ place: LayerPath, for entry: [UInt8]) throws(BuildError) -> SharedDescriptor? {
        if let parent, parent.path == place { return parent.directory }
        if let archive { return try archive.existing(place) }
        var current = root
        for component in place.components {
            let above = current
            do throws(Errno) {
                current = try EntryPath(bytes: component).withCString { (name) throws(Errno) in
                    try Self.open(name, in: above)
                }
            } catch {
                switch error {
                case .noSuchFileOrDirectory, .tooManySymbolicLinkLevels, .notDirectory: return nil
                default: throw failure("open directory", entry, error)
                }
            }
        }
        return current
    }

    /// What is under `name`; `nil` where there is nothing.
    private static func status(of name: EntryPath, in directory: SharedDescriptor?) throws(Errno) -> FileStatus? {
        guard let directory else { return nil }
        return try name.withCString { (name) throws(Errno) in
            do throws(Errno) {
                return try Syscall.status(name, at: directory.descriptor) as FileStatus?
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
    }

    private static func open(
        _ name: UnsafePointer<CChar>, in directory: SharedDescriptor
    ) throws(Errno) -> SharedDescriptor {
        SharedDescriptor(try Syscall.open(name, [.readOnly, .directory, .noFollow], at: directory.descriptor))
    }

    /// Makes something under a name, in the place of what an earlier entry made there.
    private mutating func replacing<Value>(
        _ place: LayerPath, _ entry: [UInt8], _ make: (UnsafePointer<CChar>, FileDescriptor) throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        let directory = try parentDirectory(of: place, for: entry)
        let name = EntryPath(bytes: place.name)
        func attempt() throws(Errno) -> Value {
            try name.withCString { (name) throws(Errno) in try make(name, directory.descriptor) }
        }
        do throws(Errno) { return try attempt() } catch {
            guard error == .fileExists else { throw failure("make", entry, error) }
        }
        // What is open may be below what is removed.
        parent = nil
        try TreeRemoval.remove(
            name, at: directory.descriptor, shownAs: path + "/" + String(decoding: entry, as: UTF8.self))
        return try describing("make", entry, attempt)
    }
}

extension FileTime {
    init(_ time: Timestamp) { self.init(seconds: time.seconds, nanoseconds: UInt32(time.nanoseconds)) }
}
