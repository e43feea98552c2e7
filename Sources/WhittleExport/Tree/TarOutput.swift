internal import WhittleArchive
internal import WhittleCore
internal import WhittleFileSystem
internal import WhittleSnapshot

/// Writes root file systems as one archive, in which each may have a directory of its own.
struct TarOutput {
    /// Several only where they are split.
    let trees: [ExportTree]
    let options: TarOptions

    /// - Throws: `output-destination`, `file-system`, `CancellationError`. A file is then as it was before.
    /// - Returns: the bytes of the archive.
    func write(_ cancellation: Cancellation) throws -> ByteCount {
        var size = 0
        try OutputFile.write(to: options.destination) { target in
            let sink = OutputSink(target, for: options.destination)
            var tar = TarWriter {
                size += $0.count
                try sink.write($0)
            }
            for tree in trees {
                // Seen whole, a file system has no deletions: its layer is its archive.
                let writer = LayerWriter(changesIn: tree.directory, times: tree.times)
                guard options.split.isOn else {
                    _ = try writer.write(into: &tar, cancellation: cancellation)
                    continue
                }
                var directory = TarEntry(
                    path: Array("\(tree.directoryName)/".utf8), kind: .directory, permissions: 0o755)
                if let times = tree.times { directory.modified = times.apply(to: directory.modified) }
                try tar.begin(directory)
                _ = try writer.write(into: &tar, below: tree.directoryName + "/", cancellation: cancellation)
            }
            try tar.finish()
        }
        return ByteCount(size)
    }
}
