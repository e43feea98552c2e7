/// The names under which the database keeps what a snapshot's changes were written as.
package enum LayerFormat {
    /// As an image of another origin had it.
    package static let original = "original"

    /// What this program writes: an uncompressed stream, or one compressed with `algorithm` at `level`.
    ///
    /// The number in the name is raised when the same setting gives other bytes; an uncompressed stream is part of all of
    /// them.
    package static func own(_ algorithm: String?, level: Int = 0) -> String {
        algorithm.map { "\($0)-2-\(level)" } ?? "tar-1"
    }

    /// Whether a layer under this name has the diff ID that this program gives the same files today.
    package static func isOwn(_ format: String) -> Bool {
        let parts = format.split(separator: "-")
        if format == own(nil) { return true }
        guard parts.count == 3, let level = Int(parts[2]) else { return false }
        return ["gzip", "zstd"].contains { format == own($0, level: level) }
    }
}
