internal import SystemPackage
internal import WhittleArchive
package import WhittleCore
internal import WhittleFileSystem
package import WhittleOCI
package import WhittleStore

/// Reads an archive of images into the store: docker's, or an OCI image layout, plain or compressed.
package struct ImageLoader: Sendable {
    private let blobs: BlobStore
    private let names: ImageNames
    private let scratch: ProcessScratch

    /// - Parameter scratch: where the archive's files are until they are checked; whoever calls removes it.
    package init(blobs: BlobStore, names: ImageNames, scratch: ProcessScratch) {
        self.blobs = blobs
        self.names = names
        self.scratch = scratch
    }

    /// An image that was loaded.
    package struct Loaded: Hashable, Sendable {
        package let id: Digest
        /// Empty for an image that the archive gives no name.
        package let names: [ImageReference]
    }

    /// Loads all images of the archive in `file`, or for `nil` of standard input.
    ///
    /// The store gets none of them before all are checked: digests of blobs and of uncompressed layers, and that nothing
    /// is missing. Memory is bounded, whatever the archive.
    ///
    /// - Parameter platform: of images for several, the one for this platform alone is loaded; `nil` for all.
    /// - Throws: `not-an-image-archive`, `invalid-image-archive`, `wrong-platform`, `malformed-archive`, `malformed-compression`,
    ///   `malformed-document`, `invalid-image-reference`, `file-system`, `CancellationError`.
    package func load(from file: String?, platform: Platform? = nil) async throws -> [Loaded] {
        let images = try await BlockingPool.shared.runCancellable { cancellation in
            let files = try Self.unpack(file, scratch, cancellation)
            return try ArchiveReader(files, cancellation, platform: platform).images()
        }
        for image in images {
            try await BlockingPool.shared.run { try put(image) }
            var target = image.target
            target.annotations[LayerSizeAnnotation.key] = LayerSizeAnnotation.value(image.layerSizes)
            if image.names.isEmpty {
                try await names.keep(target)
            } else {
                try await names.set(image.names, to: target)
            }
        }
        return images.map { Loaded(id: $0.id, names: $0.names) }
    }

    /// Reads the archive in `file`, or for `nil` of standard input, into files of `scratch`.
    static func unpack(
        _ file: String?, _ scratch: ProcessScratch, _ cancellation: Cancellation
    ) throws -> ArchiveFiles {
        var reader = TarReader(ArchiveFiles(in: scratch))
        var decompressor = Decompressor { try reader.feed($0) }
        func feed(_ chunk: UnsafeRawBufferPointer) throws {
            try cancellation.check()
            try decompressor.feed(chunk)
        }
        if let file {
            try FileReading.chunks(ofFileAt: file, feed)
        } else {
            try FileReading.chunks(of: .standardInput, shownAs: "standard input", feed)
        }
        try decompressor.finish()
        guard decompressor.count > 0 else { throw BuildError.notAnImageArchive("the input is empty") }
        try reader.finish()
        return reader.consumer
    }

    private func put(_ image: LoadedImage) throws {
        for file in image.files { try blobs.adopt(file.path, as: file.digest) }
        for document in image.documents { try blobs.store(document, in: scratch) }
    }
}
