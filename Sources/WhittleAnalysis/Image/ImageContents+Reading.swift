internal import WhittleArchive
package import WhittleCore
internal import WhittleFileSystem
internal import WhittleOCI
package import WhittleRegistry
internal import WhittleSnapshot

extension ImageContents {
    /// Reads an image: its documents, and its layers one after the other as streams.
    ///
    /// - Parameters:
    ///   - name: what the user called it.
    ///   - platform: which image of several; without it the one for this machine, else the first that there is.
    ///   - findsPackages: whether ``packages`` is filled.
    /// - Throws: what `source` throws; `malformed-archive`, `malformed-compression`, `unsafe-layer`, `layer-mismatch`,
    ///   `layer-too-large`, `too-many-files`; `CancellationError`.
    package init(
        reading source: any ImageSource, named name: String, platform: Platform?, limits: ReadingLimits,
        findsPackages: Bool = false
    ) async throws {
        let resolved = try await Self.resolve(source, platform)
        let evidence = findsPackages ? PackageEvidence() : nil
        var tree = FileTree()
        var layers: [LayerContents] = []
        var count = 0
        for (descriptor, diffID) in zip(resolved.manifest.layers, resolved.configuration.diffIDs) {
            let feed = LayerFeed(
                over: tree, layer: layers.count, count: count, limits: limits, evidence: evidence)
            // The feed has the only one from here on, so that it is changed in its place.
            tree = FileTree()
            try await withTaskCancellationHandler {
                try await source.read(descriptor) { try feed.feed($0) }
            } onCancel: {
                feed.cancellation.cancel()
            }
            let (contents, reader) = try await BlockingPool.shared.run { try feed.finish() }
            guard contents.diffID == diffID else {
                throw BuildError.layerMismatch(descriptor.digest, expected: diffID, found: contents.diffID)
            }
            layers.append(contents)
            tree = reader.tree
            count = reader.count
        }
        self.init(
            name: name,
            image: Image(
                digest: resolved.descriptor.digest, configuration: resolved.configuration,
                annotations: resolved.manifest.annotations, layers: layers),
            tree: tree, packages: evidence.map { FoundPackages($0.list(of: tree)) })
    }

    /// Reads a directory of this machine as a tree without an image around it.
    ///
    /// - Throws: `file-system`, `too-many-files`, `CancellationError`.
    package init(readingDirectory path: String, named name: String, limits: ReadingLimits) async throws {
        let tree = try await BlockingPool.shared.runCancellable { cancellation in
            try DirectoryReader(path: path, limits: limits, cancellation: cancellation).read()
        }
        self.init(name: name, image: nil, tree: tree)
    }

    /// Reads the packages of a directory of this machine, and nothing else of it: ``tree`` stays empty.
    ///
    /// - Throws: `file-system`, `CancellationError`.
    package init(findingPackagesInDirectory path: String, named name: String) async throws {
        let packages = try await BlockingPool.shared.runCancellable { cancellation in
            try FoundPackages(inDirectory: path, cancellation: cancellation)
        }
        self.init(name: name, image: nil, tree: FileTree(), packages: packages)
    }

    private static func resolve(_ source: any ImageSource, _ platform: Platform?) async throws -> ResolvedImage {
        do {
            return try await source.resolve(platform ?? .host)
        } catch let error as BuildError {
            // An image for another machine can be looked at as well as any.
            guard platform == nil, let others = error.cause as? AvailablePlatforms, let first = others.platforms.first
            else { throw error }
            return try await source.resolve(first)
        }
    }
}

/// Takes the bytes of a layer's blob as they come: decompressed, digested, and read as an archive.
// SAFETY: one transfer feeds it, one call after the other; `finish` comes after the last.
private final class LayerFeed: @unchecked Sendable {
    let cancellation = Cancellation()
    private let stage: Stage
    private var decompressor: Decompressor

    /// What decompressed bytes go through.
    private final class Stage {
        var hasher = SHA256Hasher()
        var size: Int64 = 0
        var reader: TarReader<LayerReader>

        init(_ reader: LayerReader) { self.reader = TarReader(reader) }

        func take(_ bytes: UnsafeRawBufferPointer, limit: ByteCount) throws {
            hasher.update(bytes)
            size += Int64(bytes.count)
            guard size <= limit.bytes else { throw BuildError.layerTooLarge(limit: limit) }
            try reader.feed(bytes)
        }
    }

    init(over tree: FileTree, layer: Int, count: Int, limits: ReadingLimits, evidence: PackageEvidence?) {
        let stage = Stage(
            LayerReader(
                over: tree, layer: layer, count: count, limits: limits, evidence: evidence, cancellation: cancellation))
        self.stage = stage
        decompressor = Decompressor { try stage.take($0, limit: limits.layerSize) }
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws {
        try cancellation.check()
        try decompressor.feed(bytes)
    }

    /// What the layer says, the tree with it, and how many entries there were so far.
    func finish() throws -> (contents: LayerContents, reader: (tree: FileTree, count: Int)) {
        try decompressor.finish()
        try stage.reader.finish()
        let reader = stage.reader.consumer
        let contents = LayerContents(diffID: stage.hasher.finalize(), size: stage.size, changes: reader.changes)
        return (contents, (reader.tree, reader.entryCount))
    }
}
