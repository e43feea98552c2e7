package import SystemPackage
package import WhittleCore

/// A file descriptor with one owner, closed exactly once.
///
/// ``close()`` reports a failure (a full disk may only show here); `deinit` closes what was never closed and can report
/// nothing, so a writer calls ``close()``.
package struct OwnedDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes over `descriptor`; nobody else may close it.
    package init(owning descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Lends the descriptor for the duration of `body`; it must not be kept or closed there.
    package borrowing func withDescriptor<Value: ~Copyable, Failure: Error>(
        _ body: (FileDescriptor) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(descriptor)
    }

    /// Closes, and reports what close(2) reports.
    package consuming func close() throws(Errno) {
        let descriptor = descriptor
        discard self
        try Syscall.close(descriptor)
    }

    /// Closes; a failure is said as "cannot `operation` '`path`'".
    package consuming func close(describing operation: String, _ path: String) throws(BuildError) {
        do throws(Errno) {
            try close()
        } catch {
            throw BuildError.fileSystem(operation, path, error)
        }
    }

    /// Hands the descriptor to a new owner, who must close it.
    package consuming func release() -> FileDescriptor {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    deinit {
        // Nothing can be reported from here.
        try? Syscall.close(descriptor)
    }
}
