internal import SystemPackage
internal import WhittleCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// Copies entries of one source directory, none of them a directory, into one directory of the destination.
struct EntryWriter {
    private let writer: TreeWriter
    private let source: FileDescriptor
    private let directory: SourceDirectory
    private let target: FileDescriptor
    private let targetPath: String
    private let known: [FileIndex.Content?]
    /// The owner that a new file has by itself.
    private let defaultOwner: FileOwner
    /// Whether a new file has exactly the mode it was made with.
    private let keepsMode: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var outcome = TreeCopier.Outcome()

    /// Call ``finish()`` at the end.
    init(
        _ writer: TreeWriter, from source: FileDescriptor, _ directory: SourceDirectory, to target: FileDescriptor,
        _ targetPath: String
    ) throws(BuildError) {
        self.writer = writer
        self.source = source
        self.directory = directory
        self.target = target
        self.targetPath = targetPath
        known = directory.known
        let (status, list) = try describing("read directory", targetPath) { () throws(Errno) in
            (try Syscall.status(target), try ExtendedAttributes.get(CopiedAttributes.defaultList, of: target))
        }
        // In a directory with setgid, files get its group; with a default access list, they get modes from that.
        let group = status.permissions & 0o2000 != 0 ? status.owner.gid : getegid()
        defaultOwner = FileOwner(uid: geteuid(), gid: group)
        keepsMode = list == nil
        buffer = .allocate(byteCount: FileCopy.bufferSize, alignment: 16)
    }

    func finish() { buffer.deallocate() }

    /// Copies the entry at `index` of the source directory to `name`, replacing what is there but a directory.
    mutating func write(_ index: Int, as name: EntryPath) throws {
        let status = directory.listing.entries[index].status
        let sourceName = directory.listing.name(index)
        do {
            switch status.kind {
            case .regular: try writeRegular(sourceName, status, known[index], as: name)
            case .symbolicLink: try writeLink(sourceName, status, as: name)
            case .fifo, .characterDevice, .blockDevice: try writeNode(sourceName, status, as: name)
            case .directory, .socket, .unknown: return
            }
        } catch let error as Errno {
            let path = targetPath == "/" ? "/\(name)" : "\(targetPath)/\(name)"
            if error == .isDirectory {
                throw BuildError.fileOntoDirectory("\(directory.path.appending(sourceName))", path)
            }
            throw BuildError.fileSystem("write", path, error)
        }
        outcome.entries += 1
    }

    /// Calls `make`, which makes `name`; where something has the name already, removes that first. `EISDIR` where that
    /// is a directory.
    static func replacing<Value: ~Copyable>(
        _ name: EntryPath, at directory: FileDescriptor, _ make: (UnsafePointer<CChar>) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try name.withCString { (name) throws(Errno) -> Value in
            do throws(Errno) {
                return try make(name)
            } catch {
                guard error == .fileExists else { throw error }
            }
            if try Syscall.status(name, at: directory).isDirectory { throw .isDirectory }
            try Syscall.unlink(name, at: directory)
            return try make(name)
        }
    }

    private mutating func writeRegular(
        _ sourceName: EntryPath, _ status: FileStatus, _ content: FileIndex.Content?, as name: EntryPath
    ) throws {
        let opened = try openSource(sourceName)
        let mode = writer.plan.request.mode(of: status)
        let file = try Self.replacing(name, at: target) { (name) throws(Errno) -> OwnedDescriptor in
            try Syscall.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode & 0o777, at: target)
        }
        try opened.withDescriptor { from in
            try file.withDescriptor { to in
                try FileCopy.copy(status, from: from, to: to, buffer, writer.cancellation)
                try setMetadata(from, to, status, content, mode)
            }
            guard try Syscall.status(from).isUnchanged(since: status) else { throw changed(sourceName) }
        }
        try file.close()
        outcome.bytes += status.size
    }

    private func openSource(_ name: EntryPath) throws -> OwnedDescriptor {
        do throws(Errno) {
            return try name.withCString { (name) throws(Errno) in
                try Syscall.open(name, [.readOnly, .noFollow, .nonBlocking], at: source)
            }
        } catch {
            if error == .noSuchFileOrDirectory || error == .tooManySymbolicLinkLevels { throw changed(name) }
            throw writer.plan.tree.root.failure("read", "\(directory.path.appending(name))", error)
        }
    }

    private func changed(_ name: EntryPath) -> BuildError {
        BuildError.sourceChanged("\(directory.path.appending(name))")
    }

    private func setMetadata(
        _ from: FileDescriptor, _ to: FileDescriptor, _ status: FileStatus, _ content: FileIndex.Content?,
        _ mode: UInt32
    ) throws(Errno) {
        let owner = owner(of: status)
        if owner != defaultOwner { try Syscall.changeOwner(to, to: owner) }
        if content?.hasAttributes ?? true {
            for attribute in try CopiedAttributes.list(from, writer.plan.tree.kind) {
                try ExtendedAttributes.setIfPossible(attribute, on: to)
            }
        }
        // After the owner, because chown(2) clears setuid and setgid.
        let isExact = keepsMode && mode & (0o7000 | FileMask.current) == 0 && content?.hasAttributes == false
        if !isExact { try Syscall.changeMode(to, to: mode) }
        try Syscall.changeTimes(to, to: writer.plan.timeOfCopy(status.modified))
    }

    private func writeLink(_ sourceName: EntryPath, _ status: FileStatus, as name: EntryPath) throws(Errno) {
        let text = try sourceName.withCString { (name) throws(Errno) in try Syscall.linkTarget(name, at: source) }
        try Self.replacing(name, at: target) { (name) throws(Errno) in
            try text.withCString { (text) throws(Errno) in try Syscall.makeLink(name, to: text, at: target) }
        }
        try finishByName(name, status)
    }

    private func writeNode(_ sourceName: EntryPath, _ status: FileStatus, as name: EntryPath) throws(Errno) {
        let mode = writer.plan.request.mode(of: status)
        try Self.replacing(name, at: target) { (name) throws(Errno) in
            try Syscall.makeNode(
                name, mode: status.mode & 0o170000 | mode & 0o777, device: status.specialDevice, at: target)
        }
        try name.withCString { (name) throws(Errno) in
            try Syscall.changeOwner(name, to: owner(of: status), at: target)
            try Syscall.changeMode(name, to: mode, at: target)
        }
        try finishByName(name, status)
    }

    /// Owner and times of what is not opened.
    private func finishByName(_ name: EntryPath, _ status: FileStatus) throws(Errno) {
        try name.withCString { (name) throws(Errno) in
            if owner(of: status) != defaultOwner {
                try Syscall.changeOwner(name, to: owner(of: status), at: target)
            }
            try Syscall.changeTimes(name, to: writer.plan.timeOfCopy(status.modified), at: target)
        }
    }

    private func owner(of status: FileStatus) -> FileOwner {
        writer.plan.request.owner ?? writer.plan.tree.owner(of: status)
    }
}

/// The umask of the process.
enum FileMask {
    /// Read once, from procfs: umask(2) could only tell it by changing it under the feet of other threads. All bits
    /// where procfs does not tell.
    static let current: UInt32 = {
        // Not to know it costs one call a file.
        guard let status = try? FileReading.bytes(ofFileAt: "/proc/self/status", limit: 1 << 16) else { return 0o777 }
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Umask:") {
            return UInt32(line.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8) ?? 0o777
        }
        return 0o777
    }()
}

extension ExtendedAttributes {
    /// Sets an attribute where the destination can have it: one that its file system or the rights of the user refuse is
    /// left out, as BuildKit does.
    static func setIfPossible(_ attribute: ExtendedAttribute, on descriptor: FileDescriptor) throws(Errno) {
        do throws(Errno) {
            try set(attribute, on: descriptor)
        } catch {
            guard error == .notSupported || error == .notPermitted else { throw error }
        }
    }
}
