internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot

/// Unpacks a tar archive, compressed or not, that comes as a stream. Nothing in it leads out of the directory.
enum ArchiveUnpacker {
    /// Unpacks what `read` hands to its argument, to the end. Blocks.
    ///
    /// - Parameters:
    ///   - root: need not be empty.
    ///   - limit: of the decompressed archive and of the files in it.
    /// - Throws: what is wrong with the archive; what `read` throws.
    static func unpack(
        into root: RootDirectory, _ rules: LayerApplier.ArchiveRules, limit: ByteCount?,
        _ read: (_ feed: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let limit = limit ?? ByteCount(Int64.max)
        var reader = TarReader(try LayerApplier(unpackingInto: root, rules, limit: limit))
        var size = Int64(0)
        var decompressor = Decompressor { bytes in
            size += Int64(bytes.count)
            guard size <= limit.bytes else { throw BuildError.layerTooLarge(limit: limit) }
            try reader.feed(bytes)
        }
        try read { try decompressor.feed($0) }
        try decompressor.finish()
        try reader.finish()
        try reader.consumer.finish()
    }
}
