internal import SystemPackage
internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleStore

/// Takes the files of an archive of images apart as they come: each goes to a temporary file, and its digest is taken.
///
/// Nothing of an archive becomes a name on the disk. Memory is bounded by the number of files and the length of their
/// names, both of which are limited.
struct ArchiveFiles: TarConsumer {
    /// One regular file.
    struct File: Sendable {
        /// Where its bytes are, below the scratch directory.
        let path: String
        let digest: Digest
        let size: Int64
    }

    /// By name in the archive, without `./`.
    private(set) var files: [String: File] = [:]
    /// Links by name, with the name they stand for. Old archives of docker share layers so.
    private(set) var links: [String: String] = [:]

    private let scratch: ProcessScratch
    private var current: Writing?

    /// Many more than images have layers.
    static let countLimit = 20_000
    static let nameLimit = 1024

    private final class Writing {
        let name: String
        let path: String
        var file: OwnedDescriptor?
        var hasher = SHA256Hasher()
        var size: Int64 = 0

        init(name: String, path: String, file: consuming OwnedDescriptor) {
            self.name = name
            self.path = path
            self.file = consume file
        }
    }

    /// - Parameter scratch: where the files go; whoever calls removes it.
    init(in scratch: ProcessScratch) { self.scratch = scratch }

    /// The file `name`, or what the link of this name stands for.
    subscript(name: String) -> File? {
        var name = Self.cleaned(name)
        // A link of a link is followed as far as docker's archives ever go.
        for _ in 0..<4 {
            if let file = files[name] { return file }
            guard let target = links[name] else { return nil }
            name = target
        }
        return nil
    }

    mutating func begin(_ entry: TarEntry) throws {
        let name = try Self.name(entry)
        guard files.count + links.count < Self.countLimit else {
            throw BuildError.invalidImageArchive("it has more than \(Self.countLimit) files")
        }
        switch entry.kind {
        case .regular:
            let path = scratch.makePath("load")
            let file = try describing("create file", path) { () throws(Errno) in
                try Syscall.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
            }
            current = Writing(name: name, path: path, file: file)
        case .symbolicLink, .hardLink:
            let target = String(decoding: entry.linkTarget, as: UTF8.self)
            let directory = name.split(separator: "/").dropLast().joined(separator: "/")
            let resolved = entry.kind == .hardLink ? Self.resolved(target) : Self.resolved(directory + "/" + target)
            guard let resolved, !target.hasPrefix("/"), resolved.utf8.count <= Self.nameLimit else {
                throw BuildError.invalidImageArchive("its link '\(BuildError.printable(name))' leads out of it")
            }
            links[name] = resolved
        default: break
        }
    }

    mutating func data(_ bytes: UnsafeRawBufferPointer) throws {
        guard let current else { return }
        current.hasher.update(bytes)
        current.size += Int64(bytes.count)
        try describing("write file", current.path) { () throws(Errno) in
            try current.file?.withDescriptor { (descriptor) throws(Errno) in
                try Syscall.writeAll(descriptor, bytes)
            }
        }
    }

    mutating func hole(_ count: Int64) throws {
        // No tool writes blobs so, and a hole of any size costs nothing to write.
        if count > 0 { throw BuildError.invalidImageArchive("it has a sparse file, which no blob is") }
    }

    mutating func end() throws {
        guard let writing = current else { return }
        current = nil
        try writing.file.take()?.close(describing: "write file", writing.path)
        // As with tar, the last file of a name is the one that counts.
        if let old = files[writing.name] {
            try describing("remove file", old.path) { () throws(Errno) in try Syscall.unlink(old.path) }
        }
        let file = File(path: writing.path, digest: writing.hasher.finalize(), size: writing.size)
        if let expected = Self.digest(inName: writing.name), expected != file.digest {
            throw BuildError.invalidImageArchive(
                "the file '\(BuildError.printable(writing.name))' has the digest \(file.digest)")
        }
        files[writing.name] = file
    }

    // MARK: Names

    /// The digest that a file of a layout says it has.
    private static func digest(inName name: String) -> Digest? {
        guard name.hasPrefix("blobs/sha256/") else { return nil }
        // Another name there is of no use to anybody and is never asked for.
        return try? Digest(parsing: "sha256:\(name.dropFirst("blobs/sha256/".count))")
    }

    private static func name(_ entry: TarEntry) throws -> String {
        let shown = BuildError.printable(String(entry.displayPath.prefix(100)))
        guard entry.path.count <= nameLimit, let text = String(validating: entry.path, as: UTF8.self) else {
            throw BuildError.invalidImageArchive("it has a name that is too long or no UTF-8: '\(shown)'")
        }
        guard !text.hasPrefix("/"), !text.split(separator: "/").contains("..") else {
            throw BuildError.invalidImageArchive("it has a name that leads out of it: '\(shown)'")
        }
        return cleaned(text)
    }

    /// `text` without `.` and empty parts.
    private static func cleaned(_ text: String) -> String {
        text.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// `text` with `..` carried out; `nil` where that leads out of the archive.
    private static func resolved(_ text: String) -> String? {
        var parts: [Substring] = []
        for part in text.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }
}
