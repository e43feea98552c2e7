internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// Counts disk space as du(1) does: allocated blocks, directories included, a file with several names once.
enum DiskUsage {
    /// The space of a file or of a whole tree. What vanishes meanwhile is not counted.
    ///
    /// - Throws: `file-system`.
    static func of(_ path: String) throws -> ByteCount {
        var sum = UInt64(0)
        var seen: Set<UInt64> = []
        do {
            let status = try describing("read", path) { () throws(Errno) in try Syscall.status(path) }
            sum += status.blocks
            guard status.isDirectory else { return ByteCount(sum * 512) }
            try TreeWalk(path).forEach(cancellation: nil) { entry in
                if entry.status.links > 1, !entry.status.isDirectory, !seen.insert(entry.status.inode).inserted {
                    return
                }
                sum += entry.status.blocks
            }
        } catch let error as BuildError {
            guard error.isMissingFile else { throw error }
        }
        return ByteCount(sum * 512)
    }
}
