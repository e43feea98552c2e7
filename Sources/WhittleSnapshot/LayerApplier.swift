internal import SystemPackage
package import WhittleArchive
package import WhittleCore
package import WhittleFileSystem

/// Unpacks a layer into an empty directory, in the form of an overlayfs upper directory: a `.wh.NAME` entry becomes a
/// character device 0:0, `.wh..wh..opq` the attribute that makes a directory opaque.
///
/// Nothing in a layer leads out of the directory: paths are taken from its root, `..` is refused, and no link is followed
/// on the way to an entry. Later entries replace earlier ones. To be fed by a ``WhittleArchive/TarReader``.
///
/// Format: image-spec v1.1, `layer.md`.
package struct LayerApplier: TarConsumer {
    private var tree: LayerTree
    private var file: OpenFile?
    private var written: Int64 = 0
    private let limit: Int64
    /// How entries are taken that are no layer's; `nil` for a layer.
    private let archive: ArchiveRules?

    private static let entrySize: Int64 = 512

    /// The regular file that data goes to.
    private struct OpenFile {
        let file: SharedDescriptor
        let entry: TarEntry
        var position: Int64 = 0
        var endsInHole = false
    }

    /// - Parameters:
    ///   - directory: empty, not used by anybody else.
    ///   - limit: a layer whose files hold more bytes than this is refused.
    package init(into directory: String, limit: ByteCount = ByteCount(Int64.max)) throws(BuildError) {
        tree = try LayerTree(directory)
        self.limit = limit.bytes
        archive = nil
    }

    /// Unpacks an archive that is no layer, for `ADD`, as docker does: it may go into a directory with contents. Links on
    /// the way to an entry are followed inside the root, an entry replaces whatever else has its name, a directory with
    /// all that is in it included, and `.wh.` has no meaning. What the archive says of the root itself is left out.
    ///
    /// - Parameter root: also the root for the links of the archive.
    package init(
        unpackingInto root: RootDirectory, _ rules: ArchiveRules, limit: ByteCount = ByteCount(Int64.max)
    ) throws(BuildError) {
        tree = try LayerTree(
            root.path, archive: ArchiveDirectories(root, time: rules.latestTime ?? FileTime(seconds: 0)))
        self.limit = limit.bytes
        archive = rules
    }

    /// What an archive's entries become.
    package struct ArchiveRules: Sendable {
        /// The owner of everything, or `nil` for the archive's own.
        package var owner: FileOwner?
        /// No file is later, and directories without an entry have it; `nil` leaves times alone, and those are of 1970.
        package var latestTime: FileTime?
        /// Whether that goes for directories with an entry too.
        package var clampsDirectories: Bool
        /// Leaves device nodes out: for an archive whose files become a build context, which has none.
        package var skipsDevices: Bool

        package init(
            owner: FileOwner? = nil, latestTime: FileTime? = nil, clampsDirectories: Bool = false,
            skipsDevices: Bool = false
        ) {
            self.owner = owner
            self.latestTime = latestTime
            self.clampsDirectories = clampsDirectories
            self.skipsDevices = skipsDevices
        }

        fileprivate func applied(to entry: TarEntry) -> TarEntry {
            var entry = entry
            if let owner {
                entry.uid = owner.uid
                entry.gid = owner.gid
            }
            if let latestTime, entry.kind != .directory || clampsDirectories, FileTime(entry.modified) > latestTime {
                entry.modified = Timestamp(
                    seconds: latestTime.seconds, nanoseconds: Int32(latestTime.nanoseconds))
            }
            return entry
        }
    }

    package mutating func begin(_ entry: TarEntry) throws {
        // What an entry costs on disk even where it is empty: millions of them are a bomb as well.
        try count(Self.entrySize)
        guard let path = try LayerPath(entry.path) else {
            if archive == nil { try tree.setRoot(entry) }
            return
        }
        if let archive {
            try make(archive.applied(to: entry), at: path)
        } else if path.isOpaqueMarker {
            try tree.makeOpaque(path.parent)
        } else if let hidden = path.whiteoutName {
            // Names that begin with `.wh..wh.` were aufs's own files; they mean nothing here.
            if hidden.starts(with: ".wh.".utf8) { return }
            guard !hidden.elementsEqual(".".utf8), !hidden.elementsEqual("..".utf8) else {
                throw BuildError.unsafeLayer(entry.displayPath, "it deletes '.' or '..'")
            }
            try tree.hide(hidden, in: path.parent)
        } else {
            try make(entry, at: path)
        }
    }

    package mutating func data(_ bytes: UnsafeRawBufferPointer) throws {
        // Markers of deletions may have data; nobody reads it.
        guard var open = file else { return }
        try count(Int64(bytes.count))
        try tree.describing("write", open.entry.path) { () throws(Errno) in
            try Syscall.writeAll(open.file.descriptor, bytes)
        }
        open.position += Int64(bytes.count)
        open.endsInHole = false
        file = open
    }

    package mutating func hole(_ count: Int64) throws {
        guard var open = file else { return }
        try self.count(count)
        open.position += count
        try tree.describing("write", open.entry.path) { () throws(Errno) in
            try Syscall.seek(open.file.descriptor, to: open.position)
        }
        open.endsInHole = true
        file = open
    }

    package mutating func end() throws {
        guard let open = file else { return }
        file = nil
        if open.endsInHole {
            try tree.describing("write", open.entry.path) { () throws(Errno) in
                try Syscall.truncate(open.file.descriptor, to: open.position)
            }
        }
        try tree.finish(open.file, open.entry)
    }

    /// Sets the times of directories, which unpacking into them has changed. To be called once, after the last entry.
    package mutating func finish() throws { try tree.setDirectoryTimes() }

    /// Directories that have no entry so far: to be given what the layers below say of them.
    package var implicitDirectories: ImplicitDirectories { tree.implicit }

    private mutating func make(_ entry: TarEntry, at path: LayerPath) throws {
        switch entry.kind {
        case .directory: try tree.makeDirectory(path, entry)
        case .regular:
            file = OpenFile(file: try tree.makeFile(path, entry), entry: entry)
        case .hardLink:
            guard let target = try LayerPath(entry.linkTarget) else {
                throw BuildError.unsafeLayer(entry.displayPath, "it is a hard link to the root directory")
            }
            try tree.makeHardLink(path, to: target, entry)
        case .characterDevice, .blockDevice:
            if archive?.skipsDevices != true { try tree.makeNode(path, entry) }
        case .symbolicLink, .fifo: try tree.makeNode(path, entry)
        }
    }

    private mutating func count(_ bytes: Int64) throws {
        let (sum, overflow) = written.addingReportingOverflow(bytes)
        guard !overflow, sum <= limit else { throw BuildError.layerTooLarge(limit: ByteCount(limit)) }
        written = sum
    }
}

/// A path of a layer: its components from the root.
package struct LayerPath: Hashable {
    package let components: [[UInt8]]

    package init(components: [[UInt8]]) { self.components = components }

    /// `nil` for the root itself.
    ///
    /// - Throws: `unsafe-layer` for a path with `..`, or longer (in whole or in a part) than Linux lets a program use.
    package init?(_ path: [UInt8]) throws(BuildError) {
        guard path.count < 4096 else {
            let start = String(decoding: path.prefix(64), as: UTF8.self)
            throw .unsafeLayer(start + "…", "its path is longer than 4095 bytes")
        }
        let parts = path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        let text = String(decoding: path, as: UTF8.self)
        for part in parts {
            if part.elementsEqual("..".utf8) { throw .unsafeLayer(text, "its path leads upwards ('..')") }
            if part.count > 255 { throw .unsafeLayer(text, "a part of its path is longer than 255 bytes") }
        }
        guard !parts.isEmpty else { return nil }
        components = parts.map { Array($0) }
    }

    package var name: [UInt8] { components[components.count - 1] }
    package var parent: LayerPath { LayerPath(components: Array(components.dropLast())) }

    /// Whether `directory` is the parent.
    func isDirectly(in directory: LayerPath) -> Bool {
        components.count == directory.components.count + 1
            && zip(components, directory.components).allSatisfy { $0 == $1 }
    }

    package var isOpaqueMarker: Bool { name.elementsEqual(".wh..wh..opq".utf8) }

    /// The name that the entry deletes, or `nil` where it is no such marker.
    package var whiteoutName: [UInt8]? {
        name.starts(with: ".wh.".utf8) && name.count > 4 ? Array(name.dropFirst(4)) : nil
    }
}

extension LayerPath: CustomStringConvertible {
    package var description: String { String(decoding: Array(components.joined(separator: "/".utf8)), as: UTF8.self) }
}

extension BuildError.Code {
    /// A layer tries to write outside of its file system, or holds what cannot be unpacked safely.
    package static let unsafeLayer = Self(rawValue: "unsafe-layer")
    /// A layer does not unpack to what the image's configuration says.
    package static let layerMismatch = Self(rawValue: "layer-mismatch")
    /// A layer unpacks to more than is allowed.
    static let layerTooLarge = Self(rawValue: "layer-too-large")
}

extension BuildError {
    package static func unsafeLayer(_ path: String, _ problem: String) -> BuildError {
        BuildError(
            .unsafeLayer, "unpacking a layer: the entry '\(path)' is refused: \(problem)",
            hint: "the image is damaged or malicious; nothing of it was kept")
    }

    package static func layerMismatch(_ layer: Digest, expected: Digest, found: Digest) -> BuildError {
        BuildError(
            .layerMismatch,
            "unpacking the layer \(layer): expected the diff ID \(expected), found \(found)",
            hint: "the image is damaged; nothing of it was kept")
    }

    package static func layerTooLarge(limit: ByteCount) -> BuildError {
        BuildError(
            .layerTooLarge, "unpacking a layer: it holds more than the limit of \(limit)",
            hint: "where you trust it, raise the limit with --max-layer-size or $WHITTLE_MAX_LAYER_SIZE")
    }
}
