internal import SystemPackage
package import WhittleArchive
package import WhittleCore
package import WhittleFileSystem

/// Writes the changes of a snapshot as one layer.
///
/// The stream is an uncompressed tar in pax format: changed and added entries in full, a `.wh.NAME` entry for each
/// deletion, and `.wh..wh..opq` first in a directory that hides everything below it. Entries are in byte order, name by
/// name, and times are cut to whole seconds, so equal changes give equal bytes. Sockets and overlayfs's own attributes are
/// left out; a file with several names is written once, the others are hard links to the first.
///
/// Format: image-spec v1.1, `layer.md`, "Representing Changes".
package struct LayerWriter {
    private let directory: String
    private let times: TimeRule?

    /// - Parameters:
    ///   - directory: an overlayfs upper directory that nobody writes to any more.
    ///   - times: what becomes of the times of files; `nil` leaves all as they are.
    package init(changesIn directory: String, times: TimeRule? = nil) {
        self.directory = directory
        self.times = times
    }

    /// Writes the stream.
    ///
    /// Memory is bounded by the depth of the tree, the number of files with several names, and a buffer.
    ///
    /// - Parameter sink: gets the bytes in order. Its error ends the call and is rethrown.
    /// - Returns: how many entries were written; 0 means that nothing changed.
    /// - Throws: `file-system` with the path; `CancellationError` between chunks. After a throw, what the sink has is not
    ///   a layer.
    package func write(cancellation: Cancellation, to sink: @escaping TarWriter.Sink) throws -> Int {
        var tar = TarWriter(to: sink)
        let count = try write(into: &tar, cancellation: cancellation)
        try tar.finish()
        return count
    }

    /// Adds the entries to an archive that may have others.
    ///
    /// - Parameter prefix: put in front of each path, and of those that hard links point to: `linux_arm64/`.
    /// - Returns: how many entries were written.
    /// - Throws: as ``write(cancellation:to:)``.
    package func write(
        into tar: inout TarWriter, below prefix: String = "", cancellation: Cancellation
    ) throws -> Int {
        var links: [LinkKey: [UInt8]] = [:]
        var count = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 4096)
        defer { buffer.deallocate() }
        try TreeWalk(directory).forEach(cancellation: cancellation) { entry in
            guard entry.status.kind != .socket else { return }
            count += 1
            let found = try describing("read", entry.path) { () throws(Errno) in try LayerEntry(entry, times) }
            if found.isWhiteout {
                try tar.begin(Self.marker(".wh.", beside: entry.path, below: prefix))
                return
            }
            var header = found.header
            if !prefix.isEmpty { header.path.insert(contentsOf: prefix.utf8, at: 0) }
            if entry.status.links > 1, header.kind != .directory {
                let key = LinkKey(device: entry.status.device, inode: entry.status.inode)
                if let first = links[key] {
                    header.kind = .hardLink
                    header.linkTarget = first
                    header.size = 0
                    header.attributes = [:]
                    try tar.begin(header)
                    return
                }
                links[key] = header.path
            }
            try tar.begin(header)
            if let file = found.file { try copy(file.descriptor, entry.path, header.size, cancellation, buffer, &tar) }
            if found.isOpaque {
                try tar.begin(TarEntry(path: header.path + Array("/.wh..wh..opq".utf8), kind: .regular, permissions: 0))
            }
        }
        return count
    }

    /// Small enough to stay in a core's own cache until it is copied on.
    private static let bufferSize = 128 << 10

    /// A file by what makes two names the same file.
    private struct LinkKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private func copy(
        _ file: FileDescriptor, _ path: EntryPath, _ size: Int64, _ cancellation: Cancellation,
        _ buffer: UnsafeMutableRawBufferPointer, _ tar: inout TarWriter
    ) throws {
        var remaining = size
        while remaining > 0 {
            try cancellation.check()
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), remaining))])
            let read = try describing("read", path) { () throws(Errno) in try Syscall.read(file, into: room) }
            guard read > 0 else { throw BuildError.snapshotChanged(path.description) }
            try tar.write(UnsafeRawBufferPointer(rebasing: buffer[..<read]))
            remaining -= Int64(read)
        }
    }

    private func describing<Value: ~Copyable>(
        _ operation: String, _ path: EntryPath, _ body: () throws(Errno) -> Value
    ) throws(BuildError) -> Value {
        do throws(Errno) { return try body() } catch {
            throw .fileSystem(operation, directory + "/" + path.description, error)
        }
    }
}

// MARK: - Markers

extension LayerWriter {
    /// An empty file beside `path` whose name has `prefix` in front.
    private static func marker(_ prefix: String, beside path: EntryPath, below directory: String) -> TarEntry {
        let bytes = path.bytes
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return TarEntry(
            path: Array(directory.utf8) + Array(bytes[..<start]) + Array(prefix.utf8) + Array(bytes[start...]),
            kind: .regular, permissions: 0)
    }
}

extension BuildError.Code {
    /// A file of a committed snapshot became shorter.
    static let snapshotChanged = Self(rawValue: "snapshot-changed")
}

extension BuildError {
    static func snapshotChanged(_ path: String) -> BuildError {
        BuildError(
            .snapshotChanged, "writing a layer: '\(path)' became shorter while it was read",
            hint: "something outside of whittle writes to its store")
    }
}
