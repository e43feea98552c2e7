internal import Synchronization
internal import SystemPackage
internal import WhittleCore
internal import WhittleFileSystem

/// A lock on a key of the store, held until ``release()`` or the end of the process, however it ends.
///
/// Each key stands for one byte of a file, and the byte is locked (fcntl(2), open file description locks). A file for each
/// key would be made and removed with every step, which some file systems take longer for than for all else that a small
/// step writes. Two keys with the same byte wait for each other without need: with 62 bits of a digest, never.
package final class KeyLock: Sendable {
    private let descriptor: Mutex<FileDescriptor?>

    private init(_ descriptor: FileDescriptor) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    /// Takes the lock if it is free; `nil` where somebody holds it.
    ///
    /// - Parameter path: the file, made where it is missing.
    /// - Throws: `file-system`.
    static func tryAcquire(_ key: String, in path: String) throws(BuildError) -> KeyLock? {
        do throws(Errno) {
            let file = try Syscall.open(path, [.readWrite, .create], mode: 0o600)
            let isHeld = try file.withDescriptor { (descriptor) throws(Errno) in
                try Syscall.tryLock(descriptor, byteAt: offset(of: key))
            }
            return isHeld ? KeyLock(file.release()) : nil
        } catch {
            throw .fileSystem("lock", path, error)
        }
    }

    /// Waits for the lock; tries every 1 to 50 ms, as ``WhittleFileSystem/FileLock/acquire(_:exclusive:)`` and for its
    /// reasons.
    static func acquire(_ key: String, in path: String) async throws -> KeyLock {
        var pause = Duration.milliseconds(1)
        while true {
            if let lock = try tryAcquire(key, in: path) { return lock }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// Where the byte of a key is: the first 62 bits of its digest, as file offsets have 63.
    static func offset(of key: String) -> Int64 {
        let first = Digest(hashing: key).bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(first >> 2)
    }

    /// Gives the lock back. Does nothing the second time.
    package func release() {
        guard let descriptor = descriptor.withLock({ $0.take() }) else { return }
        // The kernel ends the lock with the open file, whatever close(2) says.
        try? Syscall.close(descriptor)
    }
}
