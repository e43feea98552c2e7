internal import WhittleArchive
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot

/// What one layer says, in the order of its archive.
package struct LayerContents: Sendable {
    /// The digest of the uncompressed layer.
    package let diffID: Digest
    /// Bytes of the uncompressed layer.
    package let size: Int64
    /// By path from the root, without a leading slash; of several entries of one path the last.
    package let changes: [[UInt8]: Change]

    package init(diffID: Digest, size: Int64, changes: [[UInt8]: Change]) {
        self.diffID = diffID
        self.size = size
        self.changes = changes
    }

    /// What a layer does to one path.
    package enum Change: Hashable, Sendable {
        case entry(FileEntry)
        /// Another name of the file at this path.
        case hardLink([UInt8])
        /// A whiteout.
        case deletion
    }

    /// The marker that a directory hides what is below it; it counts as a change of this name in the directory.
    package static let opaqueName = Array(".wh..wh..opq".utf8)
}

/// Puts the entries of one layer into a tree, and keeps what it says. To be fed by a ``WhittleArchive/TarReader``.
struct LayerReader: TarConsumer {
    private(set) var tree: FileTree
    private(set) var changes: [[UInt8]: LayerContents.Change] = [:]
    private let layer: Int
    private let limits: ReadingLimits
    private let cancellation: Cancellation
    /// Sees the contents of files, where packages are looked for.
    private let evidence: PackageEvidence?
    private var count: Int
    private var file: OpenFile?

    /// A regular file whose contents are on their way.
    private struct OpenFile {
        var entry: FileEntry
        let path: LayerPath
        let shown: String
        var hasher = SHA256Hasher()
        var size: Int64 = 0
    }

    /// - Parameters:
    ///   - tree: what the layers below make.
    ///   - layer: the number of the layer, counted from 0.
    ///   - count: how many entries the layers below had.
    init(
        over tree: FileTree, layer: Int, count: Int, limits: ReadingLimits, evidence: PackageEvidence?,
        cancellation: Cancellation
    ) {
        self.tree = tree
        self.layer = layer
        self.count = count
        self.limits = limits
        self.cancellation = cancellation
        self.evidence = evidence
    }

    /// Entries of this layer and those below.
    var entryCount: Int { count }

    mutating func begin(_ entry: TarEntry) throws {
        count += 1
        guard count <= limits.entries else { throw BuildError.tooManyFiles(limit: limits.entries) }
        let file = FileEntry(entry)
        guard let path = try LayerPath(entry.path) else {
            changes[[]] = .entry(file)
            return try refusing(entry) { () throws(FileTree.Refusal) in try tree.setRoot(file) }
        }
        if path.isOpaqueMarker {
            changes[path.bytes] = .deletion
            try refusing(entry) { () throws(FileTree.Refusal) in
                try tree.hideContents(of: path.parent.components, layer: layer)
            }
        } else if let hidden = path.whiteoutName {
            // As when it is unpacked: aufs's own files mean nothing.
            if hidden.starts(with: ".wh.".utf8) { return }
            let place = LayerPath(components: path.parent.components + [hidden])
            changes[place.bytes] = changes[place.bytes] ?? .deletion
            tree.hide(place.components, layer: layer)
        } else {
            try make(entry, file, at: path)
        }
    }

    private mutating func make(_ entry: TarEntry, _ file: FileEntry, at path: LayerPath) throws {
        switch entry.kind {
        case .regular:
            self.file = OpenFile(entry: file, path: path, shown: entry.displayPath)
            evidence?.begin(String(decoding: path.bytes, as: UTF8.self))
        case .hardLink:
            guard let target = try LayerPath(entry.linkTarget) else {
                throw BuildError.unsafeLayer(entry.displayPath, "it is a hard link to the root directory")
            }
            changes[path.bytes] = .hardLink(target.bytes)
            try refusing(entry) { () throws(FileTree.Refusal) in
                try tree.link(path.components, to: target.components, layer: layer)
            }
        default:
            changes[path.bytes] = .entry(file)
            try refusing(entry) { () throws(FileTree.Refusal) in
                try tree.add(file, at: path.components, layer: layer)
            }
        }
    }

    mutating func data(_ bytes: UnsafeRawBufferPointer) throws {
        try cancellation.check()
        file?.hasher.update(bytes)
        evidence?.take(bytes)
        file?.size += Int64(bytes.count)
    }

    mutating func hole(_ count: Int64) throws {
        guard var open = file else { return }
        file = nil
        defer { file = open }
        let (size, overflow) = open.size.addingReportingOverflow(count)
        guard !overflow, size <= limits.layerSize.bytes else {
            throw BuildError.layerTooLarge(limit: limits.layerSize)
        }
        open.size = size
        var left = count
        while left > 0 {
            try cancellation.check()
            let step = min(left, Int64(Self.zeros.count))
            Self.zeros.withUnsafeBytes { zeros in
                let piece = UnsafeRawBufferPointer(rebasing: zeros[..<Int(step)])
                open.hasher.update(piece)
                evidence?.take(piece)
            }
            left -= step
        }
    }

    /// A piece of a hole.
    private static let zeros = [UInt8](repeating: 0, count: 256 << 10)

    mutating func end() throws {
        guard var open = file else { return }
        file = nil
        open.entry.size = open.size
        let content = open.hasher.finalize()
        open.entry.content = content
        evidence?.end(content)
        changes[open.path.bytes] = .entry(open.entry)
        do throws(FileTree.Refusal) {
            try tree.add(open.entry, at: open.path.components, layer: layer)
        } catch {
            throw BuildError.unsafeLayer(open.shown, error.reason)
        }
    }

    private func refusing(_ entry: TarEntry, _ body: () throws(FileTree.Refusal) -> Void) throws {
        do throws(FileTree.Refusal) { try body() } catch {
            throw BuildError.unsafeLayer(entry.displayPath, error.reason)
        }
    }
}

/// What may be read of one image before it is refused.
package struct ReadingLimits: Sendable {
    /// Entries of all layers together. An image of a whole distribution has some 300,000.
    package var entries = 4_000_000
    /// Bytes of one uncompressed layer, holes of sparse files included.
    package var layerSize = ByteCount(Int64.max)

    package init() {}
}

extension FileEntry {
    init(_ entry: TarEntry) {
        let kind: Kind =
            switch entry.kind {
            case .regular, .hardLink: .file
            case .symbolicLink: .symbolicLink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .directory: .directory
            case .fifo: .fifo
            }
        self.init(
            kind: kind, permissions: entry.permissions, uid: entry.uid, gid: entry.gid, modified: entry.modified,
            linkTarget: kind == .symbolicLink ? entry.linkTarget : [],
            deviceMajor: kind.isDevice ? entry.deviceMajor : 0, deviceMinor: kind.isDevice ? entry.deviceMinor : 0,
            attributes: entry.attributes)
    }
}

extension LayerPath {
    /// The components with slashes between them.
    var bytes: [UInt8] { Array(components.joined(separator: "/".utf8)) }
}

extension BuildError.Code {
    /// An image has more files than are looked at.
    static let tooManyFiles = Self(rawValue: "too-many-files")
}

extension BuildError {
    static func tooManyFiles(limit: Int) -> BuildError {
        BuildError(
            .tooManyFiles, "reading an image: its layers have more than \(limit) entries",
            hint: "no image that is of use has so many; it is damaged or malicious")
    }
}
