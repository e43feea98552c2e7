internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

#if canImport(Glibc)
    internal import Glibc
#endif

/// What a copy takes over from its original besides the contents.
struct FileMetadata {
    let owner: FileOwner
    let permissions: UInt32
    let modified: FileTime
    let attributes: [ExtendedAttribute]

    /// - Throws: `file-system` where the attributes cannot be read.
    init(of entry: TreeWalk.Entry, times: TimeRule?) throws(BuildError) {
        owner = entry.status.owner
        permissions = entry.status.permissions
        let original = entry.status.modified
        modified =
            times.map { rule in
                let time = rule.apply(
                    to: Timestamp(seconds: original.seconds, nanoseconds: Int32(original.nanoseconds)))
                return FileTime(seconds: time.seconds, nanoseconds: UInt32(time.nanoseconds))
            } ?? original
        attributes = try describing("read attributes of", "\(entry.path)") { () throws(Errno) in
            try entry.extendedAttributes()
        }
    }
}

/// Makes copies of single entries of a tree. To be used by one thread.
final class FileCopier {
    /// Where the copies go, for messages.
    let root: String
    /// Only root may give files away and make device nodes.
    let isRoot = StartingUser.isRoot
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileCopy.bufferSize, alignment: 4096)

    init(root: String) { self.root = root }

    deinit { buffer.deallocate() }

    /// A name that nothing has.
    func temporaryName() -> String { ".whittle-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp" }

    /// Copies a regular file to a new one.
    func copyFile(
        _ entry: TreeWalk.Entry, _ metadata: FileMetadata, to name: String, at directory: FileDescriptor,
        _ cancellation: Cancellation
    ) throws {
        let source = try describing("open file", "\(entry.path)") { () throws(Errno) -> OwnedDescriptor in
            try entry.open()
        }
        let path = "\(root)/\(entry.path)"
        let target = try writing(path) { () throws(Errno) -> OwnedDescriptor in
            try Syscall.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        }
        try source.withDescriptor { from in
            try target.withDescriptor { to in
                do {
                    try FileCopy.copy(entry.status, from: from, to: to, buffer, cancellation)
                } catch let error as Errno {
                    throw BuildError.outputFailed(path, error)
                }
                try writing(path) { () throws(Errno) in try apply(metadata, to: to) }
            }
        }
        do throws(Errno) {
            try target.close()
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }

    /// Makes a link, a pipe or a device node.
    func makeNode(
        _ entry: TreeWalk.Entry, _ metadata: FileMetadata, named name: String, at directory: FileDescriptor
    ) throws(BuildError) {
        do throws(Errno) {
            if entry.status.isLink {
                try entry.linkTarget().withCString { (target) throws(Errno) in
                    try Syscall.makeLink(name, to: target, at: directory)
                }
            } else {
                try Syscall.makeNode(
                    name, mode: entry.status.mode, device: entry.status.specialDevice, at: directory)
            }
            if isRoot { try Syscall.changeOwner(name, to: metadata.owner, at: directory) }
            if !entry.status.isLink { try Syscall.changeMode(name, to: metadata.permissions, at: directory) }
            try Syscall.changeTimes(name, to: metadata.modified, at: directory)
        } catch {
            let isDevice = entry.status.kind == .characterDevice || entry.status.kind == .blockDevice
            throw isDevice && error == .notPermitted
                ? BuildError.outputDevice("\(root)/\(entry.path)")
                : BuildError.outputFailed("\(root)/\(entry.path)", error)
        }
    }

    /// Gives an open file or directory its metadata. The times come last, because the rest changes them.
    func apply(_ metadata: FileMetadata, to descriptor: FileDescriptor) throws(Errno) {
        if isRoot { try Syscall.changeOwner(descriptor, to: metadata.owner) }
        // After the owner, because chown(2) takes capabilities and setuid away.
        for attribute in metadata.attributes where isKept(attribute) {
            do throws(Errno) {
                try ExtendedAttributes.set(attribute, on: descriptor)
            } catch {
                guard error == .notSupported || !isRoot && error == .notPermitted else { throw error }
            }
        }
        try Syscall.changeMode(descriptor, to: metadata.permissions)
        try Syscall.changeTimes(descriptor, to: metadata.modified)
    }

    /// The labels of a security module belong to the machine, not to the file.
    private func isKept(_ attribute: ExtendedAttribute) -> Bool {
        guard isRoot else { return attribute.name.hasPrefix("user.") }
        return attribute.name.hasPrefix("user.") || attribute.name == "security.capability"
            || attribute.name.hasPrefix("system.posix_acl_")
    }

    private func writing<Value: ~Copyable>(
        _ path: String, _ body: () throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw BuildError.outputFailed(path, error)
        }
    }
}
