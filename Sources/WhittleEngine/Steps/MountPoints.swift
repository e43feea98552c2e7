internal import Synchronization
internal import WhittleStore

/// Empty directories of one process to mount something on, each used again when what was mounted there has gone: steps that
/// follow each other need one.
final class MountPoints: Sendable {
    private let scratch: ProcessScratch
    private let free = Mutex<[String]>([])

    init(_ scratch: ProcessScratch) { self.scratch = scratch }

    /// A directory with nothing mounted on it.
    func take() throws -> String {
        if let path = free.withLock({ $0.popLast() }) { return path }
        return try scratch.makeDirectory("root", mode: 0o755)
    }

    /// - Parameter path: from ``take()``, with nothing mounted on it any more.
    func giveBack(_ path: String) { free.withLock { $0.append(path) } }
}
