internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem

/// The directory that a layer is unpacked into.
///
/// Every entry is made by its name in its open parent directory, and parents are opened component by component without
/// following links. The last parent stays open, since the next entry is most often in it as well.
struct LayerTree {
    private let root: RootDescriptor
    private let path: String
    private var parent: (path: LayerPath, directory: RootDescriptor)?
    /// Times to set at the end, by directory.
    private var directoryTimes: [LayerPath: Timestamp] = [:]
    private let opaqueAttribute: String

    init(_ path: String) throws(BuildError) {
        self.path = path
        do throws(Errno) {
            root = RootDescriptor(try Syscall.open(path, [.readOnly, .directory]))
        } catch {
            throw .fileSystem("open directory", path, error)
        }
        opaqueAttribute = Mount.usesUserAttributes ? "user.overlay.opaque" : "trusted.overlay.opaque"
    }

    /// Owner, mode and time of the root directory.
    mutating func setRoot(_ entry: TarEntry) throws(BuildError) {
        guard entry.kind == .directory else { throw .unsafeLayer(entry.displayPath, "the root must be a directory") }
        try describing("change", entry.path) { () throws(Errno) in
            try Syscall.changeOwner(root.descriptor, to: FileOwner(uid: entry.uid, gid: entry.gid))
            try Syscall.changeMode(root.descriptor, to: UInt32(entry.permissions))
        }
        directoryTimes[LayerPath(components: [])] = entry.modified
    }

    mutating func makeDirectory(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) {
        let directory = try parentDirectory(of: place, for: entry.path)
        let name = EntryPath(bytes: place.name)
        let opened: RootDescriptor = try describing("make directory", entry.path) { () throws(Errno) in
            do throws(Errno) {
                try name.withCString { (name) throws(Errno) in
                    try Syscall.makeDirectory(name, mode: 0o700, at: directory.descriptor)
                }
            } catch {
                guard error == .fileExists else { throw error }
                // An earlier entry of this layer. A directory is kept with what is in it; anything else makes room.
                let status = try name.withCString { (name) throws(Errno) in
                    try Syscall.status(name, at: directory.descriptor)
                }
                if !status.isDirectory {
                    try name.withCString { (name) throws(Errno) in
                        try Syscall.unlink(name, at: directory.descriptor)
                        try Syscall.makeDirectory(name, mode: 0o700, at: directory.descriptor)
                    }
                }
            }
            return try name.withCString { (name) throws(Errno) in
                RootDescriptor(try Syscall.open(name, [.readOnly, .directory, .noFollow], at: directory.descriptor))
            }
        }
        try applyMetadata(opened.descriptor, entry)
        directoryTimes[place] = entry.modified
        // What comes next is most likely in it.
        parent = (place, opened)
    }

    /// Makes a file and leaves it open for writing.
    mutating func makeFile(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) -> FileDescriptor {
        let directory = try parentDirectory(of: place, for: entry.path)
        return try replacing(place, in: directory, entry.path) { (name, directory) throws(Errno) in
            try Syscall.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory).release()
        }
    }

    /// Sets the metadata of a file and closes it.
    func finish(_ descriptor: FileDescriptor, _ entry: TarEntry) throws(BuildError) {
        let file = OwnedDescriptor(owning: descriptor)
        try file.withDescriptor { (descriptor) throws(BuildError) in
            try applyMetadata(descriptor, entry)
            try describing("set the time of", entry.path) { () throws(Errno) in
                try Syscall.changeTimes(descriptor, to: FileTime(entry.modified))
            }
        }
        try describing("write", entry.path, consuming: file)
    }

    mutating func makeHardLink(_ place: LayerPath, to target: LayerPath, _ entry: TarEntry) throws(BuildError) {
        let source = try openParent(of: target, for: entry.path)
        let directory = try parentDirectory(of: place, for: entry.path)
        let name = EntryPath(bytes: target.name)
        guard target != place else { throw .unsafeLayer(entry.displayPath, "it is a hard link to itself") }
        try replacing(place, in: directory, entry.path) { (link, directory) throws(Errno) in
            try name.withCString { (name) throws(Errno) in
                try Syscall.link(name, at: source.descriptor, to: link, at: directory)
            }
        }
    }

    /// Makes a symbolic link, a fifo or a device node.
    mutating func makeNode(_ place: LayerPath, _ entry: TarEntry) throws(BuildError) {
        let directory = try parentDirectory(of: place, for: entry.path)
        let target = EntryPath(bytes: entry.linkTarget)
        try replacing(place, in: directory, entry.path) { (name, directory) throws(Errno) in
            if entry.kind == .symbolicLink {
                try target.withCString { (target) throws(Errno) in
                    try Syscall.makeLink(name, to: target, at: directory)
                }
            } else {
                let device = DeviceNumber(major: entry.deviceMajor, minor: entry.deviceMinor)
                try Syscall.makeNode(
                    name, mode: Self.typeBits(entry.kind) | 0o600, device: device.packed, at: directory)
            }
            try Syscall.changeOwner(name, to: FileOwner(uid: entry.uid, gid: entry.gid), at: directory)
            if entry.kind != .symbolicLink {
                try Syscall.changeMode(name, to: UInt32(entry.permissions), at: directory)
            }
            try Syscall.changeTimes(name, to: FileTime(entry.modified), at: directory)
        }
    }

    /// Marks `name` as deleted.
    mutating func hide(_ name: [UInt8], in place: LayerPath) throws(BuildError) {
        let full = LayerPath(components: place.components + [name])
        let directory = try parentDirectory(of: full, for: name)
        try replacing(full, in: directory, name) { (name, directory) throws(Errno) in
            try Syscall.makeNode(name, mode: Self.typeBits(.characterDevice), device: 0, at: directory)
        }
    }

    /// Makes a directory hide what lies below it.
    mutating func makeOpaque(_ place: LayerPath) throws(BuildError) {
        let directory = try openDirectory(place, for: Array("/.wh..wh..opq".utf8))
        try describing("mark as opaque", place.name(orRoot: "/")) { () throws(Errno) in
            try ExtendedAttributes.set(
                ExtendedAttribute(name: opaqueAttribute, value: Array("y".utf8)), on: directory.descriptor)
        }
    }

    /// Sets the times of all directories that had entries of their own, deepest first.
    mutating func setDirectoryTimes() throws(BuildError) {
        parent = nil
        for (place, time) in directoryTimes.sorted(by: { $0.key.components.count > $1.key.components.count }) {
            // A directory that a later entry replaced has no time of its own.
            guard let directory = try? openDirectory(place, for: place.name(orRoot: "/")) else { continue }
            try describing("set the time of", place.name(orRoot: "/")) { () throws(Errno) in
                try Syscall.changeTimes(directory.descriptor, to: FileTime(time))
            }
        }
        directoryTimes = [:]
    }

    func describing<Value>(
        _ operation: String, _ entry: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        do throws(Errno) { return try body() } catch {
            throw .fileSystem(operation, path + "/" + String(decoding: entry, as: UTF8.self), error)
        }
    }

    private func describing(
        _ operation: String, _ entry: [UInt8], consuming file: consuming OwnedDescriptor
    ) throws(BuildError) {
        do throws(Errno) { try file.close() } catch {
            throw .fileSystem(operation, path + "/" + String(decoding: entry, as: UTF8.self), error)
        }
    }
}

// MARK: - Parents and names

extension LayerTree {
    /// The open directory that holds `place`, made where it is missing.
    private mutating func parentDirectory(of place: LayerPath, for entry: [UInt8]) throws(BuildError) -> RootDescriptor {
        let wanted = place.parent
        if let parent, parent.path == wanted { return parent.directory }
        let directory = try openDirectory(wanted, for: entry)
        parent = (wanted, directory)
        return directory
    }

    private func openParent(of place: LayerPath, for entry: [UInt8]) throws(BuildError) -> RootDescriptor {
        if let parent, parent.path == place.parent { return parent.directory }
        return try openDirectory(place.parent, for: entry)
    }

    private func openDirectory(_ place: LayerPath, for entry: [UInt8]) throws(BuildError) -> RootDescriptor {
        var current = root
        for component in place.components {
            let name = EntryPath(bytes: component)
            let above = current
            do throws(Errno) {
                current = try name.withCString { (name) throws(Errno) in
                    try Self.openOrMake(name, in: above.descriptor)
                }
            } catch {
                let text = String(decoding: entry, as: UTF8.self)
                guard error == .tooManySymbolicLinkLevels || error == .notDirectory else {
                    throw .fileSystem("open directory", path + "/" + text, error)
                }
                throw .unsafeLayer(text, "'\(String(decoding: component, as: UTF8.self))' on its way is not a directory")
            }
        }
        return current
    }

    private static func openOrMake(_ name: UnsafePointer<CChar>, in directory: FileDescriptor) throws(Errno) -> RootDescriptor {
        let flags: OpenFlags = [.readOnly, .directory, .noFollow]
        do throws(Errno) {
            return RootDescriptor(try Syscall.open(name, flags, at: directory))
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            try Syscall.makeDirectory(name, mode: 0o755, at: directory)
            return RootDescriptor(try Syscall.open(name, flags, at: directory))
        }
    }

    /// Makes something under a name, in the place of what an earlier entry made there.
    private mutating func replacing<Value>(
        _ place: LayerPath, in directory: RootDescriptor, _ entry: [UInt8],
        _ make: (UnsafePointer<CChar>, FileDescriptor) throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        let name = EntryPath(bytes: place.name)
        func attempt() throws(Errno) -> Value {
            try name.withCString { (name) throws(Errno) in try make(name, directory.descriptor) }
        }
        do throws(Errno) { return try attempt() } catch {
            guard error == .fileExists else {
                throw .fileSystem("make", path + "/" + String(decoding: entry, as: UTF8.self), error)
            }
        }
        // What is open may be below what is removed.
        parent = nil
        try removeEarlier(name, at: place, in: directory)
        return try describing("make", entry, attempt)
    }

    private func removeEarlier(
        _ name: EntryPath, at place: LayerPath, in directory: RootDescriptor
    ) throws(BuildError) {
        do throws(Errno) {
            try name.withCString { (name) throws(Errno) in try Syscall.unlink(name, at: directory.descriptor) }
        } catch {
            // A directory: its parents were just opened without following a link.
            try TreeRemoval.remove(
                path + "/" + place.components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"))
        }
    }

    private func applyMetadata(_ descriptor: FileDescriptor, _ entry: TarEntry) throws(BuildError) {
        try describing("set the metadata of", entry.path) { () throws(Errno) in
            try Syscall.changeOwner(descriptor, to: FileOwner(uid: entry.uid, gid: entry.gid))
            // After the owner: changing that takes set-user-ID bits and capabilities away.
            try Syscall.changeMode(descriptor, to: UInt32(entry.permissions))
            for (name, value) in entry.attributes.sorted(by: { $0.key < $1.key })
            where !name.hasPrefix("trusted.overlay.") && !name.hasPrefix("user.overlay.") {
                do throws(Errno) {
                    try ExtendedAttributes.set(ExtendedAttribute(name: name, value: value), on: descriptor)
                } catch {
                    // A file system without such attributes, or a namespace that only this machine may set: image-spec
                    // leaves it to the unpacker.
                    guard error == .notSupported || error == .notPermitted else { throw error }
                }
            }
        }
    }

    private static func typeBits(_ kind: TarEntry.Kind) -> UInt32 {
        switch kind {
        case .characterDevice: 0o020000
        case .blockDevice: 0o060000
        default: 0o010000
        }
    }
}

/// A directory that stays open as long as somebody refers to it.
final class RootDescriptor {
    let descriptor: FileDescriptor

    init(_ owned: consuming OwnedDescriptor) { descriptor = owned.release() }

    deinit {
        // It was open for reading: there is nothing to report.
        try? Syscall.close(descriptor)
    }
}

extension FileTime {
    init(_ time: Timestamp) { self.init(seconds: time.seconds, nanoseconds: UInt32(time.nanoseconds)) }
}

extension EntryPath {
    init(bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { EntryPath($0) }
        }
    }
}

extension LayerPath {
    func name(orRoot root: String) -> [UInt8] { components.last ?? Array(root.utf8) }
}
