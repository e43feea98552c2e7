internal import SystemPackage
package import WhittleCore
internal import WhittleFileSystem

/// Directories that a layer puts something into without an entry of their own.
///
/// In a layer of its own such a directory is made with mode 0755; but overlayfs would show that instead of what a lower
/// layer says of it: `/tmp` would lose its sticky bit to a layer that holds only `tmp/file`. So they take owner, mode, time
/// and attributes of the directory below once it is known.
package struct ImplicitDirectories: Sendable {
    private var paths: Set<LayerPath> = []

    /// None.
    package init() {}

    package var isEmpty: Bool { paths.isEmpty }

    mutating func add(_ path: LayerPath) { paths.insert(path) }

    /// The directory got an entry after all.
    mutating func remove(_ path: LayerPath) { paths.remove(path) }

    /// Gives each directory in `upper` what the first of `lower` that has it says of it. Where none has it, it stays as it
    /// is.
    ///
    /// - Parameters:
    ///   - upper: where the layer was unpacked.
    ///   - lower: the directories of the layers below, top first.
    /// - Throws: `file-system`.
    package func inherit(in upper: String, from lower: [String]) throws(BuildError) {
        let target = try LayerTree(upper)
        var sources: [LayerTree] = []
        for path in lower { sources.append(try LayerTree(path)) }
        // Deepest first: a directory that is closed to us by its mode must not be on the way to another.
        for path in paths.sorted(by: { $0.components.count > $1.components.count }) {
            guard let directory = try target.existingDirectory(path, for: path.name) else { continue }
            for source in sources {
                guard let status = try source.status(of: path) else { continue }
                // Anything else, a deletion for one, ends what is seen of the layers below.
                guard status.isDirectory, let below = try source.existingDirectory(path, for: path.name) else { break }
                try target.describing("change", path.name) { () throws(Errno) in
                    try LayerMetadata.copy(from: below.descriptor, status, to: directory.descriptor)
                }
                break
            }
        }
    }
}
