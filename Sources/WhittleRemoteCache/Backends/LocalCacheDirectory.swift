internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleHTTP
internal import WhittleOCI

/// The files of a cache in a directory. Every call blocks.
struct LocalCacheDirectory: Sendable {
    private let path: String
    /// What messages call it.
    private let place: String

    static let tagAnnotation = "org.opencontainers.image.ref.name"

    init(_ path: String, place: String) {
        self.path = path
        self.place = place
    }

    private var index: String { path + "/index.json" }

    private static func blob(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    // MARK: Reading

    func root() throws -> RootDirectory {
        do throws(BuildError) {
            return try RootDirectory(path, rule: .contained)
        } catch {
            guard error.isMissingFile else { throw error }
            throw BuildError.cacheNotFound("a cache", in: place)
        }
    }

    /// The manifest that `cache` names.
    func select(_ cache: LocalCache, in root: RootDirectory) throws -> Descriptor {
        let entries = try index(in: root).manifests
        if let digest = cache.digest {
            if let entry = entries.first(where: { $0.digest == digest }) { return entry }
            guard let size = try root.status(of: Self.blob(digest))?.size else {
                throw BuildError.cacheNotFound("the manifest \(digest)", in: place)
            }
            return Descriptor(mediaType: MediaType(rawValue: ""), digest: digest, size: size)
        }
        guard let entry = entries.last(where: { $0.annotations[Self.tagAnnotation] == cache.tag }) else {
            let tags = entries.compactMap { $0.annotations[Self.tagAnnotation] }
            throw BuildError.cacheNotFound(
                "the tag '\(cache.tag)'", in: place,
                hint: tags.isEmpty ? nil : "it has: \(tags.joined(separator: ", "))")
        }
        return entry
    }

    private func index(in root: RootDirectory) throws -> Index {
        guard let bytes = try root.bytes(ofFileAt: "index.json", limit: CacheManifestReader.manifestLimit) else {
            throw BuildError.cacheNotFound("a cache", in: place)
        }
        return try Index(parsing: bytes, mediaType: .ociIndex)
    }

    /// The verified bytes of a small blob.
    func document(_ descriptor: Descriptor, in root: RootDirectory, limit: Int) throws -> [UInt8] {
        guard let bytes = try root.bytes(ofFileAt: Self.blob(descriptor.digest), limit: limit) else {
            throw BuildError.cacheNotFound("the blob \(descriptor.digest.short)", in: place)
        }
        guard Digest(hashing: bytes) == descriptor.digest else {
            throw BuildError.cacheUnusable("reading \(place)", "its blob \(descriptor.digest.short) has other bytes")
        }
        return bytes
    }

    // MARK: Writing

    func has(_ digest: Digest, size: Int64) throws(BuildError) -> Bool {
        do throws(Errno) {
            let status = try Syscall.status(path + "/" + Self.blob(digest))
            return status.isRegular && status.size == size
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return false }
            throw .fileSystem("read", path, error)
        }
    }

    /// Writes a blob, of which `source` gives the bytes.
    func write(_ blob: Descriptor, from source: ByteSource, _ cancellation: Cancellation) throws {
        try make(blob.digest) { descriptor in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            var hasher = SHA256Hasher()
            while true {
                try cancellation.check()
                let count = try source(buffer)
                if count == 0 { break }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                hasher.update(bytes)
                try describing("write file", path) { () throws(Errno) in try Syscall.writeAll(descriptor, bytes) }
            }
            guard hasher.finalize() == blob.digest else {
                throw BuildError.cacheUnusable(
                    "writing \(place)", "the blob \(blob.digest.short) of the store has other bytes",
                    hint: "run 'whittle fsck'")
            }
        }
    }

    /// Writes a document under its digest.
    func write(_ bytes: [UInt8]) throws {
        try makeLayout()
        try AtomicFile.write(bytes, to: path + "/" + Self.blob(Digest(hashing: bytes)), isDurable: false)
    }

    private func makeLayout() throws {
        for directory in [path, path + "/blobs", path + "/blobs/sha256"] { try makeDirectory(directory) }
        let marker = path + "/oci-layout"
        if try FileReading.bytes(ofFileAt: marker, limit: 4096) == nil {
            try AtomicFile.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: marker, isDurable: false)
        }
    }

    private func makeDirectory(_ directory: String) throws(BuildError) {
        do throws(Errno) { try Syscall.makeDirectory(directory, mode: 0o755) } catch {
            guard error != .fileExists else { return }
            throw .fileSystem("make directory", directory, error)
        }
    }

    /// Makes the file of a blob: without a name until it is whole, where the file system can do that.
    private func make(_ digest: Digest, _ fill: (FileDescriptor) throws -> Void) throws {
        try makeLayout()
        let directory = path + "/blobs/sha256"
        let target = path + "/" + Self.blob(digest)
        let temporary = "\(target).\(String(UInt64.random(in: 0 ... .max), radix: 36)).tmp"
        // Some file systems make no files without a name.
        if let unnamed = try? Syscall.open(directory, [.writeOnly, .unnamed], mode: 0o644) {
            try unnamed.withDescriptor { descriptor in
                try fill(descriptor)
                try describing("write file", target) { () throws(Errno) in
                    // Over whatever has the name, which is damaged or just as good.
                    try Syscall.link(descriptor, to: temporary)
                    try Syscall.rename(temporary, to: target)
                }
            }
            return
        }
        let file = try describing("create file", target) { () throws(Errno) in
            try Syscall.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o644)
        }
        do {
            try file.withDescriptor { try fill($0) }
            try file.close(describing: "write file", target)
            try describing("write file", target) { () throws(Errno) in try Syscall.rename(temporary, to: target) }
        } catch {
            // The error that matters is the one that is thrown.
            try? Syscall.unlink(temporary)
            throw error
        }
    }

    /// Puts `entry` into the index, in the place of what has its tag. ``lockPath`` is to be held.
    func name(_ entry: Descriptor) throws {
        try changeIndex { index in
            index.manifests.removeAll {
                $0.annotations[Self.tagAnnotation] == entry.annotations[Self.tagAnnotation]
            }
            index.manifests.append(entry)
        }
    }

    /// What is locked while the index changes; BuildKit locks the same name.
    var lockPath: String { index + ".lock" }

    private func changeIndex(_ change: (inout Index) -> Void) throws {
        var value = Index(manifests: [])
        if let bytes = try FileReading.bytes(ofFileAt: index, limit: CacheManifestReader.manifestLimit) {
            value = try Index(parsing: bytes, mediaType: .ociIndex)
        }
        change(&value)
        try AtomicFile.write(value.encoded(), to: index, isDurable: false)
    }

    /// Removes the blobs that no manifest of the index leads to.
    func removeUnused() throws {
        let root = try root()
        var used: Set<String> = []
        var pending = try index(in: root).manifests
        while let next = pending.popLast() {
            guard used.insert(next.digest.hex).inserted, next.mediaType.isIndex || next.mediaType.isManifest else {
                continue
            }
            let bytes = try document(next, in: root, limit: CacheManifestReader.manifestLimit)
            if next.mediaType.isIndex {
                pending += try Index(parsing: bytes, mediaType: next.mediaType).manifests
            } else {
                let manifest = try Manifest(parsing: bytes, mediaType: next.mediaType)
                used.formUnion((manifest.layers + [manifest.config]).map(\.digest.hex))
            }
        }
        for name in try root.names(in: "blobs/sha256") where !used.contains(name.description) {
            let file = path + "/blobs/sha256/" + name.description
            try describing("remove", file) { () throws(Errno) in try Syscall.unlink(file) }
        }
    }
}
