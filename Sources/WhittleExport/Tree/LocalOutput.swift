internal import WhittleCore
internal import WhittleFileSystem

/// Writes root file systems into a directory: one for each platform, or all into the same.
struct LocalOutput {
    let trees: [ExportTree]
    let options: LocalOptions

    /// - Throws: as ``LocalTreeExporter/write(_:visiting:)``; `output-conflict` where two platforms have a file at one place.
    /// - Returns: the bytes of all files.
    func write(_ cancellation: Cancellation) throws -> ByteCount {
        var size = ByteCount.zero
        // Which platform a path is from; kept only where two could meet.
        var taken: [EntryPath: Int] = [:]
        let mayCollide = trees.count > 1 && !options.split.isOn
        if options.split.isOn { try OutputDirectory.make(options.directory) }
        for (position, tree) in trees.enumerated() {
            let destination = options.split.isOn ? "\(options.directory)/\(tree.directoryName)" : options.directory
            let exporter = LocalTreeExporter(source: tree.directory, destination: destination, times: tree.times)
            size += try exporter.write(cancellation) { path throws(BuildError) in
                guard mayCollide else { return }
                if let first = taken.updateValue(position, forKey: path) {
                    throw .platformsCollide("\(path)", "\(trees[first].platform)", "\(tree.platform)")
                }
            }
        }
        return size
    }
}
