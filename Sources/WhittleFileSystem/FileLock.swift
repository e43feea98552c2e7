internal import SystemPackage
package import WhittleCore

/// An advisory lock on a file (flock(2)), held until ``release()`` or the end of the process, however it ends.
///
/// Excludes other processes and other `FileLock`s of this one. The file itself is never removed by this type: an old one
/// is harmless.
package final class FileLock: Sendable {
    private let descriptor: FileDescriptor
    /// The path that was locked.
    package let path: String

    private init(_ descriptor: FileDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Closing the only descriptor of the open file ends the lock.
    deinit {
        // Nothing can be reported from here, and the kernel ends the lock in any case.
        try? Syscall.close(descriptor)
    }

    /// Takes the lock if it is free; `nil` where somebody holds it.
    ///
    /// - Parameter exclusive: `false` shares the lock with others that ask the same.
    /// - Throws: `BuildError` (`file-system`) where the file cannot be opened or made.
    package static func tryAcquire(_ path: String, exclusive: Bool = true) throws(BuildError) -> FileLock? {
        try describing("lock", path) { () throws(Errno) -> FileLock? in
            while true {
                let file = try Syscall.open(path, [.readWrite, .create], mode: 0o600)
                let isHeld = try file.withDescriptor { (descriptor) throws(Errno) in
                    try Syscall.tryLock(descriptor, exclusive: exclusive)
                }
                guard isHeld else { return nil }
                // Somebody may have removed the name between open and lock; then others would lock another file.
                let isCurrent = try file.withDescriptor { (descriptor) throws(Errno) -> Bool in
                    let mine = try Syscall.status(descriptor)
                    do throws(Errno) {
                        let named = try Syscall.status(path)
                        return mine.inode == named.inode && mine.device == named.device
                    } catch {
                        guard error == .noSuchFileOrDirectory else { throw error }
                        return false
                    }
                }
                if isCurrent { return FileLock(file.release(), path: path) }
            }
        }
    }

    /// Waits for the lock.
    ///
    /// Tries again every 1 to 50 ms instead of blocking a thread in flock(2): a blocked thread could be neither
    /// cancelled nor used by the work that the lock is waiting for.
    ///
    /// - Throws: `BuildError` as ``tryAcquire(_:exclusive:)``; `CancellationError` where the task is cancelled.
    package static func acquire(_ path: String, exclusive: Bool = true) async throws -> FileLock {
        var pause = Duration.milliseconds(1)
        while true {
            if let lock = try tryAcquire(path, exclusive: exclusive) { return lock }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// Gives the lock back before the object is released.
    package func release() {
        // An error would mean that the descriptor is not a file; `init` made sure that it is.
        _ = try? Syscall.unlock(descriptor)
    }
}
