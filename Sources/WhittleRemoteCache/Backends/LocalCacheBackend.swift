package import WhittleCore
internal import WhittleFileSystem
package import WhittleHTTP
package import WhittleOCI
internal import WhittleRegistry

/// A cache in a directory: an OCI layout, of which one manifest is the cache's.
///
/// Files are read below the directory only; a link that leads out of it is an error. Every file is written without a name,
/// or under another one, and gets its own when it is whole; the index comes last.
package struct LocalCacheBackend: RemoteCacheBackend {
    private let cache: LocalCache
    private let form: CacheManifestForm

    /// - Parameter form: how the cache is written.
    package init(_ cache: LocalCache, form: CacheManifestForm = .imageManifest) {
        self.cache = cache
        self.form = form
    }

    package var name: String { CachePlace.local(cache).name }

    // MARK: Reading

    package func load() async throws -> [CacheDocument] {
        let directory = LocalCacheDirectory(cache.directory, place: name)
        let wanted = cache
        let (descriptor, bytes) = try await BlockingPool.shared.run { () throws -> (Descriptor, [UInt8]) in
            let root = try directory.root()
            let descriptor = try directory.select(wanted, in: root)
            return (descriptor, try directory.document(descriptor, in: root, limit: CacheManifestReader.manifestLimit))
        }
        let reader = CacheManifestReader(place: name) { descriptor, limit in
            try await BlockingPool.shared.run {
                try directory.document(descriptor, in: directory.root(), limit: limit)
            }
        }
        return try await reader.documents(of: descriptor, bytes)
    }

    package func read(_ descriptor: Descriptor, into sink: @escaping ByteSink) async throws {
        try await OCILayoutSource(OCILayoutLocation(directory: cache.directory)).read(descriptor, into: sink)
    }

    // MARK: Writing

    package func existing(among descriptors: [Descriptor]) async throws -> Set<Digest> {
        let directory = LocalCacheDirectory(cache.directory, place: name)
        return try await BlockingPool.shared.run {
            Set(try descriptors.filter { try directory.has($0.digest, size: $0.size) }.map(\.digest))
        }
    }

    package func write(_ blob: CacheBlob) async throws {
        let directory = LocalCacheDirectory(cache.directory, place: name)
        let isThere = try await BlockingPool.shared.run {
            try directory.has(blob.descriptor.digest, size: blob.descriptor.size)
        }
        if isThere { return }
        let source = try await blob.open()
        try await BlockingPool.shared.runCancellable { try directory.write(blob.descriptor, from: source, $0) }
    }

    package func save(_ document: CacheDocument) async throws {
        let directory = LocalCacheDirectory(cache.directory, place: name)
        let cache = cache
        let (manifest, type, config) = document.manifest(form)
        try await BlockingPool.shared.run {
            try directory.write(config)
            try directory.write(manifest)
        }
        let lock = try await FileLock.acquire(directory.lockPath)
        defer {
            // While held: who waits finds that the name has gone and makes a new one. One that stays does no harm.
            try? Syscall.unlink(directory.lockPath)
            lock.release()
        }
        try await BlockingPool.shared.run {
            var entry = Descriptor(of: manifest, as: type)
            entry.annotations[LocalCacheDirectory.tagAnnotation] = cache.tag
            try directory.name(entry)
            if cache.resets { try directory.removeUnused() }
        }
    }
}
